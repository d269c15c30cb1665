/**
 * JSON Patch (RFC 6902), with the leniencies and the texts of upstream's library: `replace` sets
 * an absent member of an object, indexes may be negative, `test` of an absent member with null
 * holds.
 *
 * The document is not changed; the result shares what the patch left alone.
 *
 * Errors  PatchError
 * Source  gopkg.in/evanphx/json-patch.v4 patch.go
 */
import { quoteGo } from "../go-text.ts";
import { deepClone, deepEqual, isPlainObject, setMember } from "../json-tree.ts";
import { PatchError } from "./patch-error.ts";

export interface JSONPatchOperation {
  op?: string;
  path?: string;
  from?: string;
  value?: unknown;
}

/** Upstream's limit on operations; more is answered with 413. */
export const maxJSONPatchOperations = 10_000;

/** Of what all copies of one patch add: a few that copy each other's results would fill any memory. */
export const maxJSONPatchCopyBytes = 3 * 1024 * 1024;

type Container = unknown[] | Record<string, unknown>;

const missing = "missing value";
const invalidIndex = "invalid index referenced";

function fail(message: string, cause: string): PatchError {
  return new PatchError("unprocessable", `${message}: ${cause}`);
}

/** @throws PatchError */
export function applyJSONPatch<T>(document: T, operations: readonly JSONPatchOperation[]): T {
  const root: Root = { document: deepClone(document), copiedBytes: 0 };
  for (const operation of operations) applyOperation(root, operation);
  return root.document as T;
}

interface Root {
  document: unknown;
  copiedBytes: number;
}

function applyOperation(root: Root, operation: JSONPatchOperation): void {
  const apply = typeof operation.op === "string" ? appliers.get(operation.op) : undefined;
  if (apply === undefined) {
    throw new PatchError("unprocessable", `Unexpected kind: ${operation.op ?? "unknown"}`);
  }
  apply(root, operation);
}

const decodeKey = (key: string): string =>
  key.replace(/~[01]/g, (sequence) => (sequence === "~1" ? "/" : "~"));

