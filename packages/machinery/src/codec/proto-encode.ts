/**
 * Objects to protobuf, byte for byte as upstream's generated code: fields by ascending number,
 * those that are no pointer always, map entries by sorted key, repeated numbers unpacked.
 *
 * Compiled once a type: a list of small closures that write backwards.
 *
 * Source  k8s.io/api and apimachinery generated.pb.go (MarshalToSizedBuffer),
 *         api/resource/generated.proto,
 *         apis/meta/v1/time_proto.go, apiextensions v1 generated.proto
 */

import { marshalGo } from "../go-text.ts";
import { ProtoWriter } from "./proto-writer.ts";
import { canonicalQuantity } from "./quantity-text.ts";
import { type ProtoField, type Shape, structOf } from "./shape.ts";
import { timeToProto } from "./times.ts";

/** Writes one field, tag included, or nothing. The value is the member's, undefined when absent. */
type WriteField = (writer: ProtoWriter, value: unknown) => void;
/** Writes the fields of a message, from the last to the first. */
type WriteMessage = (writer: ProtoWriter, object: Record<string, unknown>) => void;

type Tree = Record<string, unknown>;

const writer = new ProtoWriter();
const textEncoder = new TextEncoder();
const messages = new Map<string, WriteMessage>();

const emptyObject: Tree = Object.freeze({});

/** The message of an object of the type, without an envelope. */
export function encodeProtobuf(typeName: string, object: object): Uint8Array {
  writer.reset();
  messageWriter(typeName)(writer, object as Tree);
  return writer.take();
}

/** The same into a writer that holds what follows already (the envelope). */
export function writeMessage(into: ProtoWriter, typeName: string, object: object): void {
  messageWriter(typeName)(into, object as Tree);
}

function messageWriter(typeName: string): WriteMessage {
  let write = messages.get(typeName);
  if (write === undefined) {
    write = compileMessage(typeName);
    messages.set(typeName, write);
  }
  return write;
}

function compileMessage(typeName: string): WriteMessage {
  const struct = structOf(typeName);
  const fields = [...struct.protoFields].reverse().map((field) => {
    const write = fieldWriter(field);
    return { name: field.inline ? undefined : struct.members[field.ordinal]!.name, write };
  });
  return (into, object) => {
    for (const { name, write } of fields) write(into, name === undefined ? object : object[name]);
  };
}

const lengthDelimited = 2;

/** The tag, ready to be written backwards. */
function tagWriter(num: number, wireType: number): (into: ProtoWriter) => void {
  const tag = num * 8 + wireType;
  if (tag < 0x80) return (into) => into.byte(tag);
  return (into) => into.varint(tag);
}

function fieldWriter(field: ProtoField): WriteField {
  const { shape, num, ptr } = field;
  switch (shape.kind) {
    case "list":
      if (shape.message !== undefined) return namedList(num, shape.item);
      return repeated(num, shape.item);
    case "map":
      return mapEntries(num, shape.value);
    case "bytes":
      return whenPresent(single(num, shape));
    default:
      return ptr ? whenPresent(single(num, shape)) : single(num, shape);
  }
}

function whenPresent(write: WriteField): WriteField {
  return (into, value) => {
    if (value !== undefined && value !== null) write(into, value);
  };
}

/** One value with its tag; an absent one is written as Go's zero. */
function single(num: number, shape: Shape): WriteField {
  const wireType = wireTypeOf(shape);
  const tag = tagWriter(num, wireType);
  const write = valueWriter(shape);
  if (wireType !== lengthDelimited || shape.kind === "string" || shape.kind === "bytes") {
    return (into, value) => {
      write(into, value);
      tag(into);
    };
  }
  return (into, value) => {
    const before = into.length;
    write(into, value);
    into.varint(into.length - before);
    tag(into);
  };
}

function repeated(num: number, item: Shape): WriteField {
  const write = item.kind === "list" ? namedList(num, item.item) : single(num, item);
  return (into, value) => {
    if (!Array.isArray(value)) return;
    for (let i = value.length - 1; i >= 0; i--) write(into, value[i]);
  };
}

/** A list that is a message of its own: {items = 1}. */
function namedList(num: number, item: Shape): WriteField {
  const tag = tagWriter(num, lengthDelimited);
  const items = repeated(1, item);
  return whenPresent((into, value) => {
    const before = into.length;
    items(into, value);
    into.varint(into.length - before);
    tag(into);
  });
}

function mapEntries(num: number, shape: Shape): WriteField {
  const tag = tagWriter(num, lengthDelimited);
  const value = shape.kind === "list" ? namedListAlways(shape.item) : single(2, shape);
  return (into, entries) => {
    if (typeof entries !== "object" || entries === null) return;
    const keys = Object.keys(entries);
    const isSorted = keys.every((key, i) => i === 0 || byCodePoint(keys[i - 1]!, key) < 0);
    if (!isSorted) keys.sort(byCodePoint);
    for (let i = keys.length - 1; i >= 0; i--) {
      const before = into.length;
      value(into, (entries as Tree)[keys[i]!]);
      into.string(keys[i]!);
      into.byte(0x0a);
      into.varint(into.length - before);
      tag(into);
    }
  };
}

