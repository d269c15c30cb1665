/**
 * PATCH: the four patch types over the one update loop.
 *
 * Errors  415 for another content type, 400 for a patch that cannot be read, 422 for one that
 *         cannot
 *         be applied or whose result is no such object
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go
 */
import { typeOf } from "@nanokube/api";
import {
  applyJSONPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  badRequest,
  decodeTree,
  deepClone,
  duplicateFields,
  formatGoValue,
  genericStatus,
  invalid,
  invalidValue,
  isPlainObject,
  type KubeObject,
  PatchError,
  parseJSON,
  parseYAML,
  requestEntityTooLarge,
  type StatusError,
  unsupportedMediaType,
} from "@nanokube/machinery";
import { serverSideApply } from "./apply.ts";
import type { ApiResponse, RestContext } from "./context.ts";
import { messageOf, notRegistered } from "./decode-body.ts";
import { applyDefaults } from "./defaults.ts";
import { trackUpdate } from "./field-managers.ts";
import { ensureName, ensureNamespace } from "./object-meta.ts";
import { parseWriteOptions, type WriteOptions } from "./options.ts";
import { patchedText } from "./patched-text.ts";
import { changeObject, respond } from "./update.ts";

export type PatchType = "json" | "merge" | "strategic" | "apply";

const patchTypes: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};
const operationsMax = 10_000;
const decoder = new TextDecoder();

export function patchTypeOf(context: RestContext): PatchType {
  const contentType = (context.request.headers["content-type"] ?? "").split(";")[0]!.trim();
  const type = patchTypes[contentType];
  const offered = Object.keys(patchTypes).filter(
    (name) => context.resource.typeName !== undefined || patchTypes[name] !== "strategic",
  );
  if (type === undefined || !offered.includes(contentType)) {
    if (context.resource.typeName === undefined) throw unsupportedMediaType(offered);
    const error = genericStatus(415, "UnsupportedMediaType", "415: Unsupported Media Type");
    error.status.details = {};
    throw error;
  }
  return type;
}

export async function patch(context: RestContext): Promise<ApiResponse> {
  const type = patchTypeOf(context);
  const options = parseWriteOptions(context.request.query, "PatchOptions", type);
  const text = decoder.decode(await context.request.body());
  if (type === "apply") return serverSideApply(context, text, options);
  const parsed = parsePatch(text, type);
  const apply = patcher(context, type, parsed, options, undefined, repeatedIn(text, parsed, type));
  const change = {
    createsWhenAbsent: false,
    keepsTrying: true,
    apply: async (current: KubeObject) => {
      const object = apply(current);
      ensureNamespace(context, object);
      ensureName(context, object);
      applyDefaults(context, object);
      await trackUpdate(context, current, object, options);
      return object;
    },
  };
  return respond(context, await changeObject(context, change, options));
}

/** Patches of subresources with a type of their own (scale) use it as well. */
export function parsePatch(text: string, type: PatchType): unknown {
  let parsed: unknown;
  const where = type === "strategic" ? "" : "error decoding patch: ";
  try {
    parsed = type === "apply" ? parseYAML(text) : parseJSON(text);
  } catch (error) {
    throw badRequest(`${where}${messageOf(error)}`);
  }
  if (type === "json") {
    if (!Array.isArray(parsed)) {
      throw badRequest(
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
      );
    }
    if (parsed.length > operationsMax) {
      throw requestEntityTooLarge(
        `The allowed maximum operations in a JSON patch is ${operationsMax}, got ${parsed.length}`,
      );
    }
  } else if (!isPlainObject(parsed)) {
    throw badRequest(
      `${where}json: cannot unmarshal ${Array.isArray(parsed) ? "array" : typeof parsed} into Go value of type map[string]interface {}`,
    );
  }
  return parsed;
}

function repeatedIn(text: string, parsed: unknown, type: PatchType): string[] {
  const repeated = duplicateFields(text, parsed);
  if (type !== "json") return repeated;
  const operations = parsed as Readonly<Record<string, unknown>>[];
  const unknown = operations.flatMap((operation, i) =>
    Object.keys(operation ?? {})
      .filter((name) => !operationMembers.has(name))
      .map((name) => `unknown field ${JSON.stringify(`[${i}].${name}`)}`),
  );
  return [...repeated, ...unknown].map((each) => `json patch ${each}`);
}

const operationMembers: ReadonlySet<string> = new Set(["op", "from", "path", "value"]);

