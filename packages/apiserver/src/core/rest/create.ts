/**
 * POST: decode → name → default → admit → prepare → validate → admission's last word → store.
 *
 * @hop apiserver.create: an object is accepted and written
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/handlers/create.go,
 *         pkg/registry/generic/registry/store.go (create)
 */
import {
  alreadyExists,
  deepClone,
  type FieldError,
  forbidden,
  type GroupKind,
  generateName,
  generateNameConflict,
  inInternalForm,
  invalid,
  isAlreadyExists,
  type KubeObject,
  StatusError,
} from "@nanokube/machinery";
import { validateAnyKind } from "../../resources/object-meta.ts";
import type { AdmissionAttributes } from "../admission/plugin.ts";
import type { StoredObject } from "../cache/stored-object.ts";
import { newestType } from "../conversion/device.ts";
import { objectKey } from "../storage/keys.ts";
import { KeyExists } from "../storage/store.ts";
import type { StrategyContext } from "../strategy.ts";
import type { ApiResponse, RestContext } from "./context.ts";
import { groupResourceOf, namespaceOf } from "./context.ts";
import { decodeBody, expectedOf } from "./decode-body.ts";
import { applyDefaults } from "./defaults.ts";
import { trackUpdate } from "./field-managers.ts";
import { ensureNamespace, fillSystemFields, metadataOf, wipeSystemFields } from "./object-meta.ts";
import { parseWriteOptions, type WriteOptions } from "./options.ts";
import { readTree } from "./reading.ts";
import { respondWithStored, respondWithTree } from "./respond.ts";

/** Names tried before a generateName gives up. */
const nameAttempts = 8;

export async function create(context: RestContext): Promise<ApiResponse> {
  const { request } = context;
  const options = parseWriteOptions(request.query, "CreateOptions");
  const object = await decodeBody(context, expectedOf(context), options.fieldValidation);
  wipeSystemFields(metadataOf(object));
  ensureNamespace(context, object);
  const result = await createObject(context, object, options);
  return "tree" in result
    ? respondWithTree(context, 201, result.tree)
    : respondWithStored(context, 201, result.stored);
}

export type Written = { stored: StoredObject } | { tree: KubeObject };

/** Also what PUT and server-side apply do for an object that is not there. */
export async function createObject(
  context: RestContext,
  object: KubeObject,
  options: WriteOptions,
  alreadyTracked = false,
): Promise<Written> {
  const { server } = context;
  applyDefaults(context, object);
  if (!alreadyTracked) await trackUpdate(context, undefined, object, options);
  const attributes = createAttributes(context, object, options);
  refuseWhileEnding(context, attributes.name);
  await server.admission.admit(attributes);
  const meta = metadataOf(object);
  if (!meta.generateName || meta.name) return createOnce(context, object, attributes, options);
  for (let attempt = 1; ; attempt++) {
    try {
      const named = deepClone(object);
      return await createOnce(context, named, { ...attributes, object: named }, options);
    } catch (error) {
      if (attempt >= nameAttempts || !isAlreadyExists(error)) throw error;
    }
  }
}

function refuseWhileEnding(context: RestContext, name: string): void {
  if (!context.resource.custom?.isEnding()) return;
  const why = "create not allowed while custom resource definition is terminating";
  throw forbidden(groupResourceOf(context), name, why);
}

export function createAttributes(
  context: RestContext,
  object: KubeObject,
  options: WriteOptions,
): AdmissionAttributes {
  const { info, resource } = context;
  const namespace = info.namespace;
  return {
    operation: "CREATE",
    resource: resource.info,
    subresource: info.subresource,
    namespace:
      namespace === "" && isNamespaces(context) ? (object.metadata?.name ?? "") : namespace,
    name: object.metadata?.name ?? "",
    user: context.user,
    dryRun: options.dryRun,
    object,
    options: { ...options.object, kind: "CreateOptions" },
    warn: (text) => context.warnings.add(text),
    annotate: context.annotate,
  };
}

function isNamespaces({ info }: RestContext): boolean {
  return info.apiGroup === "" && info.resource === "namespaces";
}

