/**
 * A request's body as a tree of the resource's kind: format, strictness, version and kind checked.
 *
 * Errors  400 with the decoder's text; 415 for an unknown format
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update,rest}.go
 */
import { typeOf } from "@nanokube/api";
import {
  badRequest,
  decodeEnvelope,
  decodeJSON,
  decodeProtobuf,
  duplicateFields,
  invalid,
  invalidValue,
  isPlainObject,
  type KubeObject,
  parseJSON,
  parseYAML,
  repeatedKeys,
  type StatusError,
  YAMLError,
} from "@nanokube/machinery";
import { UnfitMeta } from "../crd/embedded-decode.ts";
import { negotiateInput, type WireFormat } from "../wire/negotiation.ts";
import type { RestContext } from "./context.ts";

const decoder = new TextDecoder();

export interface Expected {
  /** "v1", "apps/v1". */
  apiVersion: string;
  kind: string;
  /** Absent for custom resources: then nothing is checked against a type. */
  typeName: string | undefined;
}

/** What the main resource takes. */
export function expectedOf(context: RestContext): Expected {
  const { resource } = context;
  return {
    apiVersion: resource.apiVersion,
    kind: resource.info.kind,
    typeName: resource.typeName,
  };
}

export async function decodeBody(
  context: RestContext,
  expected: Expected,
  fieldValidation: "Strict" | "Warn" | "Ignore",
): Promise<KubeObject> {
  const { request, resource } = context;
  const format = negotiateInput(request.headers["content-type"], resource.custom !== undefined);
  const body = await request.body();
  if (format === "protobuf") return decodeProtobufBody(body, expected);
  return decodeText(context, decoder.decode(body), format, expected, fieldValidation);
}

function decodeProtobufBody(body: Uint8Array, expected: Expected): KubeObject {
  let envelope: ReturnType<typeof decodeEnvelope>;
  try {
    envelope = decodeEnvelope(body);
  } catch (error) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): ${messageOf(error)} (${summary(body)})`,
    );
  }
  const { apiVersion, kind, raw } = envelope;
  checkVersion(apiVersion, kind, expected);
  try {
    return { ...decodeProtobuf(expected.typeName!, raw), apiVersion, kind } as KubeObject;
  } catch (error) {
    throw badRequest(handledAs(apiVersion, kind, expected, messageOf(error)));
  }
}

export function decodeText(
  context: RestContext,
  text: string,
  format: WireFormat,
  expected: Expected,
  fieldValidation: "Strict" | "Warn" | "Ignore",
): KubeObject {
  let json = text;
  let seen: unknown;
  try {
    if (format === "yaml") json = JSON.stringify(parseYAML(text) ?? null);
    seen = parseJSON(json);
  } catch (error) {
    // YAML is made JSON before anybody looks for a version.
    const where = error instanceof YAMLError ? "" : "couldn't get version/kind; json parse error: ";
    throw unrecognized(expected, `${where}${messageOf(error)}`, text);
  }
  // Go makes an empty object of null.
  if (seen === null) {
    json = "{}";
    seen = {};
  }
  if (!isPlainObject(seen)) {
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${goTypeOf(seen)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
    throw unrecognized(expected, why, text);
  }
  const apiVersion = typeof seen.apiVersion === "string" ? seen.apiVersion : "";
  const kind = typeof seen.kind === "string" ? seen.kind : "";
  for (const member of ["apiVersion", "kind"]) {
    const value = seen[member];
    if (value === undefined || value === null || typeof value === "string") continue;
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${goTypeOf(value)} into Go struct field .${member} of type string`;
    throw unrecognized(expected, why, text);
  }
  const name = (seen.metadata as { name?: unknown } | undefined)?.name;
  checkVersion(apiVersion, kind, expected, typeof name === "string" ? name : "");
  const isStrict = fieldValidation !== "Ignore";
  const repeated = isStrict && format === "yaml" ? (repeatedKeys(text) ?? []) : [];
  if (expected.typeName === undefined) {
    const twice = isStrict && format !== "yaml" ? duplicateFields(text, seen) : [];
    return decodeCustom(context, seen, expected, fieldValidation, [repeated, twice].flat());
  }
  let decoded: { object: KubeObject; strictErrors: readonly string[] };
  try {
    decoded = decodeJSON(json, expected.typeName, { strict: isStrict });
  } catch (error) {
    throw badRequest(handledAs(apiVersion, kind, expected, messageOf(error)));
  }
  const strictErrors = [repeated, decoded.strictErrors].flat();
  reportStrict(context, strictErrors, expected, fieldValidation);
  decoded.object.apiVersion = expected.apiVersion;
  decoded.object.kind = expected.kind;
  return decoded.object;
}

