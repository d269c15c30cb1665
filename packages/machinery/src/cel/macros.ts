/**
 * Macros: calls that the parser replaces by what they stand for, mostly a fold.
 *
 * Source  cel-go parser/macro.go, ext/{comprehensions,lists}.go, cel/library.go (optMap)
 */
import type { Expr, Fold, MapEntry } from "./syntax-tree.ts";
import type { Value } from "./values.ts";

/** Makes nodes that point at the macro's call. */
export interface MacroNodes {
  literal(value: Value): Expr;
  ident(name: string): Expr;
  call(name: string, ...args: Expr[]): Expr;
  member(name: string, target: Expr, ...args: Expr[]): Expr;
  list(...elements: Expr[]): Expr;
  map(...entries: MapEntry[]): Expr;
  presence(operand: Expr, field: string): Expr;
  fold(parts: Omit<Fold, "kind" | "id">): Expr;
  copy(expr: Expr): Expr;
}

/** The macro was meant, but its arguments are wrong. */
export class MacroError extends Error {
  readonly at: Expr;
  constructor(at: Expr, message: string) {
    super(message);
    this.at = at;
  }
}

type Expander = (nodes: MacroNodes, target: Expr, args: Expr[]) => Expr;

export const accumulator = "__result__";

function variable(arg: Expr, message: string): string {
  if (arg.kind !== "ident") throw new MacroError(arg, message);
  if (arg.name === accumulator) {
    throw new MacroError(arg, "iteration variable overwrites accumulator variable");
  }
  return arg.name;
}

const simpleName = "argument must be a simple name";

function twoVariables(args: Expr[]): { variable: string; variable2: string } {
  const [first, second] = [args[0]!, args[1]!];
  for (const arg of [first, second]) {
    if (arg.kind !== "ident") throw new MacroError(arg, simpleName);
  }
  const names = [first, second].map((arg) => (arg.kind === "ident" ? arg.name : ""));
  if (names[0] === names[1]) {
    throw new MacroError(second, `duplicate variable name: ${names[0]}`);
  }
  return { variable: variable(first, simpleName), variable2: variable(second, simpleName) };
}

/** `all`, `exists`, `exists_one` over one variable, or over key and value. */
function quantifier(kind: "all" | "exists" | "one"): Expander {
  return (nodes, range, args) => {
    const names =
      args.length === 2
        ? { variable: variable(args[0]!, simpleName), variable2: "" }
        : twoVariables(args);
    const predicate = args.at(-1)!;
    const result = () => nodes.ident(accumulator);
    const common = { range, ...names, accumulator };
    if (kind === "all") {
      return nodes.fold({
        ...common,
        init: nodes.literal(true),
        condition: nodes.call("@not_strictly_false", result()),
        step: nodes.call("_&&_", result(), predicate),
        result: result(),
      });
    }
    if (kind === "exists") {
      return nodes.fold({
        ...common,
        init: nodes.literal(false),
        condition: nodes.call("@not_strictly_false", nodes.call("!_", result())),
        step: nodes.call("_||_", result(), predicate),
        result: result(),
      });
    }
    const more = nodes.call("_+_", result(), nodes.literal(1n));
    return nodes.fold({
      ...common,
      init: nodes.literal(0n),
      condition: nodes.literal(true),
      step: nodes.call("_?_:_", predicate, more, result()),
      result: nodes.call("_==_", result(), nodes.literal(1n)),
    });
  };
}

/** Appends to a list, or inserts into a map, what `step` makes of each element. */
function collect(
  nodes: MacroNodes,
  range: Expr,
  names: { variable: string; variable2: string },
  { init, step, filter }: { init: Expr; step: Expr; filter: Expr | undefined },
): Expr {
  const whole =
    filter === undefined ? step : nodes.call("_?_:_", filter, step, nodes.ident(accumulator));
  return nodes.fold({
    range,
    ...names,
    accumulator,
    init,
    condition: nodes.literal(true),
    step: whole,
    result: nodes.ident(accumulator),
  });
}

const notIdentifier = "argument is not an identifier";

const map: Expander = (nodes, range, args) => {
  const names = { variable: variable(args[0]!, notIdentifier), variable2: "" };
  const filter = args.length === 3 ? args[1]! : undefined;
  const init = nodes.list();
  const step = nodes.call("_+_", nodes.ident(accumulator), nodes.list(args.at(-1)!));
  return collect(nodes, range, names, { init, step, filter });
};

