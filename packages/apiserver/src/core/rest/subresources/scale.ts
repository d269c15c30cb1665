/**
 * The scale subresource: how many replicas, in one shape for every kind that has replicas.
 *
 * Source  pkg/registry/apps/{deployment,replicaset,statefulset}/storage/storage.go (ScaleREST)
 */
import {
  invalid,
  invalidValue,
  type KubeObject,
  labelSelectorToSelector,
  StatusError,
} from "@nanokube/machinery";
import { age, columns, nameOf } from "../../../resources/table.ts";
import type { ResourceStrategy } from "../../strategy.ts";
import type { ApiResponse, RestContext } from "../context.ts";
import type { Written } from "../create.ts";
import { decodeBody } from "../decode-body.ts";
import { applyConfiguration, trackUpdate } from "../field-managers.ts";
import { ensureName, ensureNamespace } from "../object-meta.ts";
import { parseWriteOptions, type WriteOptions } from "../options.ts";
import { parsePatch, patcher, patchTypeOf } from "../patch.ts";
import { findObject } from "../read.ts";
import { readOne } from "../reading.ts";
import { respondWithTree } from "../respond.ts";
import { changeObject } from "../update.ts";

const scaleType = "io.k8s.api.autoscaling.v1.Scale";

interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas?: number; selector?: string };
}

export async function getScale(context: RestContext): Promise<ApiResponse> {
  const object = context.resource.fromStorage((await findObject(context)).tree());
  return respondWithTree(shown(context), 200, scaleOf(context, object), scaleType);
}

export async function updateScale(context: RestContext): Promise<ApiResponse> {
  const options = parseWriteOptions(context.request.query, "UpdateOptions");
  const expected = { apiVersion: "autoscaling/v1", kind: "Scale", typeName: scaleType };
  const scale = (await decodeBody(context, expected, options.fieldValidation)) as Scale;
  ensureNamespace(context, scale);
  ensureName(context, scale);
  return writeScale(context, () => scale, options);
}

export async function patchScale(context: RestContext): Promise<ApiResponse> {
  const type = patchTypeOf(context);
  const options = parseWriteOptions(context.request.query, "PatchOptions", type);
  const text = new TextDecoder().decode(await context.request.body());
  if (type === "apply") return applyScale(context, text, options);
  const apply = patcher(context, type, parsePatch(text, type), options, scaleType);
  return writeScale(context, (current) => apply(scaleOf(context, current)) as Scale, options);
}

/** The object's own replicas are applied, under the name of the scale subresource. */
async function applyScale(
  context: RestContext,
  text: string,
  options: WriteOptions,
): Promise<ApiResponse> {
  const scale = parsePatch(text, "apply") as Scale;
  const { resource, info } = context;
  const applied: KubeObject = {
    apiVersion: resource.apiVersion,
    kind: resource.info.kind,
    metadata: { name: info.name },
  };
  if (scale.spec?.replicas !== undefined) setReplicas(context, applied, scale.spec.replicas);
  const apply = async (current: KubeObject): Promise<KubeObject> => {
    if (resource.custom === undefined) validate(scale);
    const object = await inTermsOfScale(resource.apiVersion, () =>
      applyConfiguration(context, current, structuredClone(applied), options),
    );
    withoutTime(object, "Apply");
    return object;
  };
  const change = { createsWhenAbsent: false, keepsTrying: true, alreadyTracked: true, apply };
  return answerScale(context, (await changeObject(context, change, options)).written);
}

/** Whoever else owns the replicas is told to use the Scale's version. */
async function inTermsOfScale<T>(apiVersion: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 409) throw error;
    const text = JSON.stringify(error.status);
    throw new StatusError(
      JSON.parse(
        text.replaceAll(`using ${apiVersion}`, "using autoscaling/v1"),
      ) as typeof error.status,
    );
  }
}

async function writeScale(
  context: RestContext,
  scaleFor: (current: KubeObject) => Scale,
  options: WriteOptions,
): Promise<ApiResponse> {
  const { written } = await changeObject(
    context,
    {
      createsWhenAbsent: false,
      keepsTrying: true,
      async apply(current) {
        const scale = scaleFor(current);
        if (context.resource.custom === undefined) validate(scale);
        const object = structuredClone(current);
        const { replicas = 0 } = scale.spec ?? {};
        setReplicas(context, object, replicas);
        if (scale.metadata?.resourceVersion) {
          object.metadata!.resourceVersion = scale.metadata.resourceVersion;
        }
        if (!isOwned(context, current)) return object;
        await trackUpdate(context, current, object, options);
        withoutTime(object, "Update");
        return object;
      },
    },
    options,
  );
  return answerScale(context, written);
}

