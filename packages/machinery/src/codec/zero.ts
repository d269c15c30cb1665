/**
 * Go's zero values as JSON shows them: what a member is when nobody set it.
 *
 * Shapes  zeroOf(member)  undefined when JSON leaves it out, else its value ({}, null, "", 0,
 *                         "0"), fresh each time
 */
import { type Member, type Shape, structOf } from "./shape.ts";

/** What a value of the shape is before anything is set, as JSON writes it. */
export function zeroValue(shape: Shape): unknown {
  switch (shape.kind) {
    case "string":
      return "";
    case "bool":
      return false;
    case "int32":
    case "int64":
    case "uint32":
    case "uint64":
    case "float64":
    case "intOrString":
      return 0;
    case "quantity":
      return "0";
    case "struct":
      return zeroStruct(shape.name);
    case "schemaOrBool":
      return false;
    default:
      return null;
  }
}

export function zeroStruct(name: string): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const member of structOf(name).members) {
    const value = zeroOf(member);
    if (value !== undefined) object[member.name] = value;
  }
  return object;
}

/** Go's omitempty never drops a struct; these are structs that print as scalars. */
const structLike: ReadonlySet<string> = new Set([
  "struct",
  "quantity",
  "time",
  "microTime",
  "intOrString",
  "raw",
  "fieldsV1",
  "json",
  "schemaOrArray",
  "schemaOrBool",
  "schemaOrStrings",
]);

export function isStructLike(shape: Shape): boolean {
  return structLike.has(shape.kind);
}

/** The value of an absent member; undefined when it stays absent. */
export function zeroOf(member: Member): unknown {
  if (member.omitZero) return undefined;
  if (member.opt && (member.ptr || !isStructLike(member.shape))) return undefined;
  return member.ptr ? null : zeroValue(member.shape);
}
