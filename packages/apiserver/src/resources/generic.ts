/**
 * The strategy every kind starts from: metadata is checked, status and spec are written apart, and
 * `metadata.generation` counts the changes of what the user asks for.
 *
 * `kind(options, own)` puts a kind's own functions after the generic ones. A kind nobody described
 * gets `kind({ status: true, generation: ["spec"] }, {})`.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/registry/rest/{create,update}.go, pkg/registry/*
 */
import type { ObjectMeta } from "@nanokube/api/meta/v1";
import { deepClone, type FieldError, type KubeObject } from "@nanokube/machinery";
import type { ResourceStrategy, StrategyContext } from "../core/strategy.ts";
import { field } from "./field.ts";
import type { NameRule } from "./names.ts";
import { type FinalizerRule, validateObjectMeta, validateObjectMetaUpdate } from "./object-meta.ts";
import { semanticEqual } from "./semantic-equal.ts";
import { age, columns, nameOf } from "./table.ts";

export interface KindOptions {
  /** The kind has a status subresource, so that the main resource cannot write it. */
  status?: boolean;
  /** The status of a new object; none when absent. */
  initialStatus?(object: KubeObject, context: StrategyContext): unknown;
  /** Fields whose change raises the generation, which starts at 1; none when absent. */
  generation?: readonly string[];
  /** What a status write keeps of the old metadata. */
  statusKeeps?: readonly (keyof ObjectMeta)[];
  name?: NameRule;
  /** The same for a kind whose name depends on what else it says. */
  nameFor?(object: KubeObject): NameRule;
  finalizers?: FinalizerRule;
  /** false: the kind looks at a new object's metadata itself. */
  wholeMeta?: false;
  /**
   * How an update is checked by the kind itself, in order; its metadata as an update when absent.
   * "whole" and "spec" are the checks of a new object, of its metadata and of the rest.
   */
  updateMeta?: readonly ("update" | "whole" | "spec")[];
}

/** Upstream's ResetObjectMetaForStatus. */
export const allMetadata = [
  "deletionTimestamp",
  "generation",
  "selfLink",
  "labels",
  "annotations",
  "finalizers",
  "ownerReferences",
] as const;

/** Keeps everything but `status` (and unguarded metadata) as it was. */
export function keepAllButStatus(
  object: KubeObject,
  old: KubeObject,
  keeps: readonly (keyof ObjectMeta)[],
): void {
  for (const key of new Set([...Object.keys(object), ...Object.keys(old)])) {
    if (key === "metadata" || key === "status" || key === "apiVersion" || key === "kind") continue;
    copyField(object, old, key);
  }
  for (const key of keeps) copyField(object.metadata ?? {}, old.metadata ?? {}, key);
}

export function copyField(to: object, from: object, key: string): void {
  const value = (from as Record<string, unknown>)[key];
  if (value === undefined) delete (to as Record<string, unknown>)[key];
  else (to as Record<string, unknown>)[key] = deepClone(value);
}

export function bumpGeneration(object: KubeObject, old: KubeObject): void {
  object.metadata ??= {};
  object.metadata.generation = (old.metadata?.generation ?? 0) + 1;
}

function prepareCreate(options: KindOptions, object: KubeObject, context: StrategyContext): void {
  object.metadata ??= {};
  if (options.generation !== undefined) object.metadata.generation = 1;
  if (!options.status) return;
  const status = options.initialStatus?.(object, context);
  if (status === undefined) delete object.status;
  else object.status = status;
}

function prepareUpdate(
  options: KindOptions,
  object: KubeObject,
  old: KubeObject,
  context: StrategyContext,
): void {
  object.metadata ??= {};
  if (options.status && context.subresource === "status") {
    keepAllButStatus(object, old, options.statusKeeps ?? []);
  } else if (options.status && context.subresource === "") {
    copyField(object, old, "status");
  }
  if (options.generation === undefined) return;
  copyField(object.metadata, old.metadata ?? {}, "generation");
}

/** After the kind's own changes: did what the user asks for change? */
function countGeneration(
  options: KindOptions,
  object: KubeObject,
  old: KubeObject,
  context: StrategyContext,
): void {
  if (options.generation === undefined || context.subresource === "status") return;
  const changed = options.generation.some((field) => {
    if (field !== "annotations") return !semanticEqual(object[field], old[field]);
    return !semanticEqual(object.metadata?.annotations, old.metadata?.annotations);
  });
  if (changed) bumpGeneration(object, old);
}

/** Name and age, for kinds upstream prints no columns for. */
export const plainColumns = columns("Name, Age");

export function kind(options: KindOptions, own: ResourceStrategy): ResourceStrategy {
  const meta = (object: KubeObject, context: StrategyContext): FieldError[] =>
    validateObjectMeta(
      object.metadata ?? {},
      context.namespace !== "",
      options.nameFor?.(object) ?? options.name,
      field("metadata"),
      options.finalizers,
    );
  const metaUpdate = (object: KubeObject, old: KubeObject): FieldError[] =>
    validateObjectMetaUpdate(
      object.metadata ?? {},
      old.metadata ?? {},
      field("metadata"),
      options.finalizers,
    );
  return {
    columns: plainColumns,
    row: (object, now) => [nameOf(object), age(object, now)],
    allowUnconditionalUpdate: true,
    defaultPropagation: "Background",
    ...own,
    prepareForCreate(object, context) {
      prepareCreate(options, object, context);
      own.prepareForCreate?.(object, context);
    },
    prepareForUpdate(object, old, context) {
      prepareUpdate(options, object, old, context);
      own.prepareForUpdate?.(object, old, context);
      countGeneration(options, object, old, context);
    },
    validate(object, context) {
      const errors = options.wholeMeta === false ? [] : meta(object, context);
      return [...errors, ...(own.validate?.(object, context) ?? [])];
    },
    validateUpdate(object, old, context) {
      const steps = context.subresource === "" ? (options.updateMeta ?? ["update"]) : ["update"];
      return [
        ...steps.flatMap((step) => {
          if (step === "spec") return own.validate?.(object, context) ?? [];
          return step === "whole" ? meta(object, context) : metaUpdate(object, old);
        }),
        ...(own.validateUpdate?.(object, old, context) ?? []),
      ];
    },
  };
}
