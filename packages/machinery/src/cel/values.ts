/**
 * CEL's values at run time.
 *
 * int is a bigint, double a number, string, bool and null are themselves, bytes a Uint8Array. All
 * else is an object with a `celType`. An error is a value too: `false && error` is false, so errors
 * must travel; CelError carries the text that the caller will see.
 *
 * Source  cel-go common/types
 */
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  nullType,
  optionalOf,
  stringType,
  timestampType,
  typeType,
  uintType,
} from "./types.ts";

export type Value = null | boolean | bigint | number | string | Uint8Array | CelObject;

/** Whatever is not a JavaScript primitive or bytes. */
export interface CelObject {
  readonly celType: CelType;
  /** Same type is already sure. */
  equalTo?(other: CelObject): Value;
  /** As `%v` and `size()` see it, where they do. */
  readonly size?: number;
}

const errorKind: CelType = { kind: "error", name: "error", params: [] };

export class CelError implements CelObject {
  readonly celType = errorKind;
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

export const isError = (value: Value | undefined): value is CelError => value instanceof CelError;
export const noSuchOverload = (): CelError => new CelError("no such overload");

export class CelUint implements CelObject {
  readonly celType = uintType;
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** Nanoseconds since the epoch. */
export class CelTimestamp implements CelObject {
  readonly celType = timestampType;
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** Nanoseconds. */
export class CelDuration implements CelObject {
  readonly celType = durationType;
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class CelTypeValue implements CelObject {
  readonly celType = typeType;
  readonly type: CelType;
  constructor(type: CelType) {
    this.type = type;
  }
}

export class CelOptional implements CelObject {
  readonly celType: CelType = optionalOf(dynType);
  readonly value: Value | undefined;
  constructor(value: Value | undefined) {
    this.value = value;
  }
}

export const none = new CelOptional(undefined);

export type ListKind = "atomic" | "set" | "map";

/** A list; one that a schema calls a set or a map is compared and added as such. */
export class CelList implements CelObject {
  readonly celType: CelType = listOf(dynType);
  readonly items: Value[];
  readonly kind: ListKind;
  readonly keys: readonly string[];
  /** Only the fold that makes it may append in place. */
  growing = false;

  constructor(items: Value[], kind: ListKind = "atomic", keys: readonly string[] = []) {
    this.items = items;
    this.kind = kind;
    this.keys = keys;
  }
  get size(): number {
    return this.items.length;
  }
}

/** What two keys have in common when CEL calls them equal: 1, 1u and 1.0 are one key. */
export function keyText(key: Value): string {
  if (typeof key === "string") return `s${key}`;
  if (typeof key === "bigint") return `n${key}`;
  if (typeof key === "boolean") return `b${key}`;
  if (key instanceof CelUint) return `n${key.value}`;
  if (typeof key === "number") return Number.isInteger(key) ? `n${BigInt(key)}` : `d${key}`;
  return "x";
}

export class CelMap implements CelObject {
  readonly celType: CelType = mapOf(dynType, dynType);
  readonly entries: Map<string, readonly [Value, Value]>;
  growing = false;

  constructor(entries: Map<string, readonly [Value, Value]>) {
    this.entries = entries;
  }
  static of(pairs: Iterable<readonly [Value, Value]>): CelMap {
    const entries = new Map<string, readonly [Value, Value]>();
    for (const pair of pairs) entries.set(keyText(pair[0]), pair);
    return new CelMap(entries);
  }
  get size(): number {
    return this.entries.size;
  }
  find(key: Value): Value | undefined {
    const entry = this.entries.get(keyText(key)) ?? this.reserved(key);
    return entry?.[1];
  }
  /** Of objects: a field whose name is a word of CEL, asked for by that word. */
  protected reserved(_key: Value): readonly [Value, Value] | undefined {
    return undefined;
  }
}

/** An object of a named type, as mutations construct them. */
export class CelStruct implements CelObject {
  readonly celType: CelType;
  readonly fields: ReadonlyMap<string, Value>;
  constructor(celType: CelType, fields: ReadonlyMap<string, Value>) {
    this.celType = celType;
    this.fields = fields;
  }
  find(key: Value): Value | undefined {
    return typeof key === "string" ? this.fields.get(key) : undefined;
  }
}

export function typeOf(value: Value): CelType {
  if (value === null) return nullType;
  switch (typeof value) {
    case "boolean":
      return boolType;
    case "bigint":
      return intType;
    case "number":
      return doubleType;
    case "string":
      return stringType;
    default:
      return value instanceof Uint8Array ? bytesType : value.celType;
  }
}

/** What `size()` says and costs are measured by; undefined for what has none. */
export function sizeOf(value: Value): number | undefined {
  if (typeof value === "string") return codePoints(value);
  if (value === null || typeof value !== "object") return undefined;
  if (value instanceof Uint8Array) return value.length;
  return value.size;
}

export function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next <= 0xdfff) {
        count--;
        i++;
      }
    }
  }
  return count;
}
