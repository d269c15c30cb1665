/**
 * Functions on lists, sets and optionals, and what maps are built with.
 *
 * Source  cel-go ext/{lists,sets,comprehensions}.go, cel/library.go; apiserver pkg/cel/library/lists.go
 */
import { compare, equals } from "../compare.ts";
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelUint,
  isError,
  keyText,
  none,
  sizeOf,
  typeOf,
  type Value,
} from "../values.ts";
import { arithmetic } from "./arithmetic.ts";
import type { Implementation, Library } from "./function.ts";
import { stringIndexOf, stringLastIndexOf } from "./strings.ts";

const add = arithmetic["_+_"]!;

const onList =
  (change: (list: CelList) => Value): Implementation =>
  (list) =>
    list instanceof CelList ? change(list) : undefined;

function sum(list: CelList): Value {
  const [first] = list.items;
  if (first === undefined) return 0n;
  let total: Value = first;
  for (const item of list.items.slice(1)) {
    total = add(total, item)!;
    if (isError(total)) return total;
  }
  return total;
}

function extreme(name: string, wanted: number) {
  return (list: CelList): Value => {
    let best: Value | undefined;
    for (const item of list.items) {
      if (best === undefined) best = item;
      else {
        const sign = compare(item, best);
        if (isError(sign as Value)) return sign as CelError;
        if (sign === wanted) best = item;
      }
    }
    return best ?? new CelError(`${name} called on empty list`);
  };
}

function isSorted(list: CelList): Value {
  for (let i = 1; i < list.items.length; i++) {
    const sign = compare(list.items[i - 1]!, list.items[i]!);
    if (typeof sign !== "number") return sign;
    if (sign > 0) return false;
  }
  return true;
}

function sortBy(list: CelList, keys: CelList): Value {
  if (list.items.length === 0) return list;
  const first = keys.items[0]!;
  if (typeof compare(first, first) !== "number") {
    return new CelError("list elements must be comparable");
  }
  const name = typeOf(first).name;
  if (keys.items.some((key) => typeOf(key).name !== name)) {
    return new CelError("list elements must have the same type");
  }
  const order = list.items.map((_item, i) => i);
  order.sort((a, b) => Number(compare(keys.items[a]!, keys.items[b]!)));
  return new CelList(order.map((i) => list.items[i]!));
}

function flatten(list: CelList, depth: number): Value[] {
  return list.items.flatMap((item) =>
    item instanceof CelList && depth > 0 ? flatten(item, depth - 1) : [item],
  );
}

function slice(list: Value, start: Value, end: Value): Value | undefined {
  if (!(list instanceof CelList) || typeof start !== "bigint" || typeof end !== "bigint") {
    return undefined;
  }
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0n || end < 0n) return new CelError(`${call}, negative indexes not supported`);
  if (start > end) {
    return new CelError(`${call}, start index must be less than or equal to end index`);
  }
  if (end > BigInt(list.size)) return new CelError(`${call}, list is length ${list.size}`);
  return new CelList(list.items.slice(Number(start), Number(end)));
}

const contains = (list: CelList, item: Value): boolean =>
  list.items.some((own) => equals(own, item));

const sets =
  (test: (a: CelList, b: CelList) => boolean): Implementation =>
  (a, b) =>
    a instanceof CelList && b instanceof CelList ? test(a, b) : undefined;

const containsAll = (a: CelList, b: CelList): boolean => b.items.every((item) => contains(a, item));

function distinct(list: CelList): Value {
  const unique: Value[] = [];
  for (const item of list.items) {
    if (!unique.some((own) => equals(own, item))) unique.push(item);
  }
  return new CelList(unique);
}

function mapInsert(map: Value, key: Value, value?: Value): Value | undefined {
  if (!(map instanceof CelMap)) return undefined;
  const added: (readonly [Value, Value])[] =
    value === undefined ? (key instanceof CelMap ? [...key.entries.values()] : []) : [[key, value]];
  const entries = map.growing ? map.entries : new Map(map.entries);
  for (const pair of added) {
    const text = keyText(pair[0]);
    if (entries.has(text))
      return new CelError(`insert failed: key ${shown(pair[0])} already exists`);
    entries.set(text, pair);
  }
  return map.growing ? map : new CelMap(entries);
}

const shown = (value: Value): string =>
  value instanceof CelUint ? String(value.value) : String(value);

function unwrap(list: CelList): Value {
  const present = list.items.filter(
    (item) => item instanceof CelOptional && item.value !== undefined,
  );
  return new CelList(present.map((item) => (item as CelOptional).value!));
}

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === "") return true;
  if (value instanceof CelUint) return value.value === 0n;
  if (value instanceof CelDuration) return value.nanos === 0n;
  if (value instanceof CelTimestamp) return value.nanos === -62135596800000000000n;
  return sizeOf(value) === 0;
}

export const lists: Library = {
  sum: onList(sum),
  min: onList(extreme("min", -1)),
  max: onList(extreme("max", 1)),
  isSorted: onList(isSorted),
  sort: onList((list) => sortBy(list, list)),
  "@sortByAssociatedKeys": (list, keys) =>
    list instanceof CelList && keys instanceof CelList ? sortBy(list, keys) : undefined,
  reverse: onList((list) => new CelList([...list.items].reverse())),
  distinct: onList(distinct),
  first: onList((list) => (list.size === 0 ? none : new CelOptional(list.items[0]!))),
  last: onList((list) => (list.size === 0 ? none : new CelOptional(list.items.at(-1)!))),
  slice,
  flatten(list, depth = 1n) {
    if (!(list instanceof CelList) || typeof depth !== "bigint") return undefined;
    if (depth < 0n) return new CelError("level must be non-negative");
    return new CelList(flatten(list, Number(depth)));
  },
  "lists.range"(count) {
    if (typeof count !== "bigint") return undefined;
    return new CelList(Array.from({ length: Math.max(0, Number(count)) }, (_x, i) => BigInt(i)));
  },
  indexOf(list, item, from) {
    if (!(list instanceof CelList)) return stringIndexOf(list!, item!, from);
    return BigInt(list.items.findIndex((own) => equals(own, item!)));
  },
  lastIndexOf(list, item, from) {
    if (!(list instanceof CelList)) return stringLastIndexOf(list!, item!, from);
    return BigInt(list.items.findLastIndex((own) => equals(own, item!)));
  },
  "sets.contains": sets(containsAll),
  "sets.intersects": sets((a, b) => a.items.some((item) => contains(b, item))),
  "sets.equivalent": sets((a, b) => containsAll(a, b) && containsAll(b, a)),
  "cel.@mapInsert": mapInsert,
  "optional.of": (value) => new CelOptional(value!),
  "optional.ofNonZeroValue": (value) => (isZero(value!) ? none : new CelOptional(value!)),
  "optional.none": () => none,
  "optional.unwrap": onList(unwrap),
  unwrapOpt: onList(unwrap),
  hasValue: (value) => (value instanceof CelOptional ? value.value !== undefined : undefined),
  value: (value) =>
    value instanceof CelOptional
      ? value.value === undefined
        ? new CelError("optional.none() dereference")
        : value.value
      : undefined,
};
