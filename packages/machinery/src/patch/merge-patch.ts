/**
 * JSON Merge Patch (RFC 7386): null removes, objects merge, everything else replaces.
 *
 * Errors  PatchError "Invalid JSON Patch" when the patch is no object
 * Source  gopkg.in/evanphx/json-patch.v4 merge.go
 */
import { deepClone, deepEqual, getMember, isPlainObject, setMember } from "../json-tree.ts";
import { PatchError } from "./patch-error.ts";

/**
 * The result shares what the patch leaves alone; neither argument is changed. @throws PatchError
 */
export function applyMergePatch<T extends object>(document: T, patch: unknown): T {
  if (!isPlainObject(patch)) throw new PatchError("badRequest", "Invalid JSON Patch");
  return merge(document, patch) as T;
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isPlainObject(patch)) return deepClone(patch);
  const base = isPlainObject(target) ? target : {};
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(base)) setMember(out, key, value);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else if (value !== undefined) setMember(out, key, merge(getMember(base, key), value));
  }
  return out;
}

/** The smallest patch that makes `to` out of `from`. Lists are replaced as a whole. */
export function createMergePatch(from: object, to: object): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const left = from as Record<string, unknown>;
  const right = to as Record<string, unknown>;
  for (const key of Object.keys(left)) {
    if (left[key] !== undefined && getMember(right, key) === undefined) setMember(patch, key, null);
  }
  for (const [key, wanted] of Object.entries(right)) {
    if (wanted === undefined) continue;
    const actual = getMember(left, key);
    if (deepEqual(actual, wanted)) continue;
    const both = isPlainObject(actual) && isPlainObject(wanted);
    setMember(patch, key, both ? createMergePatch(actual, wanted) : deepClone(wanted));
  }
  return patch;
}
