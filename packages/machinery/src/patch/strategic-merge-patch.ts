/**
 * Strategic merge patch: a merge patch that knows the type. Lists with a merge key merge item by
 * item, and directives say what a patch cannot otherwise: $patch (replace, delete, merge),
 * $retainKeys, $setElementOrder/list, $deleteFromPrimitiveList/list.
 *
 * Neither argument is changed: the work is done on copies.
 *
 * Errors  PatchError with upstream's texts
 * Source  k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (StrategicMergeMapPatch)
 */
import type { Shape } from "../codec/shape.ts";
import { deepClone, isPlainObject, setMember } from "../json-tree.ts";
import { orderLists } from "./element-order.ts";
import { formatGoValue, PatchError } from "./patch-error.ts";
import { lookupSlice, lookupStruct } from "./patch-meta.ts";

type Tree = Record<string, unknown>;

const directive = "$patch";
const retainKeys = "$retainKeys";
const deletePrefix = "$deleteFromPrimitiveList";
const orderPrefix = "$setElementOrder";

/** @throws PatchError */
export function applyStrategicMergePatch<T extends object>(
  document: T,
  patch: object,
  typeName: string,
): T {
  const shape: Shape = { kind: "struct", name: typeName };
  return mergeMap(deepClone(document) as Tree, deepClone(patch) as Tree, shape) as T;
}

const badOrder = () => new PatchError("badRequest", "invalid patch format of setElementOrder list");
const badPrimitives = () => new PatchError("badRequest", "invalid patch format of primitive list");
const badRetainKeys = () => new PatchError("badRequest", "invalid patch format of retainKeys");
const listOfLists = () => new PatchError("unprocessable", "lists of lists are not supported");

function badDirective(value: unknown, map: Tree): PatchError {
  const text = `unknown patch type: ${formatGoValue(value)} in map: ${formatGoValue(map)}`;
  return new PatchError("internal", text);
}

function noMergeKey(map: Tree, key: string): PatchError {
  const text = `map: ${formatGoValue(map)} does not contain declared merge key: ${key}`;
  return new PatchError("internal", text);
}

function mergeMap(original: Tree, patch: Tree, shape: Shape): Tree {
  if (Object.hasOwn(patch, directive)) return followDirective(patch);
  applyRetainKeys(original, patch);
  applyElementOrder(original, patch, shape);
  for (const [key, value] of Object.entries(patch)) mergeMember(original, key, value, shape);
  return original;
}

function followDirective(patch: Tree): Tree {
  const value = patch[directive];
  if (value === "replace") {
    delete patch[directive];
    return patch;
  }
  if (value === "delete") return {};
  throw badDirective(value, patch);
}

function mergeMember(original: Tree, patchKey: string, value: unknown, shape: Shape): void {
  const deletes = patchKey.startsWith(deletePrefix);
  const key = deletes ? fieldOfDirective(patchKey, badPrimitives) : patchKey;
  if (value === null) {
    delete original[key];
    return;
  }
  const present = Object.hasOwn(original, key);
  const current = present ? original[key] : undefined;
  if (!present || kindOf(current) !== kindOf(value)) {
    if (!deletes) setClean(original, key, value);
    return;
  }
  if (isPlainObject(current) && isPlainObject(value)) {
    const { inner, strategies } = lookupStruct(shape, key);
    const replaces = strategies.includes("replace");
    setMember(original, key, replaces ? value : mergeMap(current, value, inner));
  } else if (Array.isArray(current) && Array.isArray(value)) {
    const { inner, strategies, mergeKey } = lookupSlice(shape, key);
    const merges = strategies.includes("merge") || deletes;
    const merged = merges ? mergeLists(current, value, inner, mergeKey, deletes) : value;
    setMember(original, key, merged);
  } else {
    setMember(original, key, value);
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "list";
  return value === null ? "null" : typeof value;
}

function fieldOfDirective(key: string, error: () => PatchError): string {
  const slash = key.indexOf("/");
  if (slash < 0) throw error();
  const prefix = key.slice(0, slash);
  if (prefix !== deletePrefix && prefix !== orderPrefix) throw error();
  return key.slice(slash + 1);
}

/**
 * A new value comes without its nulls and directives; one that is a directive only does not come.
 */
function setClean(target: Tree, key: string, value: unknown): void {
  discardNulls(value);
  const cleaned = removeDirectives(value);
  if (cleaned === undefined) delete target[key];
  else setMember(target, key, cleaned);
}

function discardNulls(value: unknown): void {
  if (Array.isArray(value)) value.forEach(discardNulls);
  else if (isPlainObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (member === null) delete value[key];
      else discardNulls(member);
    }
  }
}

function removeDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(removeDirectives).filter((v) => v !== undefined);
  if (!isPlainObject(value)) return value;
  if (Object.hasOwn(value, directive)) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const cleaned = removeDirectives(member);
    if (cleaned === undefined) delete value[key];
    else setMember(value, key, cleaned);
  }
  return value;
}

/** $retainKeys: what the list does not name goes away, and the patch may name nothing else. */
function applyRetainKeys(original: Tree, patch: Tree): void {
  if (!Object.hasOwn(patch, retainKeys)) return;
  const list = patch[retainKeys];
  delete patch[retainKeys];
  if (!Array.isArray(list)) throw badRetainKeys();
  const kept = new Set(list);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue;
    if (!kept.has(key)) throw badRetainKeys();
  }
  for (const key of Object.keys(original)) if (!kept.has(key)) delete original[key];
}

/** $setElementOrder: merges the list it names right away, in the order it gives. */
function applyElementOrder(original: Tree, patch: Tree, shape: Shape): void {
  for (const directiveKey of Object.keys(patch)) {
    if (!directiveKey.startsWith(orderPrefix)) continue;
    const order = patch[directiveKey];
    delete patch[directiveKey];
    const key = fieldOfDirective(directiveKey, badOrder);
    if (!Array.isArray(order)) throw badArgument(order);
    const current = listOrNothing(original[key]);
    const given = listOrNothing(patch[key]);
    const { inner, strategies, mergeKey } = lookupSlice(shape, key);
    checkOrder(given ?? [], order, mergeKey);
    let merged: unknown[];
    if (current !== undefined && given !== undefined) {
      const copy = deepClone(current);
      const merges = strategies.includes("merge");
      merged = merges ? mergeLists(copy, given, inner, mergeKey, false) : given;
    } else if (current !== undefined) merged = current;
    else if (given !== undefined) merged = removeDirectives(given) as unknown[];
    else continue;
    if ((current ?? []).length + (given ?? []).length === 0) {
      throw new PatchError("internal", "no elements in any of the given slices");
    }
    const server = serverOrder(current ?? [], given ?? [], mergeKey);
    setMember(original, key, orderLists(merged, order, server, mergeKey, noMergeKey));
    delete patch[key];
  }
}

/**
 * The order the server is said to have had. Upstream merges in place: where the patch deletes
 * items, ones it adds take the room that became free, and count as the server's.
 */
function serverOrder(current: unknown[], given: unknown[], mergeKey: string): unknown[] {
  const keysOf = (items: unknown[]) => new Set(items.map((item) => (item as Tree)[mergeKey]));
  const isDeletion = (item: unknown) => isPlainObject(item) && item[directive] === "delete";
  if (mergeKey === "" || !given.some(isDeletion)) return current;
  const deleted = keysOf(given.filter(isDeletion));
  const kept = current.filter((item) => !deleted.has((item as Tree)[mergeKey]));
  const known = keysOf(kept);
  const added = given.filter(
    (item) => isPlainObject(item) && !(directive in item) && !known.has(item[mergeKey]),
  );
  return [...kept, ...added].slice(0, current.length);
}

function listOrNothing(value: unknown): unknown[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw badArgument(value);
  return value;
}

