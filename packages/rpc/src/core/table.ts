/**
 * The fact tables of messages: one short text per message, read once, when it is first used.
 *
 * Grammar  facts  = field *(" " field)        e.g. `key:1:bytes kvs:2:*.mvccpb.KeyValue`
 *          field  = name ":" number ":" type ["=" oneof]
 *          type   = kind          proto3 singular: absent on the wire is the zero value
 *                 | "*" kind      repeated
 *                 | "?" kind      `optional`: absent is undefined
 *                 | "%" kind "," kind        map
 *          kind   = bool | string | bytes | double | float | int32 | … | int64 |
 *                 int64! | "." message
 *          A trailing "!" says that the 64 bits are an identity: bigint; else a number.
 * Source   protobuf language guide (proto3), encoding guide
 */

export type ScalarKind =
  | "bool"
  | "string"
  | "bytes"
  | "double"
  | "float"
  | "int32"
  | "uint32"
  | "sint32"
  | "fixed32"
  | "sfixed32"
  | "int64"
  | "uint64"
  | "sint64"
  | "fixed64"
  | "sfixed64"
  | "int64!"
  | "uint64!";

export interface FieldKind {
  readonly scalar?: ScalarKind;
  /** Full name of the message, when the field is one. */
  readonly message?: string;
}

export interface FieldFact {
  readonly name: string;
  readonly number: number;
  readonly shape: "singular" | "repeated" | "optional" | "map";
  readonly value: FieldKind;
  readonly key?: FieldKind;
  readonly oneof?: string;
}

export function parseFacts(facts: string): FieldFact[] {
  if (facts === "") return [];
  return facts.split(" ").map(parseField);
}

function parseField(text: string): FieldFact {
  const [name, number, rest] = text.split(":") as [string, string, string];
  const [type, oneof] = rest.split("=") as [string, string | undefined];
  const fact = { name, number: Number(number), ...(oneof === undefined ? {} : { oneof }) };
  switch (type[0]) {
    case "*":
      return { ...fact, shape: "repeated", value: parseKind(type.slice(1)) };
    case "?":
      return { ...fact, shape: "optional", value: parseKind(type.slice(1)) };
    case "%": {
      const comma = type.indexOf(",");
      const key = parseKind(type.slice(1, comma));
      return { ...fact, shape: "map", key, value: parseKind(type.slice(comma + 1)) };
    }
    default: {
      const value = parseKind(type);
      const optional = oneof !== undefined || value.message !== undefined;
      return { ...fact, shape: optional ? "optional" : "singular", value };
    }
  }
}

function parseKind(text: string): FieldKind {
  return text[0] === "." ? { message: text.slice(1) } : { scalar: text as ScalarKind };
}