const filter: Expander = (nodes, range, args) => {
  const names = { variable: variable(args[0]!, notIdentifier), variable2: "" };
  const init = nodes.list();
  const step = nodes.call("_+_", nodes.ident(accumulator), nodes.list(args[0]!));
  return collect(nodes, range, names, { init, step, filter: args[1]! });
};

const transformList: Expander = (nodes, range, args) => {
  const names = twoVariables(args);
  const step = nodes.call("_+_", nodes.ident(accumulator), nodes.list(args.at(-1)!));
  const only = args.length === 4 ? args[2]! : undefined;
  return collect(nodes, range, names, { init: nodes.list(), step, filter: only });
};

const transformMap: Expander = (nodes, range, args) => {
  const names = twoVariables(args);
  const key = nodes.ident(names.variable);
  const step = nodes.call("cel.@mapInsert", nodes.ident(accumulator), key, args.at(-1)!);
  const only = args.length === 4 ? args[2]! : undefined;
  return collect(nodes, range, names, { init: nodes.map(), step, filter: only });
};

const transformMapEntry: Expander = (nodes, range, args) => {
  const names = twoVariables(args);
  const step = nodes.call("cel.@mapInsert", nodes.ident(accumulator), args.at(-1)!);
  const only = args.length === 4 ? args[2]! : undefined;
  return collect(nodes, range, names, { init: nodes.map(), step, filter: only });
};

/** Names a value: a fold over nothing whose accumulator is that value. */
function bind(nodes: MacroNodes, name: string, value: Expr, result: Expr): Expr {
  return nodes.fold({
    range: nodes.list(),
    variable: "#unused",
    variable2: "",
    accumulator: name,
    init: value,
    condition: nodes.literal(false),
    step: nodes.ident(name),
    result,
  });
}

function optionalMap(name: string, wraps: boolean): Expander {
  return (nodes, target, args) => {
    const [first, body] = [args[0]!, args[1]!];
    if (first.kind !== "ident") {
      throw new MacroError(first, `${name}() variable name must be a simple identifier`);
    }
    const hasValue = nodes.member("hasValue", target);
    const bound = bind(nodes, first.name, nodes.member("value", nodes.copy(target)), body);
    const present = wraps ? nodes.call("optional.of", bound) : bound;
    return nodes.call("_?_:_", hasValue, present, nodes.call("optional.none"));
  };
}

const sortBy: Expander = (nodes, target, args) => {
  if (!["list", "select", "ident", "fold", "call"].includes(target.kind)) {
    const why =
      "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
    throw new MacroError(target, why);
  }
  const name = "@__sortBy_input__";
  const keys = map(nodes, nodes.ident(name), args);
  const sorted = nodes.member("@sortByAssociatedKeys", nodes.ident(name), keys);
  return bind(nodes, name, target, sorted);
};

const has: Expander = (nodes, _target, args) => {
  const [arg] = args;
  if (arg?.kind !== "select") throw new MacroError(arg!, "invalid argument to has() macro");
  return nodes.presence(arg.operand, arg.field);
};

/** By name and number of arguments; `has` alone has no receiver. */
const receivers = new Map<string, Expander>([
  ["all:2", quantifier("all")],
  ["all:3", quantifier("all")],
  ["exists:2", quantifier("exists")],
  ["exists:3", quantifier("exists")],
  ["exists_one:2", quantifier("one")],
  ["exists_one:3", quantifier("one")],
  ["existsOne:3", quantifier("one")],
  ["map:2", map],
  ["map:3", map],
  ["filter:2", filter],
  ["transformList:3", transformList],
  ["transformList:4", transformList],
  ["transformMap:3", transformMap],
  ["transformMap:4", transformMap],
  ["transformMapEntry:3", transformMapEntry],
  ["transformMapEntry:4", transformMapEntry],
  ["optMap:2", optionalMap("optMap", true)],
  ["optFlatMap:2", optionalMap("optFlatMap", false)],
  ["sortBy:2", sortBy],
]);

export function macroFor(name: string, args: number, hasTarget: boolean): Expander | undefined {
  if (hasTarget) return receivers.get(`${name}:${args}`);
  return name === "has" && args === 1 ? has : undefined;
}
