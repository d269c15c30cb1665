/**
 * What the parser makes: a tree without macros, each node with an id. Ids lead to places in the
 * source, to types (after the check) and to the function meant.
 *
 * Source  cel-go common/ast/expr.go
 */
import type { Value } from "./values.ts";

export interface Literal {
  kind: "literal";
  id: number;
  value: Value;
}
export interface Ident {
  kind: "ident";
  id: number;
  name: string;
}
export interface Select {
  kind: "select";
  id: number;
  operand: Expr;
  field: string;
  /** `has(operand.field)` */
  testOnly: boolean;
}
export interface Call {
  kind: "call";
  id: number;
  name: string;
  target: Expr | undefined;
  args: Expr[];
}
export interface ListExpr {
  kind: "list";
  id: number;
  elements: Expr[];
  /** Indexes of `?element`. */
  optionals: ReadonlySet<number>;
}
export interface MapEntry {
  id: number;
  key: Expr;
  value: Expr;
  optional: boolean;
}
export interface MapExpr {
  kind: "map";
  id: number;
  entries: MapEntry[];
}
export interface FieldInit {
  id: number;
  name: string;
  value: Expr;
  optional: boolean;
}
export interface StructExpr {
  kind: "struct";
  id: number;
  typeName: string;
  fields: FieldInit[];
}
/** All macros that loop: an accumulator, a step for each element, a result. */
export interface Fold {
  kind: "fold";
  id: number;
  range: Expr;
  variable: string;
  /** Second variable of `all(k, v, …)` and its like; "" when there is one only. */
  variable2: string;
  accumulator: string;
  init: Expr;
  condition: Expr;
  step: Expr;
  result: Expr;
}

export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Fold;

/** Line from 1, column from 0 in code points. */
export interface Location {
  line: number;
  column: number;
}

export const noLocation: Location = { line: -1, column: -1 };

export interface SyntaxTree {
  root: Expr;
  /** Offsets by node id. */
  offsets: Map<number, number>;
  source: Source;
}

/** The text of an expression by lines. */
export class Source {
  readonly characters: readonly string[];
  readonly #lines: readonly string[];
  readonly #starts: number[] = [0];

  constructor(text: string) {
    this.characters = [...text];
    this.#lines = text.split("\n");
    for (const [i, letter] of this.characters.entries()) {
      if (letter === "\n") this.#starts.push(i + 1);
    }
  }
  locate(offset: number): Location {
    let line = this.#starts.length;
    while (line > 1 && this.#starts[line - 1]! > offset) line--;
    return { line, column: offset - this.#starts[line - 1]! };
  }
  line(line: number): string | undefined {
    return this.#lines[line - 1];
  }
}

export function childrenOf(expr: Expr): Expr[] {
  switch (expr.kind) {
    case "literal":
    case "ident":
      return [];
    case "select":
      return [expr.operand];
    case "call":
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case "list":
      return expr.elements;
    case "map":
      return expr.entries.flatMap((entry) => [entry.key, entry.value]);
    case "struct":
      return expr.fields.map((field) => field.value);
    case "fold":
      return [expr.range, expr.init, expr.condition, expr.step, expr.result];
  }
}
