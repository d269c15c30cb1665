/**
 * Messages: a fact table compiled, on first use, into encode, decode and fill.
 *
 * Encode takes any part of a message (`Init`): what is absent or undefined has its zero value.
 * Decode and fill give whole messages: every proto3 field is present, except messages, `optional`
 * fields and members of a oneof, which are absent unless set. Unknown fields are skipped.
 * `fill` is what decode(encode(x)) gives, without bytes in between: for peers in one process.
 *
 * Compiled means closures over the table, not generated source: see docs/decisions/0002.
 * Errors  WireError
 */
import { type Scalar, scalars, wrongWireType } from "./scalars.ts";
import { type FieldFact, type FieldKind, parseFacts } from "./table.ts";
import { Reader, WireError, Writer } from "./wire.ts";

/** Any part of a message; the rest is zero. */
export type Init<T> = T extends Uint8Array
  ? Uint8Array
  : T extends readonly (infer E)[]
    ? readonly Init<E>[]
    : T extends object
      ? { readonly [K in keyof T]?: Init<T[K]> | undefined }
      : T;

export interface MessageCodec<T> {
  readonly name: string;
  encode(value: Init<T>): Buffer;
  /** One gRPC frame: a flag byte (not compressed), the length in 4 bytes, the message. */
  encodeFrame(value: Init<T>): Buffer;
  /** The same, but not copied: what lies in the writer until anything else is encoded. */
  writeFrame(value: Init<T>): Writer;
  decode(bytes: Uint8Array): T;
  fill(value: Init<T>): T;
}

/** A message that is encoded already, bytes[from, to): as part of another it goes out as it is. */
export interface EncodedMessage {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Puts it in the place of the message that it is. */
export function encoded<T>(message: EncodedMessage): Init<T> {
  return new Encoded(message) as Init<T>;
}

class Encoded {
  readonly message: EncodedMessage;

  constructor(message: EncodedMessage) {
    this.message = message;
  }
}

/**
 * A whole message that was encoded piece by piece: a server sends it as it is. Pieces of one
 * message follow each other as in protobuf: what is repeated goes on.
 */
export function inPieces<T>(pieces: readonly Buffer[]): Init<T> {
  return new Pieces(pieces) as Init<T>;
}

export class Pieces {
  readonly pieces: readonly Buffer[];

  constructor(pieces: readonly Buffer[]) {
    this.pieces = pieces;
  }

  get sizeBytes(): number {
    return this.pieces.reduce((sum, { length }) => sum + length, 0);
  }
}

/** A message of no declared type, while it is built or read. */
type Fields = Record<string, unknown>;

const depthMax = 100;
const registry = new Map<string, Message>();
const writer = new Writer();

export function message<T>(name: string, facts: string): MessageCodec<T> {
  const codec = new Message(name, facts);
  registry.set(name, codec);
  return codec as unknown as MessageCodec<T>;
}

/** The fields of a message by its full name, for other encodings than this one. */
export function messageFields(name: string): readonly FieldFact[] {
  const found = registry.get(name);
  if (found === undefined) throw new Error(`there is no message ${name}`);
  return found.facts;
}

interface CompiledField {
  readonly name: string;
  readonly number: number;
  readonly tag: number;
  readonly shape: FieldFact["shape"];
  readonly value: Value;
  readonly key: Scalar | undefined;
  /** Names of the other members of this field's oneof. */
  readonly others: readonly string[];
}

interface Value {
  readonly zero: unknown;
  readonly wireType: number;
  readonly packable: boolean;
  read(reader: Reader, end: number, depth: number): unknown;
  write(out: Writer, value: unknown): void;
  fill(value: unknown): unknown;
}

class Message {
  readonly name: string;
  readonly #facts: string;
  #fields: CompiledField[] | undefined;
  #byNumber: (CompiledField | undefined)[] = [];
  #zero: Fields = {};
  #collections: { name: string; map: boolean }[] = [];

  constructor(name: string, facts: string) {
    this.name = name;
    this.#facts = facts;
  }