/** `repeated` is what a strict reader says of the patch itself. */
export function patcher(
  context: RestContext,
  type: PatchType,
  parsed: unknown,
  options: WriteOptions,
  typeName: string | undefined = context.resource.typeName,
  repeated: readonly string[] = [],
): (current: KubeObject) => KubeObject {
  return (current) => {
    // A merge shares what it leaves alone; a typed object is made anew by the check.
    const own = type === "merge" && typeName !== undefined ? current : deepClone(current);
    const patched = applied(own, type, parsed, typeName);
    if (type === "strategic") keepVersion(patched, current);
    const quoted = (): string =>
      type === "strategic"
        ? formatGoValue(parsed)
        : patchedText(current, patched, parsed, typeName);
    return checked(context, { patched, quoted, repeated }, current, options, typeName);
  };
}

/** It is read into the type that the current object has, whatever the patch calls it. */
function keepVersion(patched: KubeObject, current: KubeObject): void {
  if (typeof patched.apiVersion === "string") patched.apiVersion = current.apiVersion!;
  if (typeof patched.kind === "string") patched.kind = current.kind!;
}

/** Upstream hides the reason of a JSON patch that does not fit. */
function rejected(): StatusError {
  const message = "the server rejected our request due to an error in our request";
  const error = genericStatus(422, "Invalid", message);
  error.status.details = {};
  return error;
}

function applied(
  current: KubeObject,
  type: PatchType,
  parsed: unknown,
  typeName: string | undefined,
): KubeObject {
  if (type === "merge") return applyMergePatch(current, parsed as KubeObject) as KubeObject;
  try {
    if (type === "json") {
      return applyJSONPatch(current, parsed as Parameters<typeof applyJSONPatch>[1]) as KubeObject;
    }
    return applyStrategicMergePatch(current, parsed as KubeObject, typeName!) as KubeObject;
  } catch (error) {
    if (error instanceof Error && error.name === "StatusError") throw error;
    if (type === "json") throw rejected();
    if (error instanceof PatchError) throw error.toStatusError();
    throw badRequest(messageOf(error));
  }
}

interface Patched {
  patched: KubeObject;
  /** The patch or what it made, for an error that quotes it. */
  quoted(): string;
  repeated: readonly string[];
}

function sorted<Tree>(tree: Tree): Tree {
  if (Array.isArray(tree)) return tree.map(sorted) as Tree;
  if (typeof tree !== "object" || tree === null) return tree;
  const members = Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, value]) => [name, sorted(value)])) as Tree;
}

const refused = (quoted: string, why: string): StatusError =>
  invalid({ group: "", kind: "" }, "", [invalidValue("patch", quoted, why)]);

/** The patched tree must still be an object of its type. */
function checked(
  context: RestContext,
  { patched, quoted, repeated }: Patched,
  current: KubeObject,
  options: WriteOptions,
  typeName: string | undefined,
): KubeObject {
  const { apiVersion = "", kind = "" } = patched;
  if (typeName !== undefined && typeOf(apiVersion, kind) === undefined) {
    throw refused(quoted(), notRegistered(apiVersion, kind));
  }
  patched.apiVersion = current.apiVersion!;
  patched.kind = current.kind!;
  if (typeName === undefined) {
    const dropped = context.resource.custom?.prune(patched) ?? [];
    const errors = dropped.map((path) => `unknown field ${JSON.stringify(path)}`);
    reportStrict(context, [...repeated, ...errors], quoted, options);
    return patched;
  }
  let decoded: { object: KubeObject; strictErrors: readonly string[] };
  try {
    const strict = { strict: options.fieldValidation !== "Ignore" };
    decoded = decodeTree(patched, typeName, strict);
    // Upstream reads what Go wrote: members by their names.
    if (decoded.strictErrors.length > 1) decoded = decodeTree(sorted(patched), typeName, strict);
  } catch (error) {
    throw refused(quoted(), messageOf(error));
  }
  reportStrict(context, [...repeated, ...decoded.strictErrors], quoted, options);
  decoded.object.apiVersion = current.apiVersion!;
  decoded.object.kind = current.kind!;
  return decoded.object;
}

function reportStrict(
  context: RestContext,
  errors: readonly string[],
  quoted: () => string,
  options: WriteOptions,
): void {
  if (errors.length === 0 || options.fieldValidation === "Ignore") return;
  if (options.fieldValidation === "Warn") {
    for (const error of errors) context.warnings.add(error);
    return;
  }
  throw refused(quoted(), `strict decoding error: ${errors.join(", ")}`);
}
