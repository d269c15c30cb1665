/**
 * JSON in and out of typed objects, as kube-apiserver reads and writes it.
 *
 * Shapes  decodeJSON(text, type, {strict})  the canonical tree, and what a strict reader objects to
 *         encodeJSON(type, object)          the very text upstream would serve, without the
 *                                           final newline
 *         without a type (a custom resource) the tree is the text's own
 * Errors  DecodeError  in upstream's words, ready for "… cannot be handled as a …: "
 * Source  k8s.io/apimachinery/pkg/runtime/serializer/json/json.go, sigs.k8s.io/json
 */
import { marshalGo } from "../go-text.ts";
import { isPlainObject } from "../json-tree.ts";
import type { KubeObject } from "../object.ts";
import { canonicalize, structConverter, type Walk } from "./canonical.ts";
import { diagnose } from "./json-diagnose.ts";
import { JSONSyntaxError, parseJSONSyntax } from "./json-syntax.ts";
import { goTypeName } from "./shape.ts";

export class DecodeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DecodeError";
  }
}

export interface DecodeOptions {
  /** Look for unknown and duplicate fields. */
  strict?: boolean;
  /** The tree that parseJSON made of the text, when the caller has it already. */
  parsed?: unknown;
}

export interface Decoded<T> {
  object: T;
  /** `unknown field "spec.foo"`, `duplicate field "spec.replicas"`; empty unless strict. */
  strictErrors: string[];
}

const maxDepthText = "exceeded max depth";

/** JSON.parse with Go's words. @throws DecodeError */
export function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw new DecodeError(maxDepthText);
  }
  try {
    parseJSONSyntax(text);
  } catch (error) {
    if (error instanceof JSONSyntaxError) throw new DecodeError(error.message);
    throw new DecodeError(maxDepthText);
  }
  throw new DecodeError("invalid JSON");
}

/** @throws DecodeError */
export function decodeJSON<T extends object = KubeObject>(
  text: string,
  typeName: string | undefined,
  options: DecodeOptions = {},
): Decoded<T> {
  const parsed = options.parsed ?? parseJSON(text);
  try {
    return decode<T>(text, parsed, typeName, options.strict ?? false);
  } catch (error) {
    if (error instanceof RangeError) throw new DecodeError(maxDepthText);
    throw error;
  }
}

/** What decodeJSON makes of the text of a tree, without writing that text. @throws DecodeError */
export function decodeTree<T extends object = KubeObject>(
  tree: object,
  typeName: string,
  { strict = false }: Pick<DecodeOptions, "strict"> = {},
): Decoded<T> {
  const walk: Walk = { strict, bad: false, unknown: false, members: 0 };
  const object = structConverter(typeName)(tree, walk) as T;
  if (!walk.bad && !walk.unknown) return { object, strictErrors: [] };
  return decodeJSON(JSON.stringify(tree), typeName, { strict });
}

function decode<T>(
  text: string,
  parsed: unknown,
  typeName: string | undefined,
  strict: boolean,
): Decoded<T> {
  if (typeName === undefined) {
    if (!isPlainObject(parsed)) throw mismatch(text, undefined);
    return { object: parsed as T, strictErrors: strict ? duplicateFields(text, parsed) : [] };
  }
  const walk: Walk = { strict, bad: false, unknown: false, members: 0 };
  const object = structConverter(typeName)(parsed ?? {}, walk) as T;
  if (walk.bad) throw mismatch(text, typeName);
  if (!strict || (!walk.unknown && walk.members === countMembersOf(text))) {
    return { object, strictErrors: [] };
  }
  return { object, strictErrors: diagnose(parseJSONSyntax(text), typeName).strictErrors };
}

function mismatch(text: string, typeName: string | undefined): DecodeError {
  const node = parseJSONSyntax(text);
  if (typeName === undefined) {
    return new DecodeError(
      `json: cannot unmarshal ${node.kind} into Go value of type map[string]interface {}`,
    );
  }
  const { error } = diagnose(node, typeName);
  const type = goTypeName({ kind: "struct", name: typeName });
  return new DecodeError(
    error ?? `json: cannot unmarshal ${node.kind} into Go value of type ${type}`,
  );
}

/** `duplicate field "spec.foo"` of a text without a type; `parsed` is the tree made of it. */
export function duplicateFields(text: string, parsed: unknown): string[] {
  try {
    if (countMembers(parsed) === countMembersOf(text)) return [];
    return diagnose(parseJSONSyntax(text), undefined).strictErrors;
  } catch (error) {
    if (error instanceof RangeError) throw new DecodeError(maxDepthText);
    throw error;
  }
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const members = Object.values(value);
  let count = Array.isArray(value) ? 0 : members.length;
  for (const member of members) count += countMembers(member);
  return count;
}

/**
 * How many object members a JSON text has: quotes before a colon, less the escaped ones. Off
 * when there is space before a colon, which then only costs the slow look.
 */
function countMembersOf(text: string): number {
  if (/"\s+:/.test(text)) return -1;
  let count = 0;
  for (let at = text.indexOf('":'); at >= 0; at = text.indexOf('":', at + 2)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === 92) backslashes++;
    if (backslashes % 2 === 0) count++;
  }
  return count;
}

/** Canonical text of an object; give `undefined` for one without a type. */
export function encodeJSON(typeName: string | undefined, object: object): string {
  return marshalGo(typeName === undefined ? object : canonicalize(typeName, object));
}

/** The text of a tree that is canonical already (as decoding gives it). */
export function encodeCanonicalJSON(object: object): string {
  return marshalGo(object);
}
