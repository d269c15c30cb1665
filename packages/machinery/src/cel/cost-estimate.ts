/**
 * What an expression may cost at most, from the sizes that its schema allows.
 *
 * A path leads from a variable to a value: `self`, `spec`, `@items`; the caller knows how large
 * what stands there can be.
 *
 * Source  cel-go checker/cost.go
 */
import { type CallEstimate, estimateCall } from "./call-estimate.ts";
import type { CheckedTree } from "./checker.ts";
import {
  exactly,
  most,
  plus,
  type Range,
  sum,
  times,
  union,
  unknownSize,
  zero,
} from "./cost-range.ts";
import { listCost, mapCost, structCost } from "./cost-tracker.ts";
import { accumulator } from "./macros.ts";
import type { Call, Expr, Fold, ListExpr, MapExpr, Select } from "./syntax-tree.ts";
import { type CelType, dynType, isOptional } from "./types.ts";
import { codePoints } from "./values.ts";

export type SizeEstimator = (path: readonly string[], type: CelType) => Range | undefined;

interface EntrySize {
  kind: "list" | "map";
  key: Range;
  value: Range;
}

interface Local {
  path: readonly string[];
  size: Range | undefined;
  entry: EntrySize | undefined;
}

const scalars = new Set(["bool", "double", "duration", "int", "timestamp", "uint"]);

function isScalar(type: CelType): boolean {
  return scalars.has(type.kind) || (isOptional(type) && isScalar(type.params[0]!));
}

/** A value whose size calls ask for. */
export interface CostedValue {
  path: readonly string[];
  type: CelType;
  size: Range | undefined;
  /** Of a constant. */
  literal: Expr | undefined;
}

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === "list") return exactly(expr.elements.length);
  if (expr.kind === "map") return exactly(expr.entries.length);
  if (expr.kind !== "literal") return undefined;
  const { value } = expr;
  if (typeof value === "string") return exactly(codePoints(value));
  return exactly(value instanceof Uint8Array ? value.length : 1);
}

export class CostEstimator {
  readonly #tree: CheckedTree;
  readonly #sizeAt: SizeEstimator;
  readonly #paths = new Map<number, readonly string[]>();
  readonly #sizes = new Map<number, Range>();
  readonly #entries = new Map<number, EntrySize>();
  readonly #locals = new Map<string, Local[]>();

