/**
 * Protobuf to objects: the canonical tree, the same that the JSON of the object decodes to.
 *
 * Unknown fields are skipped, as upstream does. Of a field that comes twice the last one counts
 * (upstream merges messages, which its own writer never makes anyone do).
 *
 * Errors  ProtobufError  truncated or malformed bytes, in the words of upstream's generated code
 * Source  generated.pb.go (Unmarshal) of k8s.io/api and apimachinery
 */
import { typeOf } from "@nanokube/api";
import { setMember } from "../json-tree.ts";
import type { KubeObject } from "../object.ts";
import { isEnvelope, readEnvelope } from "./envelope-bytes.ts";
import { ProtobufError, ProtoReader } from "./proto-reader.ts";
import { type Member, type ProtoField, type Shape, type Struct, structOf } from "./shape.ts";
import { microTimeFromProto, timeFromProto } from "./times.ts";
import { isStructLike, zeroOf, zeroValue } from "./zero.ts";

type Slots = unknown[];
/** Reads one occurrence of a field into its slot. */
type ReadField = (reader: ProtoReader, slots: Slots, wireType: number) => void;

interface Message {
  readonly struct: Struct;
  readonly readers: readonly (ReadField | undefined)[];
  readonly finish: readonly Finish[];
}

interface Finish {
  readonly name: string;
  readonly absent: (() => unknown) | undefined;
  readonly dropEmpty: boolean;
  readonly omitNull: boolean;
}

const messages = new Map<string, Message>();
const utf8 = new TextDecoder();

/** Decodes a message without an envelope. @throws ProtobufError */
export function decodeProtobuf<T extends object = Record<string, unknown>>(
  typeName: string,
  bytes: Uint8Array,
): T {
  return readWhole(typeName, bytes) as T;
}

/**
 * Decodes an object in its envelope; kind and apiVersion stand first in the tree. @throws
 * ProtobufError
 */
export function decodeObject<T extends object = KubeObject>(bytes: Uint8Array): T {
  const { apiVersion, kind, raw } = readEnvelope(bytes);
  const type = typeOf(apiVersion, kind);
  if (type === undefined) {
    throw new ProtobufError(`no kind "${kind}" is registered for version "${apiVersion}"`);
  }
  const object = readWhole(type, raw);
  return { kind, apiVersion, ...object } as unknown as T;
}

/** Messages within messages without end are refused, not left to overflow the stack. */
function readWhole(typeName: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    return readObject(messageOf(typeName), new ProtoReader(bytes));
  } catch (error) {
    if (error instanceof RangeError) throw new ProtobufError("exceeded max depth");
    throw error;
  }
}

function messageOf(typeName: string): Message {
  let message = messages.get(typeName);
  if (message === undefined) {
    message = compileMessage(typeName);
    messages.set(typeName, message);
  }
  return message;
}

function compileMessage(typeName: string): Message {
  const struct = structOf(typeName);
  const readers: (ReadField | undefined)[] = [];
  for (const field of struct.protoFields) readers[field.num] = fieldReader(field);
  return { struct, readers, finish: struct.members.map(finisherOf) };
}

function finisherOf(member: Member): Finish {
  const sample = zeroOf(member);
  const fresh = () => (member.ptr ? null : zeroValue(member.shape));
  let absent: (() => unknown) | undefined;
  if (sample !== undefined) {
    absent = typeof sample === "object" && sample !== null ? fresh : () => sample;
  }
  return {
    name: member.name,
    absent,
    dropEmpty: member.opt && !member.ptr && !isStructLike(member.shape),
    omitNull: member.omitZero || (member.opt && member.ptr),
  };
}