async function answerScale(context: RestContext, written: Written): Promise<ApiResponse> {
  const { resource } = context;
  const tree =
    "tree" in written
      ? written.tree
      : resource.fromStorage((await readOne(resource, written.stored)).tree());
  return respondWithTree(shown(context), 200, scaleOf(context, tree), scaleType);
}

/** A Scale that nobody owns anything of stays so: only then is an update recorded. */
function isOwned(context: RestContext, { metadata }: KubeObject): boolean {
  const names = replicasPath(context).slice(1).split(".");
  return (metadata?.managedFields ?? []).some(({ fieldsV1 }) => {
    let at: unknown = fieldsV1;
    for (const name of names) at = (at as Record<string, unknown> | undefined)?.[`f:${name}`];
    return at !== undefined;
  });
}

const replicasPath = ({ resource }: RestContext): string =>
  resource.custom?.scale?.specReplicasPath ?? ".spec.replicas";

/** Upstream records who scales, but not when; entries without a time stand before the others. */
function withoutTime({ metadata }: KubeObject, operation: "Apply" | "Update"): void {
  const entries = metadata?.managedFields;
  const own = entries?.find(
    (entry) => entry.subresource === "scale" && entry.operation === operation,
  );
  if (metadata === undefined || entries === undefined || own === undefined) return;
  const { time: _time, ...timeless } = own;
  const others = entries.filter((entry) => entry !== own);
  const applies = others.filter((entry) => entry.operation === "Apply");
  const updates = others.filter((entry) => entry.operation !== "Apply");
  metadata.managedFields = [...applies, timeless, ...updates];
}

function validate(scale: Scale): void {
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas >= 0) return;
  throw invalid({ group: "autoscaling", kind: "Scale" }, scale.metadata?.name ?? "", [
    invalidValue("spec.replicas", replicas, "must be greater than or equal to 0"),
  ]);
}

/** ".spec.replicas" → the object's member, made when absent. */
function setReplicas(context: RestContext, object: KubeObject, replicas: number): void {
  const names = replicasPath(context).slice(1).split(".");
  let at: Record<string, unknown> = object;
  for (const name of names.slice(0, -1)) {
    at[name] = { ...((at[name] as object | undefined) ?? {}) };
    at = at[name] as Record<string, unknown>;
  }
  at[names.at(-1)!] = replicas;
}

function memberAt(object: KubeObject, path: string | undefined): unknown {
  let at: unknown = object;
  for (const name of (path ?? "").slice(1).split(".")) {
    at = (at as Record<string, unknown> | undefined)?.[name];
  }
  return at;
}

function customScale(context: RestContext, object: KubeObject): Pick<Scale, "spec" | "status"> {
  const paths = context.resource.custom!.scale!;
  const replicas = memberAt(object, paths.specReplicasPath) as number | undefined;
  const selector = memberAt(object, paths.labelSelectorPath) as string | undefined;
  return {
    spec: replicas ? { replicas } : {},
    status: {
      replicas: (memberAt(object, paths.statusReplicasPath) as number | undefined) ?? 0,
      ...(selector ? { selector } : {}),
    },
  };
}

function scaleOf(context: RestContext, object: KubeObject): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  const spec = (object.spec ?? {}) as { replicas?: number; selector?: unknown };
  const status = (object.status ?? {}) as { replicas?: number };
  const scale: Scale = {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: JSON.parse(
      JSON.stringify({ name, namespace, uid, resourceVersion, creationTimestamp }),
    ) as NonNullable<KubeObject["metadata"]>,
    spec: spec.replicas === undefined || spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: { replicas: status.replicas ?? 0 },
  };
  if (context.resource.custom?.scale !== undefined) {
    return { ...scale, ...customScale(context, object) };
  }
  const selector = selectorText(object, spec.selector);
  if (selector !== "") scale.status!.selector = selector;
  return scale;
}

function selectorText(object: KubeObject, selector: unknown): string {
  if (selector === undefined || selector === null) return "";
  if (object.kind === "ReplicationController") {
    const labels = selector as Record<string, string>;
    return Object.keys(labels)
      .sort()
      .map((key) => `${key}=${labels[key]}`)
      .join(",");
  }
  return labelSelectorToSelector(selector as object).toString();
}

const scaleColumns = columns("Name, Desired:integer, Available:integer, Age").map((column) => ({
  ...column,
  format: "",
}));

/** A Scale has a table of its own, whatever has the replicas. */
function shown(context: RestContext): RestContext {
  const { resource } = context;
  const strategy: ResourceStrategy = {
    ...resource.strategy,
    columns: scaleColumns,
    row: (object, now) => {
      const { spec, status } = object as Scale;
      return [nameOf(object), spec?.replicas ?? 0, status?.replicas ?? 0, age(object, now)];
    },
  };
  return { ...context, resource: { ...resource, strategy } };
}
