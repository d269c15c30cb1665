/**
 * The kinds of node that a plan is made of.
 *
 * Source  cel-go interpreter/{interpretable,attributes,decorators}.go
 */
import { equals } from "./compare.ts";
import { CostTracker, callCost } from "./cost-tracker.ts";
import { implementationOf } from "./library/implementations.ts";
import { applyQualifiers, type Qualifier } from "./qualify.ts";
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelUint,
  isError,
  keyText,
  noSuchOverload,
  typeOf,
  type Value,
} from "./values.ts";

export class PlanError extends Error {}

/** Looks a variable up; undefined when it has no value. */
export type Scope = (name: string) => Value | undefined;

export interface Node {
  run(scope: Scope, tracker: CostTracker): Value;
  /** The value, when it is known before any evaluation. */
  constant?: { value: Value };
  attribute?: Attribute;
}

export interface Attribute {
  /** For the whole of it, besides what its parts cost. */
  cost: number;
  /** Adds to the end; of a choice, to both its branches. */
  add(qualifier: Qualifier): void;
  /** Does not charge for the attribute itself, only for what it goes through. */
  resolve(scope: Scope, tracker: CostTracker): Value;
}

const conversionNames = new Set(
  "bool bytes double duration dyn int string timestamp type uint".split(" "),
);
/** Those of CEL itself that do not say which overload was missing. */
const plainRefusals = new Set(["startsWith", "endsWith", "contains", "matches", "!_", "-_", "@in"]);
/** Where a constant pattern stands among the arguments. */
export const regexNames = new Set(["matches", "find", "findAll"]);

/** An empty list or map that a fold makes may grow in place. */
export function growing(value: Value): Value {
  if (value instanceof CelList && value.size === 0) {
    const list = new CelList([]);
    list.growing = true;
    return list;
  }
  if (value instanceof CelMap && value.size === 0) {
    const map = new CelMap(new Map());
    map.growing = true;
    return map;
  }
  return value;
}

export function pairsOf(
  range: Value,
  hasTwo: boolean,
): (readonly [Value, Value | undefined])[] | CelError {
  if (range instanceof CelList) {
    if (!hasTwo) return range.items.map((item) => [item, undefined] as const);
    return range.items.map((item, i) => [BigInt(i), item] as const);
  }
  if (range instanceof CelMap) {
    return [...range.entries.values()].map(([key, value]) => [key, hasTwo ? value : undefined]);
  }
  return new CelError(`got '${goTypeName(range)}', expected iterable type`);
}

/** The Go type that upstream's text names. */
export function goTypeName(value: Value): string {
  const names: Record<string, string> = {
    string: "types.String",
    int: "types.Int",
    uint: "types.Uint",
    double: "types.Double",
    bool: "types.Bool",
    bytes: "types.Bytes",
    null_type: "types.Null",
  };
  return names[typeOf(value).name] ?? typeOf(value).name;
}

export function valueText(value: Value): string {
  return value instanceof CelUint ? String(value.value) : String(value);
}

export function optionalEntry(key: Value, value: Value): Value | undefined {
  if (value instanceof CelOptional) return value.value;
  const why = `cannot initialize optional entry '${valueText(key)}' from non-optional value`;
  return new CelError(`${why} ${valueText(value)}`);
}

export function constant(value: Value): Node {
  return { run: () => value, constant: { value } };
}

const nowhere: Scope = () => undefined;

export function built(
  parts: readonly Node[],
  build: (scope: Scope, tracker: CostTracker) => Value,
  cost: number,
): Node {
  if (parts.every((part) => part.constant !== undefined)) {
    return constant(build(nowhere, new CostTracker(Number.POSITIVE_INFINITY)));
  }
  return {
    run(scope, tracker) {
      const value = build(scope, tracker);
      tracker.add(cost);
      return value;
    },
  };
}

export function attributeNode(attribute: Attribute, cost = attribute.cost): Node {
  return {
    attribute,
    run(scope, tracker) {
      const value = attribute.resolve(scope, tracker);
      if (cost > 0) tracker.add(cost);
      return value;
    },
  };
}