/** The value of a map entry that is a named list: there also when it is empty. */
function namedListAlways(item: Shape): WriteField {
  const write = namedList(2, item);
  return (into, value) => write(into, value ?? []);
}

/** Go sorts strings by bytes, which is by code point; UTF-16 differs beyond the surrogates. */
function byCodePoint(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const left = a.codePointAt(i)!;
    const right = b.codePointAt(i)!;
    if (left !== right) return left - right;
  }
  return a.length - b.length;
}

function wireTypeOf(shape: Shape): number {
  switch (shape.kind) {
    case "bool":
    case "int32":
    case "int64":
    case "uint32":
    case "uint64":
      return 0;
    case "float64":
      return 1;
    default:
      return lengthDelimited;
  }
}

/** What comes after tag and length; strings and bytes write their length themselves. */
function valueWriter(shape: Shape): WriteField {
  switch (shape.kind) {
    case "string":
      return (into, v) => into.string(typeof v === "string" ? v : "");
    case "bool":
      return (into, v) => into.byte(v === true ? 1 : 0);
    case "int32":
    case "int64":
    case "uint32":
    case "uint64":
      return (into, v) => into.varint(typeof v === "number" ? v : 0);
    case "float64":
      return (into, v) => into.double(typeof v === "number" ? v : 0);
    case "bytes":
      return writeBytes;
    case "quantity":
      return writeQuantity;
    case "time":
      return (into, v) => writeTime(into, v, false);
    case "microTime":
      return (into, v) => writeTime(into, v, true);
    case "intOrString":
      return writeIntOrString;
    case "raw":
    case "fieldsV1":
    case "json":
      return writeRaw;
    case "struct":
      return structWriter(shape.name);
    case "schemaOrArray":
    case "schemaOrBool":
    case "schemaOrStrings":
      return specialWriter(shape.kind, shape.name);
    default:
      throw new TypeError(`no protobuf value of kind ${shape.kind}`);
  }
}

function structWriter(name: string): WriteField {
  let write: WriteMessage | undefined;
  return (into, value) => {
    write ??= messageWriter(name);
    write(into, typeof value === "object" && value !== null ? (value as Tree) : emptyObject);
  };
}

function writeBytes(into: ProtoWriter, value: unknown): void {
  const data = Uint8Array.from(atob(String(value)), (char) => char.charCodeAt(0));
  into.bytes(data);
  into.varint(data.length);
}

function writeQuantity(into: ProtoWriter, value: unknown): void {
  const given = typeof value === "string" || typeof value === "number";
  into.string(given ? canonicalQuantity(String(value)) : "0");
  into.byte(0x0a);
}

function writeTime(into: ProtoWriter, value: unknown, micros: boolean): void {
  if (typeof value !== "string") return;
  const timestamp = timeToProto(value, micros);
  if (timestamp === undefined) return;
  into.varint(timestamp.nanos);
  into.byte(0x10);
  into.varint(timestamp.seconds);
  into.byte(0x08);
}

function writeIntOrString(into: ProtoWriter, value: unknown): void {
  const isString = typeof value === "string";
  into.string(isString ? value : "");
  into.byte(0x1a);
  into.varint(typeof value === "number" ? value : 0);
  into.byte(0x10);
  into.byte(isString ? 1 : 0);
  into.byte(0x08);
}

/** RawExtension, FieldsV1 and JSON: a message whose field 1 holds the JSON text, as Go writes it. */
function writeRaw(into: ProtoWriter, value: unknown): void {
  if (value === undefined || value === null) return;
  const data = textEncoder.encode(marshalGo(value));
  into.bytes(data);
  into.varint(data.length);
  into.byte(0x0a);
}

/** A JSON schema or something else: field 1 and 2 say which. */
function specialWriter(kind: string, name: string): WriteField {
  const schemaType = `${name.slice(0, name.lastIndexOf(".") + 1)}JSONSchemaProps`;
  const schema: Shape = { kind: "struct", name: schemaType };
  if (kind === "schemaOrBool") {
    const flag = single(1, { kind: "bool" });
    const asSchema = single(2, schema);
    return (into, value) => {
      const isSchema = typeof value === "object" && value !== null;
      if (isSchema) asSchema(into, value);
      flag(into, isSchema || value === true);
    };
  }
  const asSchema = single(1, schema);
  const list = repeated(2, kind === "schemaOrArray" ? schema : { kind: "string" });
  return (into, value) => {
    if (Array.isArray(value)) list(into, value);
    else if (typeof value === "object" && value !== null) asSchema(into, value);
  };
}