function readObject(message: Message, reader: ProtoReader): Record<string, unknown> {
  const slots: Slots = new Array(message.finish.length).fill(undefined);
  readInto(message, reader, slots);
  const out: Record<string, unknown> = {};
  for (let i = 0; i < slots.length; i++) {
    const finish = message.finish[i]!;
    const value = slots[i];
    if (value === undefined || (value === null && finish.omitNull)) {
      if (finish.absent !== undefined) out[finish.name] = finish.absent();
    } else if (!finish.dropEmpty || (value !== "" && value !== 0 && value !== false)) {
      out[finish.name] = value;
    }
  }
  return out;
}

function readInto(message: Message, reader: ProtoReader, slots: Slots): void {
  while (!reader.atEnd) {
    const tag = reader.varint32();
    const num = tag >>> 3;
    const wireType = tag & 7;
    if (num === 0) throw new ProtobufError(`proto: ${message.struct.name}: illegal tag 0`);
    const read = message.readers[num];
    if (read === undefined) reader.skip(wireType);
    else read(reader, slots, wireType);
  }
}

function fieldReader(field: ProtoField): ReadField {
  const { shape, ordinal } = field;
  if (field.inline && shape.kind === "struct") return inlineReader(shape.name, ordinal);
  if (shape.kind === "list" && shape.message === undefined) return listReader(shape.item, ordinal);
  if (shape.kind === "map") return mapReader(shape.value, ordinal);
  const read = valueReader(shape);
  return (reader, slots) => {
    slots[ordinal] = read(reader);
  };
}

/** An embedded struct: a message on the wire, the parent's own members in JSON. */
function inlineReader(name: string, ordinal: number): ReadField {
  let inner: Message | undefined;
  return (reader, slots) => {
    inner ??= messageOf(name);
    const own: Slots = new Array(inner.finish.length).fill(undefined);
    readInto(inner, reader.message(), own);
    for (let i = 0; i < own.length; i++) slots[ordinal + i] = own[i];
  };
}

const packable: ReadonlySet<string> = new Set(["bool", "int32", "int64", "uint32", "uint64"]);

function listReader(item: Shape, ordinal: number): ReadField {
  const read = valueReader(item);
  return (reader, slots, wireType) => {
    slots[ordinal] ??= [];
    const list = slots[ordinal] as unknown[];
    if (wireType === 2 && packable.has(item.kind)) {
      const packed = reader.message();
      while (!packed.atEnd) list.push(read(packed));
    } else {
      list.push(read(reader));
    }
  };
}

function mapReader(shape: Shape, ordinal: number): ReadField {
  const read = valueReader(shape);
  return (reader, slots) => {
    slots[ordinal] ??= {};
    const map = slots[ordinal] as Record<string, unknown>;
    const entry = reader.message();
    let key = "";
    let value: unknown;
    while (!entry.atEnd) {
      const tag = entry.varint32();
      if (tag >>> 3 === 1) key = entry.string();
      else if (tag >>> 3 === 2) value = read(entry);
      else entry.skip(tag & 7);
    }
    setMember(map, key, value === undefined ? zeroValue(shape) : value);
  };
}

type ReadValue = (reader: ProtoReader) => unknown;

function valueReader(shape: Shape): ReadValue {
  switch (shape.kind) {
    case "string":
      return (reader) => reader.string();
    case "bool":
      return (reader) => reader.varint32() !== 0;
    case "int32":
      return (reader) => reader.varint32() | 0;
    case "uint32":
      return (reader) => reader.varint32();
    case "int64":
      return (reader) => reader.int64();
    case "uint64":
      return (reader) => reader.uint64();
    case "float64":
      return (reader) => reader.double();
    case "bytes":
      return (reader) => toBase64(reader.bytes());
    case "quantity":
      return (reader) => readQuantity(reader.message());
    case "time":
      return (reader) => readTime(reader.message(), false);
    case "microTime":
      return (reader) => readTime(reader.message(), true);
    case "intOrString":
      return (reader) => readIntOrString(reader.message());
    case "raw":
    case "fieldsV1":
    case "json":
      return (reader) => readRaw(reader.message());
    case "struct":
      return structReader(shape.name);
    case "list":
      return namedListReader(shape.item);
    case "schemaOrArray":
    case "schemaOrBool":
    case "schemaOrStrings":
      return specialReader(shape.kind, shape.name);
    default:
      throw new TypeError(`no protobuf value of kind ${shape.kind}`);
  }
}

