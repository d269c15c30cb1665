/**
 * The rules of ownership: what an update takes, what an apply takes, keeps and lets go.
 *
 * Source  sigs.k8s.io/structured-merge-diff/v6 merge/update.go
 */
import { deepEqual } from "../json-tree.ts";
import type { MapSchema } from "./apply-schema.ts";
import type { Conflict } from "./conflicts.ts";
import { emptySet, type FieldSet } from "./fields-v1.ts";
import { type Manager, type Managers, unowned } from "./managers.ts";
import { mergeTrees } from "./merge-trees.ts";
import {
  type Comparison,
  compareTrees,
  fieldSetOf,
  removeItems,
  type Tree,
  withNamedFields,
} from "./typed-tree.ts";

export class ConflictsError extends Error {
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super("conflicts");
    this.name = "ConflictsError";
    this.conflicts = conflicts;
  }
}

export interface UpdaterContext {
  schema: MapSchema;
  apiVersion: string;
  /** Paths that this endpoint resets, so that nobody owns them through it. */
  resetFields: FieldSet;
  /**
   * The manager whose update this is, once it is recorded: what it changes is its own at the end,
   * and is not taken from it in between.
   */
  writer?: string;
  /** The object in another version; undefined when that version is gone. */
  convert: (object: Tree, apiVersion: string) => { object: Tree; schema: MapSchema } | undefined;
}

function withoutReset(comparison: Comparison, reset: FieldSet): Comparison {
  if (reset.isEmpty()) return comparison;
  return {
    added: comparison.added.recursiveDifference(reset),
    modified: comparison.modified.recursiveDifference(reset),
    removed: comparison.removed.recursiveDifference(reset),
  };
}

/** Takes changed paths from everybody but `self`. @throws ConflictsError unless forced */
function takeFromOthers(
  context: UpdaterContext,
  before: Tree,
  after: Tree,
  managers: Managers,
  self: string,
  force: boolean,
): Comparison {
  const own = compareTrees(before, after, context.schema);
  const comparison = withoutReset(own, context.resetFields);
  const byVersion = new Map<string, Comparison | undefined>([[context.apiVersion, comparison]]);
  const conflicts: Conflict[] = [];
  const losses = new Map<string, FieldSet>();
  for (const [identifier, manager] of [...managers]) {
    if (identifier === self) continue;
    const seen = comparisonFor(context, before, after, manager.apiVersion, byVersion);
    if (seen === undefined) {
      managers.delete(identifier);
      continue;
    }
    const contested = manager.set.intersection(seen.modified.union(seen.added));
    if (!force) {
      for (const path of contested.paths()) conflicts.push({ manager: identifier, path });
    }
    const taken = identifier === context.writer ? contested.intersection(unowned) : contested;
    losses.set(identifier, taken.union(seen.removed));
  }
  if (conflicts.length > 0) throw new ConflictsError(conflicts);
  for (const [identifier, lost] of losses) {
    const manager = managers.get(identifier)!;
    managers.set(identifier, { ...manager, set: manager.set.difference(lost) });
  }
  for (const [identifier, manager] of [...managers]) {
    if (manager.set.isEmpty()) managers.delete(identifier);
  }
  return comparison;
}

function comparisonFor(
  context: UpdaterContext,
  before: Tree,
  after: Tree,
  apiVersion: string,
  known: Map<string, Comparison | undefined>,
): Comparison | undefined {
  if (known.has(apiVersion)) return known.get(apiVersion);
  const left = context.convert(before, apiVersion);
  const right = context.convert(after, apiVersion);
  let comparison: Comparison | undefined;
  if (left !== undefined && right !== undefined) {
    const compared = compareTrees(left.object, right.object, left.schema);
    comparison = withoutReset(compared, context.resetFields);
  }
  known.set(apiVersion, comparison);
  return comparison;
}

/** Who owns what after somebody has written the object outright. */
export function updateOwnership(
  context: UpdaterContext,
  before: Tree,
  after: Tree,
  managers: Managers,
  self: string,
): void {
  const comparison = takeFromOthers(context, before, after, managers, self, true);
  const mine = managers.get(self)?.set ?? emptySet;
  const set = mine
    .difference(comparison.removed)
    .union(comparison.modified)
    .union(comparison.added)
    .recursiveDifference(context.resetFields);
  if (set.isEmpty()) managers.delete(self);
  else managers.set(self, manager(set, context.apiVersion, false, managers.get(self)?.time));
}

function manager(
  set: FieldSet,
  apiVersion: string,
  applied: boolean,
  time: string | undefined,
): Manager {
  return { set, apiVersion, applied, time };
}

/**
 * The object after an apply; undefined when nothing changed. @throws ConflictsError unless forced
 */
export function applyOwnership(
  context: UpdaterContext,
  live: Tree,
  config: Tree,
  managers: Managers,
  self: string,
  force: boolean,
): Tree | undefined {
  const { schema, apiVersion, resetFields } = context;
  const merged = (mergeTrees(live, config, schema) ?? {}) as Tree;
  const last = managers.get(self);
  const set = fieldSetOf(config, schema).recursiveDifference(resetFields);
  managers.set(self, manager(set, apiVersion, true, last?.time));
  const result = prune(context, merged, managers, last);
  takeFromOthers(context, live, result, managers, self, force);
  return deepEqual(live, result) ? undefined : result;
}

/** Takes away what this manager owned and no longer says, unless somebody else owns it. */
function prune(
  context: UpdaterContext,
  merged: Tree,
  managers: Managers,
  last: Manager | undefined,
): Tree {
  if (last === undefined || last.set.isEmpty()) return merged;
  const { schema } = context;
  const named = (set: FieldSet): FieldSet => withNamedFields(set, schema);
  const lastNamed = named(last.set);
  let pruned = (removeItems(merged, lastNamed, schema) ?? {}) as Tree;

  // Upstream goes version by version, and here versions share their paths.
  let owned = emptySet;
  for (const { set } of managers.values()) owned = owned.union(set);
  const mergedSet = named(fieldSetOf(merged, schema));
  const kept = named(fieldSetOf(pruned, schema)).union(named(owned));
  pruned = (removeItems(merged, mergedSet.difference(kept), schema) ?? {}) as Tree;

  const prunedSet = named(fieldSetOf(pruned, schema));
  const gone = mergedSet.difference(prunedSet).intersection(lastNamed);
  return (removeItems(merged, gone, schema) ?? {}) as Tree;
}