export function strategyContext(context: RestContext): StrategyContext {
  const namespace = namespaceOf(context);
  return {
    now: context.server.clock.now(),
    subresource: context.info.subresource,
    namespace,
    user: context.user.name,
    userInfo: context.user,
    isOn: (gate) => context.server.gates.isOn(gate),
    namespaceLabels() {
      const namespaces = context.server.lookup("", "v1", "namespaces");
      return namespaces?.cache.get(namespace)?.shared().metadata?.labels ?? {};
    },
  };
}

/** Limit ranges may come without any name. */
function isNamedByServer({ resource }: RestContext): boolean {
  return resource.info.group === "" && resource.info.plural === "limitranges";
}

async function createOnce(
  context: RestContext,
  object: KubeObject,
  attributes: AdmissionAttributes,
  options: WriteOptions,
): Promise<Written> {
  const { resource, server } = context;
  const meta = metadataOf(object);
  fillSystemFields(meta, server.clock, server.random);
  const generated = Boolean(meta.generateName) && !meta.name;
  if (!meta.name && !generated && isNamedByServer(context)) meta.name = server.random.uuid();
  if (generated) meta.name = generateName(server.random, meta.generateName!);
  const hooks = server.hooksFor(resource);
  const reservation = await hooks.beginCreate?.(object, options.dryRun);
  try {
    prepareAndValidate(context, object);
    await server.admission.validate({ ...attributes, name: meta.name ?? "" });
    const result = await storeNew(context, object, options, generated);
    await (options.dryRun ? reservation?.undo() : reservation?.done());
    return result;
  } catch (error) {
    await reservation?.undo();
    throw error;
  }
}

/** Errors show a built-in kind's values as upstream's internal types. */
export function printed(
  { typeName }: Pick<RestContext["resource"], "typeName">,
  errors: readonly FieldError[],
): readonly FieldError[] {
  return typeName === undefined ? errors : inInternalForm(errors, newestType(typeName));
}

/** Errors of an event name the kind that is stored, whatever version was asked for. */
export function errorKindOf({ info }: Pick<RestContext["resource"], "info">): GroupKind {
  const group = info.plural === "events" && info.group === "events.k8s.io" ? "" : info.group;
  return { group, kind: info.kind };
}

function prepareAndValidate(context: RestContext, object: KubeObject): void {
  const { resource, server } = context;
  const { strategy, info } = resource;
  const strategyCtx = strategyContext(context);
  if (resource.typeName !== undefined) server.disabledFields.drop(resource.typeName, object);
  strategy.prepareForCreate?.(object, strategyCtx);
  const own = strategy.validate?.(object, strategyCtx) ?? [];
  const errors = own.length > 0 ? own : validateAnyKind(object.metadata ?? {}, info.namespaced);
  if (errors.length > 0) {
    const gk = errorKindOf(resource);
    throw invalid(gk, object.metadata?.name ?? "", printed(resource, errors));
  }
  for (const warning of strategy.warnings?.(object) ?? []) context.warnings.add(warning);
}

async function storeNew(
  context: RestContext,
  object: KubeObject,
  options: WriteOptions,
  generated: boolean,
): Promise<Written> {
  const { resource, server } = context;
  const gr = groupResourceOf(context);
  const name = object.metadata!.name!;
  const key = objectKey(resource.info.namespaced, namespaceOf(context), name);
  const fail = async (): Promise<never> => {
    if (generated) throw generateNameConflict(gr, name, 1);
    const error = alreadyExists(gr, name);
    const current = await server.store.read(resource.cache, key);
    if (current?.shared().metadata?.deletionTimestamp === undefined) throw error;
    const message = `object is being deleted: ${error.message}`;
    throw new StatusError({ ...error.status, message });
  };
  if (options.dryRun) {
    if ((await server.store.read(resource.cache, key)) !== undefined) return fail();
    return { tree: await readTree(resource, await resource.toStorage(object)) };
  }
  try {
    const ttlSeconds = ttlOf(context);
    const stored = await server.store.create(
      resource.cache,
      key,
      await resource.toStorage(object),
      ttlSeconds === undefined ? {} : { ttlSeconds },
    );
    return { stored };
  } catch (error) {
    if (error instanceof KeyExists) return fail();
    throw error;
  }
}

/** Events are forgotten after a while. */
export function ttlOf({ resource, server }: RestContext): number | undefined {
  const isEvent = resource.info.plural === "events" && resource.custom === undefined;
  return isEvent && server.limits.eventTTLSeconds > 0 ? server.limits.eventTTLSeconds : undefined;
}