function structReader(name: string): ReadValue {
  let message: Message | undefined;
  return (reader) => {
    message ??= messageOf(name);
    return readObject(message, reader.message());
  };
}

function namedListReader(item: Shape): ReadValue {
  const read = listReader(item, 0);
  return (reader) => {
    const slots: Slots = [[]];
    const list = reader.message();
    while (!list.atEnd) {
      const tag = list.varint32();
      if (tag >>> 3 === 1) read(list, slots, tag & 7);
      else list.skip(tag & 7);
    }
    return slots[0];
  };
}

/** Calls `visit` with each field of a small message; what it does not read is skipped. */
function eachField(reader: ProtoReader, visit: (num: number) => boolean): void {
  while (!reader.atEnd) {
    const tag = reader.varint32();
    if (!visit(tag >>> 3)) reader.skip(tag & 7);
  }
}

function readQuantity(reader: ProtoReader): string {
  let text = "0";
  eachField(reader, (num) => {
    if (num !== 1) return false;
    text = reader.string();
    return true;
  });
  return text === "" ? "0" : text;
}

function readTime(reader: ProtoReader, micros: boolean): string | null {
  if (reader.atEnd) return null;
  let seconds = 0;
  let nanos = 0;
  eachField(reader, (num) => {
    if (num === 1) seconds = reader.int64();
    else if (num === 2) nanos = reader.varint32() | 0;
    else return false;
    return true;
  });
  return micros ? microTimeFromProto(seconds, nanos) : timeFromProto(seconds);
}

function readIntOrString(reader: ProtoReader): string | number {
  let isString = false;
  let int = 0;
  let text = "";
  eachField(reader, (num) => {
    if (num === 1) isString = reader.varint32() !== 0;
    else if (num === 2) int = reader.varint32() | 0;
    else if (num === 3) text = reader.string();
    else return false;
    return true;
  });
  return isString ? text : int;
}

function readRaw(reader: ProtoReader): unknown {
  let value: unknown = null;
  eachField(reader, (num) => {
    if (num !== 1) return false;
    value = rawValue(reader.bytes());
    return true;
  });
  return value;
}

/**
 * RawExtension's bytes are JSON, or an object in upstream's protobuf envelope (in watch events).
 */
function rawValue(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return null;
  if (isEnvelope(bytes)) return decodeObject(bytes);
  const text = utf8.decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtobufError(`raw value is neither JSON nor protobuf: ${text.slice(0, 40)}`);
  }
}

function specialReader(kind: string, name: string): ReadValue {
  const schema = structReader(`${name.slice(0, name.lastIndexOf(".") + 1)}JSONSchemaProps`);
  return (outer) => {
    const reader = outer.message();
    let asSchema: unknown = null;
    let allows = false;
    const list: unknown[] = [];
    eachField(reader, (num) => {
      if (kind === "schemaOrBool") {
        if (num === 1) allows = reader.varint32() !== 0;
        else if (num === 2) asSchema = schema(reader);
        else return false;
      } else if (num === 1) asSchema = schema(reader);
      else if (num === 2) list.push(kind === "schemaOrArray" ? schema(reader) : reader.string());
      else return false;
      return true;
    });
    if (kind === "schemaOrBool") return asSchema ?? allows;
    return list.length > 0 ? list : asSchema;
  };
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  const chunk = 8192;
  for (let i = 0; i < bytes.length; i += chunk) {
    binary += String.fromCharCode(...bytes.subarray(i, i + chunk));
  }
  return btoa(binary);
}
