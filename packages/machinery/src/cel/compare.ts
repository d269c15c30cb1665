/**
 * Equality and order of CEL values. Numbers compare across int, uint and double; values of
 * different types are unequal, not an error.
 *
 * Source  cel-go common/types/{compare,equal}.go, apiserver pkg/cel/common/values.go
 */
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelStruct,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  isError,
  keyText,
  noSuchOverload,
  typeOf,
  type Value,
} from "./values.ts";

type Numeric = bigint | number;

function numeric(value: Value): Numeric | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return value instanceof CelUint ? value.value : undefined;
}

export function equals(a: Value, b: Value): boolean {
  return equal(a, b) === true;
}

/** True, false, or an error (elements that cannot be compared). */
export function equal(a: Value, b: Value): Value {
  if (a === null || b === null) return a === b;
  const x = numeric(a);
  if (x !== undefined) {
    const y = numeric(b);
    // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number of one value are equal.
    return y !== undefined && x == y;
  }
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0;
  if (b instanceof Uint8Array) return false;
  if (a instanceof CelTimestamp) return b instanceof CelTimestamp && a.nanos === b.nanos;
  if (a instanceof CelDuration) return b instanceof CelDuration && a.nanos === b.nanos;
  if (a instanceof CelTypeValue) return b instanceof CelTypeValue && a.type.name === b.type.name;
  if (a instanceof CelList) return b instanceof CelList && equalLists(a, b);
  if (a instanceof CelMap) return b instanceof CelMap && equalMaps(a, b);
  if (a instanceof CelStruct) return b instanceof CelStruct && equalStructs(a, b);
  if (a instanceof CelOptional) {
    if (!(b instanceof CelOptional)) return false;
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equal(a.value, b.value);
  }
  if (typeOf(a).name !== typeOf(b).name) return false;
  return a.equalTo?.(b) ?? a === b;
}

function equalLists(a: CelList, b: CelList): boolean {
  if (a.size !== b.size) return false;
  const keyed = a.kind === "atomic" ? b : a;
  if (keyed.kind === "set") {
    return a.items.every((item) => b.items.some((other) => equals(item, other)));
  }
  if (keyed.kind === "map") {
    const other = new Map(b.items.map((item) => [mapKey(item, keyed.keys), item]));
    return a.items.every((item) => {
      const match = other.get(mapKey(item, keyed.keys));
      return match !== undefined && equals(item, match);
    });
  }
  return a.items.every((item, i) => equals(item, b.items[i]!));
}

/** The place of an element in a list of x-kubernetes-list-type map. */
export function mapKey(item: Value, keys: readonly string[]): string {
  if (!(item instanceof CelMap)) return "";
  return JSON.stringify(
    keys.map((key) => {
      const part = item.find(key);
      return part === undefined ? null : keyText(part);
    }),
  );
}

function equalMaps(a: CelMap, b: CelMap): boolean {
  if (a.size !== b.size) return false;
  for (const [key, [, value]] of a.entries) {
    const other = b.entries.get(key);
    if (other === undefined || !equals(value, other[1])) return false;
  }
  return true;
}

function equalStructs(a: CelStruct, b: CelStruct): boolean {
  if (a.celType.name !== b.celType.name || a.fields.size !== b.fields.size) return false;
  for (const [name, value] of a.fields) {
    const other = b.fields.get(name);
    if (other === undefined || !equals(value, other)) return false;
  }
  return true;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return Math.sign(a.length - b.length);
}

/** Go compares strings by their bytes, which is by code points. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const rank = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
    return rank(x) < rank(y) ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

const sign = (a: Numeric, b: Numeric): number => (a < b ? -1 : a > b ? 1 : 0);

/** -1, 0 or 1; an error for what has no order. */
export function compare(a: Value, b: Value): number | CelError {
  const x = numeric(a);
  if (x !== undefined) {
    const y = numeric(b);
    if (y === undefined) return noSuchOverload();
    if (Number.isNaN(x) || Number.isNaN(y)) return new CelError("NaN values cannot be ordered");
    return sign(x, y);
  }
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return sign(a.nanos, b.nanos);
  if (a instanceof CelDuration && b instanceof CelDuration) return sign(a.nanos, b.nanos);
  if (isError(a)) return a;
  return noSuchOverload();
}
