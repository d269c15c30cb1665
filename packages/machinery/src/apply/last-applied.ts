/**
 * The annotation in which kubectl's client-side apply remembers what it wrote.
 *
 * When kubectl turns to server-side apply, what the annotation holds unchanged is its own: no
 * conflict.
 *
 * Source  k8s.io/apimachinery/pkg/util/managedfields/internal/lastappliedmanager.go,
 *         lastappliedupdater.go
 */
import { marshalGo } from "../go-text.ts";
import { deepClone, isPlainObject } from "../json-tree.ts";
import type { KubeObject } from "../object.ts";
import type { FieldSet } from "./fields-v1.ts";
import { compareTrees, fieldSetOf, type Tree } from "./typed-tree.ts";
import type { UpdaterContext } from "./updater.ts";

export const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

function annotationOf(object: KubeObject): string {
  return object.metadata?.annotations?.[lastAppliedAnnotation] ?? "";
}

export function hasLastApplied(object: KubeObject): boolean {
  return annotationOf(object) !== "";
}

/** Paths that the annotation holds as they are; undefined when it says nothing for this version. */
export function allowedByLastApplied(live: Tree, context: UpdaterContext): FieldSet | undefined {
  const text = annotationOf(live as KubeObject);
  if (text === "") return undefined;
  try {
    const last = JSON.parse(text) as unknown;
    if (!isPlainObject(last) || last.apiVersion !== context.apiVersion) return undefined;
    const { added, modified, removed } = compareTrees(last, live, context.schema);
    return fieldSetOf(last, context.schema)
      .difference(modified)
      .difference(added)
      .difference(removed);
  } catch {
    // An annotation that cannot be read allows nothing; the conflicts stand.
    return undefined;
  }
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sortKeys(member)]));
}

/** Puts the configuration into the annotation, without the annotation itself. */
export function writeLastApplied(object: KubeObject, applied: KubeObject): void {
  const copy = deepClone(applied);
  delete copy.metadata?.annotations?.[lastAppliedAnnotation];
  object.metadata ??= {};
  object.metadata.annotations ??= {};
  object.metadata.annotations[lastAppliedAnnotation] = `${marshalGo(sortKeys(copy))}\n`;
}