  get facts(): FieldFact[] {
    return parseFacts(this.#facts);
  }

  encode(value: Fields): Buffer {
    writer.reset();
    this.write(writer, value);
    return writer.take();
  }

  encodeFrame(value: Fields): Buffer {
    return this.writeFrame(value).take();
  }

  writeFrame(value: Fields): Writer {
    writer.reset();
    this.write(writer, value);
    const size = writer.bytes.length - writer.position;
    writer.reserve(5);
    writer.position -= 5;
    writer.bytes[writer.position] = 0;
    writer.bytes.writeUInt32BE(size, writer.position + 1);
    return writer;
  }

  decode(bytes: Uint8Array): Fields {
    const reader = new Reader(bytes);
    return this.read(reader, reader.bytes.length, 0);
  }

  fill(value: Fields): Fields {
    if (value instanceof Pieces) return this.decode(Buffer.concat(value.pieces));
    const fields = this.#compiled();
    const out = this.#create();
    for (const field of fields) {
      const given = value[field.name];
      if (given !== undefined && given !== null) out[field.name] = fillField(field, given);
    }
    return out;
  }

  write(out: Writer, value: Fields): void {
    if (value instanceof Pieces) {
      for (const piece of [...value.pieces].reverse()) out.copy(piece, 0, piece.length);
      return;
    }
    const fields = this.#compiled();
    for (let i = fields.length - 1; i >= 0; i--) {
      const field = fields[i]!;
      const given = value[field.name];
      if (given !== undefined && given !== null) writeField(out, field, given);
    }
  }

  read(reader: Reader, end: number, depth: number): Fields {
    if (depth > depthMax) throw new WireError("proto: exceeded max recursion depth");
    this.#compiled();
    const out = this.#create();
    while (reader.position < end) {
      const tag = reader.tag(end);
      const field = this.#byNumber[tag >>> 3];
      if (field !== undefined) readField(reader, end, depth, { out, field, wireType: tag & 7 });
      else if (tag >>> 3 === 0) throw new WireError(`proto: ${this.name}: illegal tag 0`);
      else reader.skip(tag, end);
    }
    return out;
  }

  #create(): Fields {
    const out = { ...this.#zero };
    for (const { name, map } of this.#collections) out[name] = map ? {} : [];
    return out;
  }

  #compiled(): CompiledField[] {
    if (this.#fields !== undefined) return this.#fields;
    const facts = parseFacts(this.#facts);
    const fields = facts.map((fact) => compileField(fact, facts));
    for (const field of fields) {
      this.#byNumber[field.number] = field;
      if (field.shape === "singular") this.#zero[field.name] = field.value.zero;
      if (field.shape === "repeated") this.#collections.push({ name: field.name, map: false });
      if (field.shape === "map") this.#collections.push({ name: field.name, map: true });
    }
    this.#fields = fields;
    return fields;
  }
}

function compileField(fact: FieldFact, all: FieldFact[]): CompiledField {
  const value = compileValue(fact.value);
  const isPacked = fact.shape === "repeated" && value.packable;
  const wireType = fact.shape === "map" || isPacked ? 2 : value.wireType;
  const others = all
    .filter((f) => fact.oneof !== undefined && f.oneof === fact.oneof && f.name !== fact.name)
    .map((f) => f.name);
  const key = fact.key?.scalar === undefined ? undefined : scalars[fact.key.scalar];
  const { name, number, shape } = fact;
  return { name, number, shape, value, key, others, tag: number * 8 + wireType };
}

function compileValue(kind: FieldKind): Value {
  if (kind.scalar !== undefined) {
    const scalar = scalars[kind.scalar];
    return { ...scalar, packable: scalar.wireType !== 2, fill: (v) => v };
  }
  let target: Message | undefined;
  const resolve = (): Message => {
    target ??= registry.get(kind.message!);
    if (target === undefined) throw new WireError(`proto: no message ${kind.message}`);
    return target;
  };
  return {
    zero: undefined,
    wireType: 2,
    packable: false,
    read(reader, end, depth) {
      const size = reader.length(end);
      return resolve().read(reader, reader.position + size, depth + 1);
    },
    write(out, value) {
      if (value instanceof Encoded) {
        const { bytes, from, to } = value.message;
        out.copy(bytes, from, to);
        out.uint32(to - from);
        return;
      }
      const before = out.bytes.length - out.position;
      resolve().write(out, value as Fields);
      out.uint32(out.bytes.length - out.position - before);
    },
    fill(value) {
      if (!(value instanceof Encoded)) return resolve().fill(value as Fields);
      const { bytes, from, to } = value.message;
      return resolve().decode(bytes.subarray(from, to));
    },
  };
}

function fillField(field: CompiledField, given: unknown): unknown {
  const { value } = field;
  if (field.shape === "repeated") return (given as unknown[]).map((v) => value.fill(v));
  if (field.shape !== "map") return value.fill(given);
  return Object.fromEntries(Object.entries(given as Fields).map(([k, v]) => [k, value.fill(v)]));
}

function writeField(out: Writer, field: CompiledField, given: unknown): void {
  const { value, tag } = field;
  switch (field.shape) {
    case "singular":
      if (given === value.zero || (given as Uint8Array).length === 0) return;
      value.write(out, given);
      out.uint32(tag);
      return;
    case "optional":
      value.write(out, given);
      out.uint32(tag);
      return;
    case "repeated":
      writeRepeated(out, field, given as unknown[]);
      return;
    case "map":
      writeMap(out, field, given as Fields);
  }
}

function writeRepeated(out: Writer, { value, tag }: CompiledField, list: unknown[]): void {
  if (list.length === 0) return;
  const before = out.bytes.length - out.position;
  for (let i = list.length - 1; i >= 0; i--) {
    value.write(out, list[i]);
    if (!value.packable) out.uint32(tag);
  }
  if (!value.packable) return;
  out.uint32(out.bytes.length - out.position - before);
  out.uint32(tag);
}

function writeMap(out: Writer, { value, key, tag }: CompiledField, map: Fields): void {
  for (const name of Object.keys(map).reverse()) {
    const before = out.bytes.length - out.position;
    value.write(out, map[name]);
    out.uint32(16 + value.wireType);
    key!.write(out, keyFromText(key!, name));
    out.uint32(8 + key!.wireType);
    out.uint32(out.bytes.length - out.position - before);
    out.uint32(tag);
  }
}

/** Plain objects have text keys; protobuf's may be numbers and booleans. */
function keyFromText(key: Scalar, text: string): unknown {
  if (key.zero === "") return text;
  return typeof key.zero === "boolean" ? text === "true" : Number(text);
}

function readField(
  reader: Reader,
  end: number,
  depth: number,
  { out, field, wireType }: { out: Fields; field: CompiledField; wireType: number },
): void {
  const { value, name } = field;
  if (field.shape === "map") {
    readMapEntry(reader, end, depth, { out, field, wireType });
    return;
  }
  if (wireType !== value.wireType) {
    if (field.shape !== "repeated" || !value.packable || wireType !== 2) {
      throw wrongWireType(wireType, name);
    }
    const size = reader.length(end);
    const stop = reader.position + size;
    const list = out[name] as unknown[];
    while (reader.position < stop) list.push(value.read(reader, stop, depth));
    return;
  }
  if (field.shape === "repeated") {
    (out[name] as unknown[]).push(value.read(reader, end, depth));
    return;
  }
  for (const other of field.others) delete out[other];
  const read = value.read(reader, end, depth);
  // A message that comes twice is merged, field by field; nobody sends that, the later one wins.
  out[name] = read;
}

function readMapEntry(
  reader: Reader,
  end: number,
  depth: number,
  { out, field, wireType }: { out: Fields; field: CompiledField; wireType: number },
): void {
  if (wireType !== 2) throw wrongWireType(wireType, field.name);
  const size = reader.length(end);
  const stop = reader.position + size;
  let key: unknown = field.key!.zero;
  let value: unknown;
  while (reader.position < stop) {
    const tag = reader.uint32(stop);
    if (tag === 8 + field.key!.wireType) key = field.key!.read(reader, stop);
    else if (tag === 16 + field.value.wireType) value = field.value.read(reader, stop, depth);
    else reader.skip(tag, stop);
  }
  value ??= field.value.zero ?? field.value.fill({});
  // Not a plain assignment: "__proto__" is a key like any other.
  Object.defineProperty(out[field.name], String(key), {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