/** The container a pointer's last step is in; undefined when the way there breaks off. */
function find(root: Root, path: string): { container: Container; key: string } | undefined {
  const parts = path.split("/");
  if (parts.length < 2 || !isContainer(root.document)) return undefined;
  let container: Container = root.document;
  for (const part of parts.slice(1, -1)) {
    const next = tryGet(container, decodeKey(part));
    if (!isContainer(next)) return undefined;
    container = next;
  }
  return { container, key: decodeKey(parts.at(-1)!) };
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

function tryGet(container: Container, key: string): unknown {
  try {
    return get(container, key);
  } catch {
    return undefined;
  }
}

function parseIndex(key: string): number {
  if (/^[+-]?\d+$/.test(key)) return Number(key);
  throw new PatchError("unprocessable", `strconv.Atoi: parsing ${quoteGo(key)}: invalid syntax`);
}

function indexIn(key: string, length: number): number {
  const index = parseIndex(key);
  if (index >= length || index < -length) {
    throw fail(`Unable to access invalid index: ${index}`, invalidIndex);
  }
  return index < 0 ? index + length : index;
}

function get(container: Container, key: string): unknown {
  if (Array.isArray(container)) return container[indexIn(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function insert(container: Container, key: string, value: unknown): void {
  if (!Array.isArray(container)) {
    setMember(container, key, value);
    return;
  }
  if (key === "-") {
    container.push(value);
    return;
  }
  if (!/^[+-]?\d+$/.test(key)) {
    const cause = `strconv.Atoi: parsing ${quoteGo(key)}: invalid syntax`;
    throw fail(`value was not a proper array index: '${key}'`, cause);
  }
  container.splice(indexIn(key, container.length + 1), 0, value);
}

function drop(container: Container, key: string): void {
  if (Array.isArray(container)) {
    container.splice(indexIn(key, container.length), 1);
  } else if (Object.hasOwn(container, key)) {
    delete container[key];
  } else {
    throw fail(`Unable to remove nonexistent key: ${key}`, missing);
  }
}

/** Puts the operation and the path before what went wrong inside. */
function within<T>(prefix: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new PatchError("unprocessable", `${prefix}: ${(error as Error).message}`);
  }
}

/** Whether a failure names the missing field itself differs by operation, as upstream's does. */
function pathOf(operation: JSONPatchOperation, cause = `operation missing path field: ${missing}`) {
  if (typeof operation.path === "string") return operation.path;
  throw fail(`${operation.op} operation failed to decode path`, cause);
}

function fromOf(operation: JSONPatchOperation): string {
  if (typeof operation.from === "string") return operation.from;
  const cause = `operation, missing from field: ${missing}`;
  throw fail(`${operation.op} operation failed to decode from`, cause);
}

const newValue = (operation: JSONPatchOperation): unknown => deepClone(operation.value ?? null);

function add(root: Root, operation: JSONPatchOperation): void {
  const path = pathOf(operation, missing);
  const at = find(root, path);
  if (at === undefined) {
    throw fail(`add operation does not apply: doc is missing path: "${path}"`, missing);
  }
  within(`error in add for path: '${path}'`, () =>
    insert(at.container, at.key, newValue(operation)),
  );
}

function remove(root: Root, operation: JSONPatchOperation): void {
  const path = pathOf(operation, missing);
  const at = find(root, path);
  if (at === undefined) {
    throw fail(`remove operation does not apply: doc is missing path: "${path}"`, missing);
  }
  within(`error in remove for path: '${path}'`, () => drop(at.container, at.key));
}

function replace(root: Root, operation: JSONPatchOperation): void {
  const path = pathOf(operation);
  const value = newValue(operation);
  if (path === "") {
    if (!isContainer(value)) {
      throw new PatchError(
        "unprocessable",
        "replace operation value must be object or array: %!w(<nil>)",
      );
    }
    root.document = value;
    return;
  }
  const at = find(root, path);
  if (at === undefined) {
    throw fail(`replace operation does not apply: doc is missing path: ${path}`, missing);
  }
  try {
    get(at.container, at.key);
  } catch {
    throw fail(`replace operation does not apply: doc is missing key: ${path}`, missing);
  }
  if (Array.isArray(at.container)) {
    at.container[indexIn(at.key, at.container.length)] = value;
  } else {
    setMember(at.container, at.key, value);
  }
}

function move(root: Root, operation: JSONPatchOperation): void {
  const from = fromOf(operation);
  const source = find(root, from);
  if (source === undefined) {
    throw fail(`move operation does not apply: doc is missing from path: ${from}`, missing);
  }
  const value = within(`error in move for path: '${source.key}'`, () => {
    const found = get(source.container, source.key);
    drop(source.container, source.key);
    return found;
  });
  const path = pathOf(operation);
  const at = find(root, path);
  if (at === undefined) {
    throw fail(`move operation does not apply: doc is missing destination path: ${path}`, missing);
  }
  within(`error in move for path: '${path}'`, () => insert(at.container, at.key, value));
}

function test(root: Root, operation: JSONPatchOperation): void {
  const path = pathOf(operation);
  const failed = () => fail(`testing value ${path} failed`, "test failed");
  const wanted = operation.value ?? null;
  if (path === "") {
    if (deepEqual(root.document, wanted)) return;
    throw failed();
  }
  const at = find(root, path);
  if (at === undefined) {
    throw fail(`test operation does not apply: is missing path: ${path}`, missing);
  }
  const actual = within(`error in test for path: '${path}'`, () => get(at.container, at.key));
  if (!deepEqual(actual ?? null, wanted)) throw failed();
}

function copy(root: Root, operation: JSONPatchOperation): void {
  const from = fromOf(operation);
  const source = find(root, from);
  if (source === undefined) {
    throw fail(`copy operation does not apply: doc is missing from path: ${from}`, missing);
  }
  const value = within(`error in copy for from: '${from}'`, () =>
    get(source.container, source.key),
  );
  const path = pathOf(operation, missing);
  const at = find(root, path);
  if (at === undefined) {
    throw fail(`copy operation does not apply: doc is missing destination path: ${path}`, missing);
  }
  countCopy(root, value);
  within("error while adding value during copy", () =>
    insert(at.container, at.key, deepClone(value ?? null)),
  );
}

const encoder = new TextEncoder();

function countCopy(root: Root, value: unknown): void {
  root.copiedBytes += encoder.encode(JSON.stringify(value ?? null)).length;
  if (root.copiedBytes <= maxJSONPatchCopyBytes) return;
  throw new PatchError(
    "unprocessable",
    "Unable to complete the copy, the accumulated size increase of copy is " +
      `${root.copiedBytes}, exceeding the limit ${maxJSONPatchCopyBytes}`,
  );
}

const appliers = new Map([
  ["add", add],
  ["remove", remove],
  ["replace", replace],
  ["move", move],
  ["test", test],
  ["copy", copy],
]);

/**
 * The operations of a parsed body. @throws PatchError (badRequest) when it is no list of objects
 */
export function asJSONPatch(body: unknown): JSONPatchOperation[] {
  if (!Array.isArray(body)) {
    const kind = body === null ? "null" : isPlainObject(body) ? "object" : typeof body;
    throw new PatchError(
      "badRequest",
      `json: cannot unmarshal ${kind} into Go value of type jsonpatch.Patch`,
    );
  }
  return body as JSONPatchOperation[];
}