function badArgument(value: unknown): PatchError {
  const kinds: Record<string, string> = {
    string: "string",
    number: "int64",
    boolean: "bool",
    object: "map[string]interface {}",
  };
  const actual = value === null ? "%!s(<nil>)" : kinds[typeof value];
  return new PatchError("internal", `expected a []interface {}, but received a ${actual}`);
}

/** The patch's items must come in the order that the directive gives. */
function checkOrder(patchList: unknown[], order: unknown[], mergeKey: string): void {
  if (order.length === 0 || patchList.length === 0) return;
  const keyOf = (item: unknown): unknown => {
    if (mergeKey === "") return item;
    if (!isPlainObject(item)) throw badOrder();
    if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
    return item[mergeKey];
  };
  const items = patchList.filter((item) => !(isPlainObject(item) && item[directive] === "delete"));
  const isDirective = (item: unknown) => isPlainObject(item) && Object.hasOwn(item, directive);
  let at = 0;
  let next = 0;
  while (at < items.length && next < order.length) {
    // A directive takes no place in the order, but it must not stand behind its end.
    if (isDirective(items[at])) at++;
    else if (keyOf(items[at]) === keyOf(order[next++])) at++;
  }
  if (at < items.length) {
    const given = `The order in patch list:\n${formatGoValue(patchList)}\n`;
    const wanted = ` doesn't match ${orderPrefix} list:\n${formatGoValue(order)}\n`;
    throw new PatchError("internal", given + wanted);
  }
}

function mergeLists(
  original: unknown[],
  patch: unknown[],
  item: Shape,
  mergeKey: string,
  deletes: boolean,
): unknown[] {
  if (original.length === 0 && patch.length === 0) return original;
  if (elementKind(original, patch) !== "object") {
    if (deletes) return original.filter((value) => !patch.includes(value));
    const merged = [...new Set([...original, ...patch])];
    return orderLists(merged, patch, original, "", noMergeKey);
  }
  if (mergeKey === "") {
    throw new PatchError("internal", "cannot merge lists without merge key for struct");
  }
  const { kept, given } = takeOutDirectives(original, patch, mergeKey);
  const merged = mergeByKey([...kept], given, item, mergeKey);
  return orderLists(merged, given, kept, mergeKey, noMergeKey);
}

function elementKind(...lists: unknown[][]): string {
  const items = lists.flat();
  if (lists.some((list) => list.some(Array.isArray))) throw listOfLists();
  const kind = kindOf(items[0]);
  if (items.every((item) => kindOf(item) === kind)) return kind;
  const text = `list element types are not identical: ${formatGoValue(lists)}`;
  throw new PatchError("internal", text);
}

/**
 * Items of the patch that are directives: `$patch: delete` by key, `$patch: replace` for the whole
 * list.
 */
function takeOutDirectives(original: unknown[], patch: unknown[], mergeKey: string) {
  let kept = original;
  const given: unknown[] = [];
  let replaces = false;
  for (const item of patch as Tree[]) {
    if (!Object.hasOwn(item, directive)) {
      given.push(item);
    } else if (item[directive] === "delete") {
      if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
      kept = kept.filter((old) => (old as Tree)[mergeKey] !== item[mergeKey]);
    } else if (item[directive] === "replace") {
      replaces = true;
    } else if (item[directive] === "merge") {
      throw new PatchError("internal", "merging lists cannot yet be specified in the patch");
    } else {
      throw badDirective(item[directive], item);
    }
  }
  return replaces ? { kept: given, given: [] } : { kept, given };
}

function mergeByKey(original: unknown[], patch: unknown[], item: Shape, mergeKey: string) {
  for (const value of patch as Tree[]) {
    if (!Object.hasOwn(value, mergeKey)) throw noMergeKey(value, mergeKey);
    const at = original.findIndex((old) => (old as Tree)[mergeKey] === value[mergeKey]);
    if (at < 0) original.push(value);
    else original[at] = mergeMap(original[at] as Tree, value, item);
  }
  return original;
}
