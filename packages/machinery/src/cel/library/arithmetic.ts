/**
 * Operators: + - * / %, negation, order, membership.
 *
 * Errors  "integer overflow", "division by zero" …; "no such overload" for operands that do not fit
 * Source  cel-go common/types/{int,uint,double,duration,timestamp,list}.go, overflow.go
 */
import { compare, equals, mapKey } from "../compare.ts";
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelTimestamp,
  CelUint,
  isError,
  noSuchOverload,
  sizeOf,
  type Value,
} from "../values.ts";
import type { Library } from "./function.ts";

const intOverflow = () => new CelError("integer overflow");
const uintOverflow = () => new CelError("unsigned integer overflow");

export function int(value: bigint): Value {
  return BigInt.asIntN(64, value) === value ? value : intOverflow();
}
export function uint(value: bigint): Value {
  return BigInt.asUintN(64, value) === value ? new CelUint(value) : uintOverflow();
}
export function duration(nanos: bigint): Value {
  if (BigInt.asIntN(64, nanos) !== nanos) return intOverflow();
  return new CelDuration(nanos);
}
const minSeconds = -62135596800n;
const maxSeconds = 253402300799n;
export function timestamp(nanos: bigint): Value {
  const seconds =
    nanos >= 0n ? nanos / 1_000_000_000n : -((-nanos + 999_999_999n) / 1_000_000_000n);
  if (seconds < minSeconds || seconds > maxSeconds) return new CelError("timestamp overflow");
  return new CelTimestamp(nanos);
}

/** Undefined when the left side is nothing that can be added to; so with the others. */
function add(a: Value, b: Value): Value | undefined {
  if (typeof a === "bigint") return typeof b === "bigint" ? int(a + b) : noSuchOverload();
  if (typeof a === "number") return typeof b === "number" ? a + b : noSuchOverload();
  if (typeof a === "string") return typeof b === "string" ? a + b : noSuchOverload();
  if (a instanceof CelUint)
    return b instanceof CelUint ? uint(a.value + b.value) : noSuchOverload();
  if (a instanceof Uint8Array) {
    if (!(b instanceof Uint8Array)) return noSuchOverload();
    const joined = new Uint8Array(a.length + b.length);
    joined.set(a);
    joined.set(b, a.length);
    return joined;
  }
  if (a instanceof CelList) return b instanceof CelList ? addLists(a, b) : noSuchOverload();
  if (a instanceof CelDuration) {
    if (b instanceof CelDuration) return duration(a.nanos + b.nanos);
    return b instanceof CelTimestamp ? timestamp(a.nanos + b.nanos) : noSuchOverload();
  }
  if (a instanceof CelTimestamp) {
    return b instanceof CelDuration ? timestamp(a.nanos + b.nanos) : noSuchOverload();
  }
  return undefined;
}

/** Lists that a schema calls sets or maps merge; all others are joined. */
function addLists(a: CelList, b: CelList): CelList {
  if (a.growing) {
    a.items.push(...b.items);
    return a;
  }
  if (a.kind === "set") {
    const added = b.items.filter((item) => !a.items.some((own) => equals(own, item)));
    return new CelList([...a.items, ...added], "set");
  }
  if (a.kind === "map") {
    const items = [...a.items];
    const places = new Map(items.map((item, i) => [mapKey(item, a.keys), i]));
    for (const item of b.items) {
      const place = places.get(mapKey(item, a.keys));
      if (place === undefined) items.push(item);
      else items[place] = item;
    }
    return new CelList(items, "map", a.keys);
  }
  return new CelList([...a.items, ...b.items]);
}

function subtract(a: Value, b: Value): Value | undefined {
  if (typeof a === "bigint") return typeof b === "bigint" ? int(a - b) : noSuchOverload();
  if (typeof a === "number") return typeof b === "number" ? a - b : noSuchOverload();
  if (a instanceof CelUint)
    return b instanceof CelUint ? uint(a.value - b.value) : noSuchOverload();
  if (a instanceof CelDuration) {
    return b instanceof CelDuration ? duration(a.nanos - b.nanos) : noSuchOverload();
  }
  if (a instanceof CelTimestamp) {
    if (b instanceof CelTimestamp) return duration(a.nanos - b.nanos);
    return b instanceof CelDuration ? timestamp(a.nanos - b.nanos) : noSuchOverload();
  }
  return undefined;
}

function multiply(a: Value, b: Value): Value | undefined {
  if (typeof a === "bigint") return typeof b === "bigint" ? int(a * b) : noSuchOverload();
  if (typeof a === "number") return typeof b === "number" ? a * b : noSuchOverload();
  if (a instanceof CelUint)
    return b instanceof CelUint ? uint(a.value * b.value) : noSuchOverload();
  return undefined;
}

function divide(a: Value, b: Value): Value | undefined {
  if (typeof a === "number") return typeof b === "number" ? a / b : noSuchOverload();
  if (typeof a === "bigint") {
    if (typeof b !== "bigint") return noSuchOverload();
    return b === 0n ? new CelError("division by zero") : int(a / b);
  }
  if (a instanceof CelUint) {
    if (!(b instanceof CelUint)) return noSuchOverload();
    return b.value === 0n ? new CelError("division by zero") : uint(a.value / b.value);
  }
  return undefined;
}

function modulo(a: Value, b: Value): Value | undefined {
  if (typeof a === "bigint") {
    if (typeof b !== "bigint") return noSuchOverload();
    if (b === 0n) return new CelError("modulus by zero");
    return a === -(2n ** 63n) && b === -1n ? intOverflow() : a % b;
  }
  if (a instanceof CelUint) {
    if (!(b instanceof CelUint)) return noSuchOverload();
    return b.value === 0n ? new CelError("modulus by zero") : uint(a.value % b.value);
  }
  return undefined;
}

function negate(a: Value): Value | undefined {
  if (typeof a === "bigint") return int(-a);
  if (typeof a === "number") return -a;
  if (a instanceof CelDuration) return duration(-a.nanos);
  return undefined;
}

const order = (test: (sign: number) => boolean) => (a: Value, b: Value) => {
  const sign = compare(a, b);
  return typeof sign === "number" ? test(sign) : sign;
};

function isIn(element: Value, container: Value): Value | undefined {
  if (container instanceof CelList) return container.items.some((item) => equals(item, element));
  if (container instanceof CelMap) return container.find(element) !== undefined;
  return isError(container) ? container : undefined;
}

export const arithmetic: Library = {
  "_+_": add,
  "_-_": subtract,
  "_*_": multiply,
  "_/_": divide,
  "_%_": modulo,
  "-_": negate,
  "!_": (a) => (typeof a === "boolean" ? !a : undefined),
  "_<_": order((sign) => sign < 0),
  "_<=_": order((sign) => sign <= 0),
  "_>_": order((sign) => sign > 0),
  "_>=_": order((sign) => sign >= 0),
  "@in": isIn,
  "@not_strictly_false": (a) => a !== false,
  size: (a) => {
    const size = sizeOf(a);
    return size === undefined ? undefined : BigInt(size);
  },
};