export function variable(name: string): Attribute {
  const qualifiers: Qualifier[] = [];
  return {
    cost: 1,
    add: (qualifier) => qualifiers.push(qualifier),
    resolve(scope, tracker) {
      const value = scope(name);
      if (value === undefined) return new CelError(`no such attribute(s): ${name}`);
      return isError(value) ? value : applyQualifiers(value, qualifiers, scope, tracker);
    },
  };
}

export function relative(node: Node): Attribute {
  const qualifiers: Qualifier[] = [];
  return {
    cost: 1,
    add: (qualifier) => qualifiers.push(qualifier),
    resolve(scope, tracker) {
      const value = node.run(scope, tracker);
      return isError(value) ? value : applyQualifiers(value, qualifiers, scope, tracker);
    },
  };
}

export function equality(name: string, [left, right]: readonly Node[]): Node {
  const overload = name === "_==_" ? "equals" : "not_equals";
  return {
    run(scope, tracker) {
      const a = left!.run(scope, tracker);
      const b = right!.run(scope, tracker);
      let result: Value;
      if (isError(a)) result = a;
      else if (isError(b)) result = b;
      else result = equals(a, b) === (name === "_==_");
      tracker.add(callCost(name, overload, [a, b], result));
      return result;
    },
  };
}

export function optionalOr(name: string, [left, right]: readonly Node[]): Node {
  return {
    run(scope, tracker) {
      const value = left!.run(scope, tracker);
      if (!(value instanceof CelOptional)) return value;
      if (value.value === undefined) return right!.run(scope, tracker);
      return name === "or" ? value : value.value;
    },
  };
}

export function invoke(name: string, overload: string, args: Value[]): Value {
  if (name === "sum" && args[0] instanceof CelList && args[0].size === 0) {
    if (overload === "list_double_sum_double") return 0;
    if (overload === "list_uint_sum_uint") return new CelUint(0n);
    if (overload === "list_duration_sum_duration") return new CelDuration(0n);
  }
  const result = implementationOf(name)?.(...args);
  if (result !== undefined) return result;
  if (plainRefusals.has(name)) return noSuchOverload();
  if (name === "size" || /[^a-zA-Z.@]/u.test(name))
    return new CelError(`no such overload: ${name}`);
  const shown = args.map((arg) => typeOf(arg).name).join(", ");
  return new CelError(`no such overload: ${name}(${shown})`);
}

export function callNode(name: string, overload: string, args: readonly Node[]): Node {
  const isLenient = name === "@not_strictly_false";
  const evaluatesAll = args.length < 3;
  return {
    run(scope, tracker) {
      const values: Value[] = [];
      let failure: CelError | undefined;
      for (const arg of args) {
        const value = arg.run(scope, tracker);
        values.push(value);
        if (!isLenient && failure === undefined && isError(value)) {
          failure = value;
          if (!evaluatesAll) return failure;
        }
      }
      const result = failure ?? invoke(name, overload, values);
      tracker.add(callCost(name, overload, values, result));
      return result;
    },
  };
}

/** Conversions of constants and membership in constant lists are settled when planning. */
export function folded(name: string, overload: string, args: readonly Node[], node: Node): Node {
  if (conversionNames.has(name) && args.length === 1 && args[0]!.constant !== undefined) {
    const value = invoke(name, overload, [args[0]!.constant.value]);
    if (isError(value)) throw new PlanError(value.message);
    return constant(value);
  }
  const list = overload === "in_list" ? args[1]?.constant?.value : undefined;
  if (!(list instanceof CelList)) return node;
  if (list.size === 0) return constant(false);
  const isPlain = list.items.every(
    (item) => item !== null && (typeof item !== "object" || item instanceof CelUint),
  );
  if (!isPlain) return node;
  const known = new Set(list.items.map(keyText));
  return {
    run(scope, tracker) {
      const value = args[0]!.run(scope, tracker);
      return isError(value) ? value : known.has(keyText(value));
    },
  };
}
