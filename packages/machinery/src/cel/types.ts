/**
 * CEL's types as the checker sees them, and how error texts write them.
 *
 * Values that a schema describes as an object are of a `struct` type with known fields; everything
 * about which nothing is known is `dyn`. `param` stands for a type that is still to be found.
 *
 * Source  cel-go common/types/types.go, checker/format.go
 */

export type Kind =
  | "any"
  | "bool"
  | "bytes"
  | "double"
  | "duration"
  | "dyn"
  | "error"
  | "int"
  | "list"
  | "map"
  | "null"
  | "opaque"
  | "param"
  | "string"
  | "struct"
  | "timestamp"
  | "type"
  | "uint";

export interface CelType {
  readonly kind: Kind;
  /** As `type(x)` and errors at run time name it. */
  readonly name: string;
  readonly params: readonly CelType[];
  /** Of a struct: its fields by their CEL identifiers. */
  readonly fields?: ReadonlyMap<string, CelType>;
}

const simple = (kind: Kind, name: string = kind): CelType => ({ kind, name, params: [] });

export const boolType = simple("bool");
export const bytesType = simple("bytes");
export const doubleType = simple("double");
export const durationType = simple("duration", "google.protobuf.Duration");
export const dynType = simple("dyn");
export const errorType = simple("error", "error");
export const intType = simple("int");
export const nullType = simple("null", "null_type");
export const stringType = simple("string");
export const timestampType = simple("timestamp", "google.protobuf.Timestamp");
export const uintType = simple("uint");
export const typeType = simple("type");

export const listOf = (element: CelType): CelType => ({
  kind: "list",
  name: "list",
  params: [element],
});
export const mapOf = (key: CelType, value: CelType): CelType => ({
  kind: "map",
  name: "map",
  params: [key, value],
});
export const typeOfType = (type: CelType): CelType => ({
  kind: "type",
  name: "type",
  params: [type],
});
export const param = (name: string): CelType => simple("param", name);
export const opaque = (name: string, ...params: CelType[]): CelType => ({
  kind: "opaque",
  name,
  params,
});
export const optionalOf = (type: CelType): CelType => opaque("optional_type", type);
export const struct = (name: string, fields?: ReadonlyMap<string, CelType>): CelType =>
  fields === undefined
    ? { kind: "struct", name, params: [] }
    : { kind: "struct", name, params: [], fields };

export const isDyn = (type: CelType): boolean => type.kind === "dyn" || type.kind === "any";
export const isDynOrError = (type: CelType): boolean => isDyn(type) || type.kind === "error";
export const isOptional = (type: CelType): boolean =>
  type.kind === "opaque" && type.name === "optional_type";

export function unwrapOptional(type: CelType): { type: CelType; optional: boolean } {
  return isOptional(type) ? { type: type.params[0]!, optional: true } : { type, optional: false };
}

export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.params.length !== b.params.length) return false;
  if (a.name !== b.name) return false;
  return a.params.every((each, i) => sameType(each, b.params[i]!));
}

const shortNames: Partial<Record<Kind, string>> = {
  any: "any",
  duration: "duration",
  error: "!error!",
  null: "null",
  timestamp: "timestamp",
};

/** As compile errors write it: `list(string)`, `map(string, int)`, `kubernetes.URL`. */
export function typeText(type: CelType): string {
  const short = shortNames[type.kind];
  if (short !== undefined) return short;
  if (type.kind === "param" || type.params.length === 0) return type.name;
  return `${type.name}(${type.params.map(typeText).join(", ")})`;
}

const named = new Map<string, CelType>(
  [
    boolType,
    bytesType,
    doubleType,
    durationType,
    dynType,
    intType,
    nullType,
    stringType,
    timestampType,
    uintType,
  ].map((type) => [type.name, type]),
);

/** Those that upstream declares as opaque; every other dotted name is a struct. */
const opaqueNames = new Set(["net.IP", "net.CIDR"]);

/** Reads the form in which the function table writes types: `list(<A>)`, `map(string, dyn)`. */
export function parseType(text: string): CelType {
  const known = named.get(text);
  if (known !== undefined) return known;
  if (text.startsWith("<")) return param(text.slice(1, -1));
  const open = text.indexOf("(");
  if (open < 0) return opaqueNames.has(text) ? opaque(text) : struct(text);
  const name = text.slice(0, open);
  const params = splitParams(text.slice(open + 1, -1)).map(parseType);
  if (name === "list") return listOf(params[0]!);
  if (name === "map") return mapOf(params[0]!, params[1]!);
  if (name === "type") return typeOfType(params[0]!);
  return opaque(name, ...params);
}

function splitParams(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")") depth--;
    else if (text[i] === "," && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}
