/**
 * A checked tree → something that can be evaluated many times, cost counted on the way.
 *
 * Chains of names, fields and indexes are one node (an attribute): that is how they are charged and
 * how `a.?b.c` stays optional to its end. Constant parts are computed once, here.
 *
 * Errors  PlanError  a constant part that cannot be computed (`duration('x')`, a bad regex)
 * Source  cel-go interpreter/{planner,interpretable,attributes,decorators}.go
 */
import type { CheckedTree } from "./checker.ts";
import { type CostTracker, listCost, mapCost, structCost } from "./cost-tracker.ts";
import { compile } from "./library/regex.ts";
import {
  type Attribute,
  attributeNode,
  built,
  callNode,
  constant,
  equality,
  folded,
  growing,
  type Node,
  optionalEntry,
  optionalOr,
  PlanError,
  pairsOf,
  regexNames,
  relative,
  type Scope,
  valueText,
  variable,
} from "./plan-nodes.ts";
import type { Call, Expr, Fold, ListExpr, MapExpr, Select, StructExpr } from "./syntax-tree.ts";
import { type CelType, struct } from "./types.ts";
import {
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelStruct,
  CelTypeValue,
  isError,
  keyText,
  noSuchOverload,
  type Value,
} from "./values.ts";

export class Planner {
  readonly #tree: CheckedTree;
  readonly #types: (name: string) => CelType | undefined;

  constructor(tree: CheckedTree, types: (name: string) => CelType | undefined) {
    this.#tree = tree;
    this.#types = types;
  }

  plan(expr: Expr): Node {
    switch (expr.kind) {
      case "literal":
        return constant(expr.value);
      case "ident":
        return this.#ident(expr.id, expr.name);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return this.#struct(expr);
      case "fold":
        return this.#fold(expr);
    }
  }

  #ident(id: number, name: string): Node {
    if (this.#tree.typeIdents.has(id)) {
      return constant(new CelTypeValue(this.#types(name) ?? struct(name)));
    }
    return attributeNode(variable(name));
  }

  #asAttribute(node: Node): Attribute {
    return node.attribute ?? relative(node);
  }