  constructor(tree: CheckedTree, sizeAt: SizeEstimator) {
    this.#tree = tree;
    this.#sizeAt = sizeAt;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case "literal":
        return zero;
      case "ident":
        this.#paths.set(expr.id, this.#local(expr.name)?.path ?? [expr.name]);
        return exactly(1);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return plus(sum(expr.fields.map((field) => this.cost(field.value))), exactly(structCost));
      case "fold":
        return this.#isBind(expr) ? this.#bind(expr) : this.#fold(expr);
    }
  }

  #type(expr: Expr): CelType {
    return this.#tree.types.get(expr.id) ?? dynType;
  }
  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }
  #push(name: string, local: Local): void {
    const stack = this.#locals.get(name);
    if (stack === undefined) this.#locals.set(name, [local]);
    else stack.push(local);
  }
  #pop(name: string): void {
    this.#locals.get(name)?.pop();
  }
  #path(expr: Expr): readonly string[] {
    const local = expr.kind === "ident" ? this.#local(expr.name) : undefined;
    return local?.path ?? this.#paths.get(expr.id) ?? [];
  }
  #size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr.id) ?? literalSize(expr);
    if (known !== undefined) return known;
    const type = this.#type(expr);
    const path = this.#path(expr);
    const allowed = path.length === 0 ? undefined : this.#sizeAt(path, type);
    if (allowed !== undefined) {
      this.#sizes.set(expr.id, allowed);
      return allowed;
    }
    if (isScalar(type)) return exactly(1);
    return expr.kind === "ident" ? this.#local(expr.name)?.size : undefined;
  }
  #sizeOrUnknown(expr: Expr): Range {
    return this.#size(expr) ?? unknownSize;
  }
  #entry(expr: Expr): EntrySize | undefined {
    const known = this.#entries.get(expr.id);
    if (known !== undefined) return known;
    return expr.kind === "ident" ? this.#local(expr.name)?.entry : undefined;
  }
  #copySizes(to: Expr, from: Expr): void {
    const size = this.#size(from);
    if (size !== undefined) this.#sizes.set(to.id, size);
    const entry = this.#entry(from);
    if (entry !== undefined) this.#entries.set(to.id, entry);
  }

  #select(expr: Select): Range {
    const operand = this.cost(expr.operand);
    if (expr.testOnly) return operand;
    const { kind } = this.#type(expr.operand);
    this.#paths.set(expr.id, [...this.#path(expr.operand), expr.field]);
    return ["map", "struct", "param"].includes(kind) ? plus(operand, exactly(1)) : operand;
  }

  #value(expr: Expr): CostedValue {
    const path = this.#path(expr);
    return {
      path: path[0] === accumulator ? [] : path,
      type: this.#type(expr),
      size: this.#size(expr),
      literal: expr.kind === "literal" ? expr : undefined,
    };
  }

  #call(expr: Call): Range {
    if (expr.name === "dyn") {
      const cost = this.cost(expr.args[0]!);
      this.#copySizes(expr, expr.args[0]!);
      return plus(exactly(1), cost);
    }
    const costs = expr.args.map((arg) => this.cost(arg));
    const overloads = this.#tree.overloads.get(expr.id) ?? [];
    if (overloads.length === 0) return zero;
    const receiver = expr.target === undefined ? zero : this.cost(expr.target);
    const args = expr.args.map((arg) => this.#value(arg));
    const target = expr.target === undefined ? undefined : this.#value(expr.target);
    let own: Range = { min: most, max: 0 };
    let size: Range | undefined;
    for (const overload of overloads) {
      const estimate = this.#overloadCost(expr, { overload, target, args, costs });
      own = union(own, estimate.cost);
      if (estimate.size !== undefined) {
        size = size === undefined ? estimate.size : union(size, estimate.size);
      }
      if (overload === "index_list" || overload === "index_map") {
        size = this.#entry(expr.args[0]!)?.value;
        const step = overload === "index_list" ? "@items" : "@values";
        this.#paths.set(expr.id, [...this.#path(expr.args[0]!), step]);
      }
      size ??= this.#size(expr);
    }
    if (size !== undefined) this.#sizes.set(expr.id, size);
    return plus(receiver, own);
  }

  #overloadCost(
    expr: Call,
    call: {
      overload: string;
      target: CostedValue | undefined;
      args: CostedValue[];
      costs: Range[];
    },
  ): CallEstimate {
    const { overload, target, args, costs } = call;
    if (overload === "logical_and" || overload === "logical_or") {
      return { cost: { min: costs[0]!.min, max: plus(costs[0]!, costs[1]!).max } };
    }
    if (overload === "conditional") {
      const [, a, b] = expr.args as [Expr, Expr, Expr];
      this.#joinEntries(expr, a, b);
      return {
        cost: plus(costs[0]!, union(costs[1]!, costs[2]!)),
        size: union(this.#sizeOrUnknown(a), this.#sizeOrUnknown(b)),
      };
    }
    if (overload === "add_list" || overload === "add_string" || overload === "add_bytes") {
      this.#joinEntries(expr, expr.args[0]!, expr.args[1]!);
    }
    const estimate = estimateCall({
      name: expr.name,
      overload,
      target,
      args,
      sizeAt: this.#sizeAt,
    });
    return { ...estimate, cost: plus(estimate.cost, sum(costs)) };
  }

  #joinEntries(expr: Expr, a: Expr, b: Expr): void {
    const [x, y] = [this.#entry(a), this.#entry(b)];
    if (x === undefined || y === undefined) return;
    const joined = { kind: x.kind, key: union(x.key, y.key), value: union(x.value, y.value) };
    this.#entries.set(expr.id, joined);
  }

  #list(expr: ListExpr): Range {
    let value: Range = expr.elements.length === 0 ? zero : { min: most, max: 0 };
    const costs = expr.elements.map((element) => {
      const cost = this.cost(element);
      value = union(value, this.#sizeOrUnknown(element));
      return cost;
    });
    this.#entries.set(expr.id, { kind: "list", key: exactly(1), value });
    return plus(sum(costs), exactly(listCost));
  }

  #map(expr: MapExpr): Range {
    const empty = expr.entries.length === 0;
    let key: Range = empty ? zero : { min: most, max: 0 };
    let value = key;
    const costs = expr.entries.flatMap((entry) => {
      const both = [this.cost(entry.key), this.cost(entry.value)];
      key = union(key, this.#sizeOrUnknown(entry.key));
      value = union(value, this.#sizeOrUnknown(entry.value));
      return both;
    });
    this.#entries.set(expr.id, { kind: "map", key, value });
    return plus(sum(costs), exactly(mapCost));
  }

  #isBind({ range, condition, accumulator: name }: Fold): boolean {
    const isEmpty = range.kind === "list" && range.elements.length === 0;
    const isNever = condition.kind === "literal" && condition.value === false;
    return isEmpty && isNever && name !== accumulator;
  }

  #pushValue(name: string, expr: Expr): void {
    this.#push(name, { path: this.#path(expr), entry: this.#entry(expr), size: this.#size(expr) });
  }

  #bind(expr: Fold): Range {
    const before = plus(this.cost(expr.range), this.cost(expr.init));
    this.#pushValue(expr.accumulator, expr.init);
    const cost = plus(before, this.cost(expr.result));
    this.#pop(expr.accumulator);
    this.#copySizes(expr, expr.result);
    return cost;
  }

  /** A fold's variables, with the paths and sizes of the range's keys and values. */
  #pushVariables(expr: Fold): void {
    const entry = this.#entry(expr.range);
    const kind = entry?.kind ?? this.#type(expr.range).kind;
    const path = this.#path(expr.range);
    const isList = kind === "list";
    const push = (name: string, step: string, size: Range | undefined) =>
      this.#push(name, { path: [...path, step], size, entry: undefined });
    const [items, keys] = [isList ? "@items" : "@values", isList ? "@indices" : "@keys"];
    if (expr.variable2 !== "") {
      push(expr.variable, keys, entry?.key);
      push(expr.variable2, items, entry?.value);
    } else if (isList) push(expr.variable, "@items", entry?.value);
    else push(expr.variable, "@keys", entry?.key);
  }

  #fold(expr: Fold): Range {
    const before = plus(this.cost(expr.range), this.cost(expr.init));
    this.#pushValue(expr.accumulator, expr.init);
    this.#pushVariables(expr);
    const loop = plus(this.cost(expr.condition), this.cost(expr.step));
    this.#pop(expr.variable);
    if (expr.variable2 !== "") this.#pop(expr.variable2);
    const after = this.cost(expr.result);
    this.#pop(expr.accumulator);
    const count = this.#sizeOrUnknown(expr.range);
    if (expr.init.kind === "literal") {
      const size = this.#size(expr.init);
      if (size !== undefined) this.#sizes.set(expr.id, size);
    } else if (expr.init.kind === "list" || expr.init.kind === "map") {
      this.#sizes.set(expr.id, count);
      const entry = this.#entry(expr.step);
      if (entry !== undefined) this.#entries.set(expr.id, entry);
    }
    return plus(plus(before, after), times(count, loop));
  }
}