function decodeCustom(
  context: RestContext,
  seen: Record<string, unknown>,
  expected: Expected,
  fieldValidation: "Strict" | "Warn" | "Ignore",
  repeated: readonly string[],
): KubeObject {
  const object = seen as KubeObject;
  object.apiVersion = expected.apiVersion;
  object.kind = expected.kind;
  let dropped: string[];
  try {
    dropped = context.resource.custom?.prune(object) ?? [];
  } catch (error) {
    if (!(error instanceof UnfitMeta)) throw error;
    throw badRequest(handledAs(expected.apiVersion, expected.kind, expected, error.message));
  }
  if (fieldValidation !== "Ignore") {
    const errors = dropped.map((path) => `unknown field ${JSON.stringify(path)}`);
    reportStrict(context, [...repeated, ...errors], expected, fieldValidation);
  }
  return object;
}

/** What the YAML reader says in several lines is a warning each, without its heading. */
export function addStrictWarnings(context: RestContext, errors: readonly string[]): void {
  for (const error of errors) {
    const lines = error.includes("yaml: unmarshal errors:") ? error.split("\n").slice(1) : [error];
    for (const line of lines) context.warnings.add(line.trim());
  }
}

function reportStrict(
  context: RestContext,
  errors: readonly string[],
  expected: Expected,
  fieldValidation: "Strict" | "Warn" | "Ignore",
): void {
  if (errors.length === 0 || fieldValidation === "Ignore") return;
  if (fieldValidation === "Warn") {
    addStrictWarnings(context, errors);
    return;
  }
  const text = `strict decoding error: ${errors.join(", ")}`;
  throw badRequest(handledAs(expected.apiVersion, expected.kind, expected, text));
}

function handledAs(apiVersion: string, kind: string, expected: Expected, why: string): string {
  const version = (apiVersion || expected.apiVersion).split("/").at(-1)!;
  return `${kind || expected.kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: ${why}`;
}

function checkVersion(apiVersion: string, kind: string, expected: Expected, name = ""): void {
  const sameKind = kind === "" || kind === expected.kind;
  const sameVersion = apiVersion === "" || apiVersion === expected.apiVersion;
  if (sameKind && sameVersion) return;
  const given = apiVersion || expected.apiVersion;
  const givenKind = kind || expected.kind;
  if (expected.typeName !== undefined && typeOf(given, givenKind) === undefined) {
    throw badRequest(handledAs(given, givenKind, expected, notRegistered(given, givenKind)));
  }
  if (!sameKind && sameVersion && expected.typeName === undefined) {
    const group = expected.apiVersion.split("/")[0]!;
    const why = `must be ${expected.kind}`;
    throw invalid({ group, kind: expected.kind }, name, [invalidValue("kind", kind, why)]);
  }
  if (sameKind || expected.typeName === undefined) {
    throw badRequest(
      `the API version in the data (${given}) does not match the expected API version (${expected.apiVersion})`,
    );
  }
  const why = `converting (${goName(given)}.${givenKind}) to (${internalName(expected)}.${expected.kind}): unknown conversion`;
  throw badRequest(handledAs(given, givenKind, expected, why));
}

export function notRegistered(apiVersion: string, kind: string): string {
  return `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`;
}

/**
 * Go's package of a version is called like the version, that of the internal types like the group.
 */
function goName(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf("/") + 1);
}

function internalName({ apiVersion }: Expected): string {
  return apiVersion.includes("/") ? apiVersion.split("/")[0]!.split(".")[0]! : "core";
}

function unrecognized(expected: Expected, why: string, text: string): StatusError {
  return badRequest(
    `the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${summary(text)})`,
  );
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return value === null ? "null" : typeof value;
}

/**
 * The first bytes of a body that made no sense: as they are when it looks like JSON, else in hex.
 */
function summary(body: string | Uint8Array): string {
  const maxLength = 30;
  const text = typeof body === "string" ? body : decoder.decode(body);
  if (text === "") return "<empty>";
  if (text.startsWith("{")) {
    return text.length > maxLength ? `${text.slice(0, maxLength)} ...` : text;
  }
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const hex = [...bytes.subarray(0, maxLength)].map((byte) => byte.toString(16).padStart(2, "0"));
  return bytes.length > maxLength ? `${hex.join("")} ...` : hex.join("");
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