  #select(expr: Select): Node {
    const attribute = this.#asAttribute(this.plan(expr.operand));
    attribute.add({
      key: () => expr.field,
      optional: false,
      testOnly: expr.testOnly,
    });
    if (!expr.testOnly) return attributeNode(attribute);
    const test = attributeNode(attribute, 0);
    return {
      attribute,
      run(scope, tracker) {
        const value = test.run(scope, tracker);
        return value instanceof CelOptional ? value.value !== undefined : value;
      },
    };
  }

  #index(expr: Call, optional: boolean): Node {
    const [operand, index] = [this.plan(expr.args[0]!), this.plan(expr.args[1]!)];
    const attribute = this.#asAttribute(operand);
    const { constant: known, attribute: inner } = index;
    attribute.add({
      key: (scope, tracker) => {
        if (known !== undefined) return known.value;
        return inner === undefined ? index.run(scope, tracker) : inner.resolve(scope, tracker);
      },
      optional,
      testOnly: false,
    });
    return attributeNode(attribute);
  }

  #call(expr: Call): Node {
    switch (expr.name) {
      case "_&&_":
        return this.#logical(expr, false);
      case "_||_":
        return this.#logical(expr, true);
      case "_?_:_":
        return this.#conditional(expr);
      case "_[_]":
        return this.#index(expr, false);
      case "_[?_]":
      case "_?._":
        return this.#index(expr, true);
    }
    const operands = expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    const args = operands.map((each) => this.plan(each));
    const ids = this.#tree.overloads.get(expr.id) ?? [];
    const overload = ids.length === 1 ? ids[0]! : "";
    if (expr.name === "or" || expr.name === "orValue") return optionalOr(expr.name, args);
    if (expr.name === "_==_" || expr.name === "_!=_") return equality(expr.name, args);
    this.#checkRegex(expr.name, args);
    const node = callNode(expr.name, overload, args);
    return folded(expr.name, overload, args, node);
  }

  #checkRegex(name: string, args: readonly Node[]): void {
    const pattern = regexNames.has(name) ? args[1]?.constant?.value : undefined;
    if (typeof pattern !== "string") return;
    const regex = compile(pattern);
    if (isError(regex as Value)) throw new PlanError((regex as CelError).message);
  }

  #logical(expr: Call, decisive: boolean): Node {
    const terms = expr.args.map((each) => this.plan(each));
    return {
      run(scope, tracker) {
        let failure: CelError | undefined;
        for (const term of terms) {
          const value = term.run(scope, tracker);
          if (value === decisive) return decisive;
          if (typeof value !== "boolean") failure ??= isError(value) ? value : noSuchOverload();
        }
        return failure ?? !decisive;
      },
    };
  }

  #conditional(expr: Call): Node {
    const [condition, whenTrue, whenFalse] = expr.args.map((each) => this.plan(each));
    const branches = [this.#asAttribute(whenTrue!), this.#asAttribute(whenFalse!)] as const;
    const attribute: Attribute = {
      cost: 0,
      add(qualifier) {
        for (const branch of branches) branch.add(qualifier);
      },
      resolve(scope, tracker) {
        const value = condition!.run(scope, tracker);
        if (value === true) return branches[0].resolve(scope, tracker);
        if (value === false) return branches[1].resolve(scope, tracker);
        return isError(value) ? value : noSuchOverload();
      },
    };
    return attributeNode(attribute);
  }

  #list(expr: ListExpr): Node {
    const elements = expr.elements.map((each) => this.plan(each));
    const build = (scope: Scope, tracker: CostTracker): Value => {
      const items: Value[] = [];
      for (const [i, element] of elements.entries()) {
        const value = element.run(scope, tracker);
        if (isError(value)) return value;
        if (!expr.optionals.has(i)) items.push(value);
        else if (!(value instanceof CelOptional)) {
          const why = "cannot initialize optional list element from non-optional value";
          return new CelError(`${why} ${valueText(value)}`);
        } else if (value.value !== undefined) items.push(value.value);
      }
      return new CelList(items);
    };
    return built(elements, build, listCost);
  }

  #map(expr: MapExpr): Node {
    const keys = expr.entries.map((entry) => this.plan(entry.key));
    const values = expr.entries.map((entry) => this.plan(entry.value));
    const build = (scope: Scope, tracker: CostTracker): Value => {
      const entries = new Map<string, readonly [Value, Value]>();
      for (const [i, entry] of expr.entries.entries()) {
        const key = keys[i]!.run(scope, tracker);
        if (isError(key)) return key;
        const value = values[i]!.run(scope, tracker);
        if (isError(value)) return value;
        const held = entry.optional ? optionalEntry(key, value) : value;
        if (isError(held)) return held;
        if (held === undefined) entries.delete(keyText(key));
        else entries.set(keyText(key), [key, held]);
      }
      return new CelMap(entries);
    };
    return built([...keys, ...values], build, mapCost);
  }

  #struct(expr: StructExpr): Node {
    const type = this.#types(expr.typeName) ?? struct(expr.typeName);
    const values = expr.fields.map((field) => this.plan(field.value));
    return {
      run: (scope, tracker) => {
        const fields = new Map<string, Value>();
        let failure: CelError | undefined;
        for (const [i, field] of expr.fields.entries()) {
          const value = values[i]!.run(scope, tracker);
          const held = field.optional && !isError(value) ? optionalEntry(field.name, value) : value;
          if (held !== undefined && isError(held)) {
            failure = held;
            break;
          }
          if (held !== undefined) fields.set(field.name, held);
        }
        tracker.add(structCost);
        return failure ?? new CelStruct(type, fields);
      },
    };
  }

  #fold(expr: Fold): Node {
    const [range, init, condition, step, result] = [
      expr.range,
      expr.init,
      expr.condition,
      expr.step,
      expr.result,
    ].map((each) => this.plan(each)) as [Node, Node, Node, Node, Node];
    return {
      run(scope, tracker) {
        const over = range.run(scope, tracker);
        if (isError(over)) return over;
        const pairs = pairsOf(over, expr.variable2 !== "");
        if (!Array.isArray(pairs)) return pairs;
        let accumulated: Value | undefined;
        let current: readonly [Value, Value | undefined] | undefined;
        const inner: Scope = (name) => {
          if (name === expr.accumulator) {
            accumulated ??= growing(init.run(scope, tracker));
            return accumulated;
          }
          if (current !== undefined) {
            if (name === expr.variable) return current[0];
            if (name === expr.variable2) return current[1];
          }
          return scope(name);
        };
        for (const pair of pairs) {
          current = pair;
          if (condition.run(inner, tracker) === false) break;
          const next = step.run(inner, tracker);
          accumulated = next;
        }
        current = undefined;
        const value = result.run(inner, tracker);
        if (value instanceof CelList || value instanceof CelMap) value.growing = false;
        return value;
      },
    };
  }
}
