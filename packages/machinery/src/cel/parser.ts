/**
 * Text → syntax tree, macros expanded.
 *
 * Errors  CompileErrors; after the first syntax error the rest is not looked at
 * Source  cel-go parser/parser.go, parser/gen/CEL.g4
 */
import type { CompileErrors } from "./compile-error.ts";
import type { Token } from "./lexer.ts";
import { macroNodes } from "./macro-nodes.ts";
import { MacroError, macroFor } from "./macros.ts";
import type { Expr, MapEntry, SyntaxTree } from "./syntax-tree.ts";
import { operandStart, Stop, TokenReader } from "./token-reader.ts";
import { unquoteBytes, unquoteString } from "./unquote.ts";
import { CelUint, type Value } from "./values.ts";

const reserved = new Set(
  "as break const continue else false for function if import in let loop package namespace null return true var void while".split(
    " ",
  ),
);

const relations: Record<string, string> = {
  "<": "_<_",
  "<=": "_<=_",
  ">=": "_>=_",
  ">": "_>_",
  "==": "_==_",
  "!=": "_!=_",
  in: "@in",
};
const sums: Record<string, string> = { "+": "_+_", "-": "_-_" };
const products: Record<string, string> = { "*": "_*_", "/": "_/_", "%": "_%_" };

class Parser extends TokenReader {
  parse(): Expr | undefined {
    if (this.tokens.length === 0) return undefined;
    try {
      const root = this.#expr();
      const token = this.peek();
      if (token.type !== "EOF") {
        const isLast = this.tokens[this.at + 1]?.type === "EOF";
        this.unexpected(isLast ? "extraneous" : "mismatched", token, "<EOF>");
      }
      return this.errors.count === 0 ? root : undefined;
    } catch (error) {
      if (error instanceof Stop) return undefined;
      throw error;
    }
  }

  #expr(): Expr {
    return this.deeper(() => {
      const condition = this.#logical("||");
      const op = this.accept("?");
      if (op === undefined) return condition;
      const id = this.newId(op.offset);
      const whenTrue = this.#logical("||");
      this.expect(":");
      const whenFalse = this.#expr();
      return this.#call(id, "_?_:_", condition, whenTrue, whenFalse);
    });
  }

  #logical(operator: "||" | "&&"): Expr {
    const operand = () => (operator === "||" ? this.#logical("&&") : this.#relation());
    const terms = [operand()];
    const ids: number[] = [];
    for (let op = this.accept(operator); op !== undefined; op = this.accept(operator)) {
      const offset = op.offset;
      terms.push(operand());
      ids.push(this.newId(offset));
    }
    if (terms.length === 1) return terms[0]!;
    return this.#balanced(operator === "||" ? "_||_" : "_&&_", terms, ids, 0, ids.length - 1);
  }

  #balanced(name: string, terms: Expr[], ids: number[], low: number, high: number): Expr {
    const middle = Math.floor((low + high + 1) / 2);
    const left =
      middle === low ? terms[middle]! : this.#balanced(name, terms, ids, low, middle - 1);
    const right =
      middle === high ? terms[middle + 1]! : this.#balanced(name, terms, ids, middle + 1, high);
    return this.#call(ids[middle]!, name, left, right);
  }

  #binary(operand: () => Expr, operators: Record<string, string>): Expr {
    const depth = this.depth;
    let left = operand();
    for (;;) {
      const token = this.peek();
      if (token.type !== "operator" && token.type !== "keyword") break;
      if (!Object.hasOwn(operators, token.text)) break;
      this.next();
      const id = this.newId(token.offset);
      this.deeper(() => undefined);
      this.depth++;
      left = this.#call(id, operators[token.text]!, left, operand());
    }
    this.depth = depth;
    return left;
  }
  #relation(): Expr {
    return this.#binary(() => this.#sum(), relations);
  }
  #sum(): Expr {
    return this.#binary(() => this.#binary(() => this.#unary(), products), sums);
  }

  #unary(): Expr {
    const first = this.peek();
    if (first.type !== "operator" || (first.text !== "!" && first.text !== "-")) {
      return this.#member();
    }
    const after = this.tokens[this.at + 1];
    const isNumber = after?.type === "NUM_INT" || after?.type === "NUM_FLOAT";
    if (first.text === "-" && isNumber) return this.#member();
    let count = 0;
    while (this.accept(first.text) !== undefined) count++;
    if (count % 2 === 0) return this.#member();
    const id = this.newId(first.offset);
    return this.#call(id, first.text === "!" ? "!_" : "-_", this.#member());
  }

  #member(): Expr {
    const depth = this.depth;
    let expr = this.#primary();
    for (;;) {
      const dot = this.accept(".");
      if (dot !== undefined) expr = this.#select(expr, dot);
      else {
        const bracket = this.accept("[");
        if (bracket === undefined) break;
        const isOptional = this.accept("?") !== undefined;
        const id = this.newId(bracket.offset);
        const index = this.#expr();
        this.expect("]");
        expr = this.#call(id, isOptional ? "_[?_]" : "_[_]", expr, index);
      }
      this.deeper(() => undefined);
      this.depth++;
    }
    this.depth = depth;
    return expr;
  }

  #select(operand: Expr, dot: Token): Expr {
    const isOptional = this.accept("?") !== undefined;
    const token = this.peek();
    if (token.type === "ESC_IDENTIFIER") {
      this.next();
      return this.wrong(dot.offset, "unsupported syntax: '`'");
    }
    if (token.type !== "IDENTIFIER") {
      if (token.type === "keyword" && token.text !== "in") {
        const tail = `no viable alternative at input '.${token.text}'`;
        const shown = tail.replace(/.*/u, `mismatched input '${token.text}' expecting IDENTIFIER`);
        this.syntaxError(token.offset, shown);
        throw new Stop();
      }
      const shown = token.type === "EOF" ? "" : token.text;
      this.syntaxError(token.offset, `no viable alternative at input '.${shown}'`);
      throw new Stop();
    }
    this.next();
    if (isOptional) {
      const id = this.newId(dot.offset);
      const name: Expr = {
        kind: "literal",
        id: this.newId(token.offset),
        value: token.text,
      };
      return { kind: "call", id, name: "_?._", target: undefined, args: [operand, name] };
    }
    const open = this.accept("(");
    if (open !== undefined) {
      const id = this.newId(open.offset);
      const args = this.#args();
      return this.#callOrMacro(id, token.text, operand, args);
    }
    const id = this.newId(dot.offset);
    return { kind: "select", id, operand, field: token.text, testOnly: false };
  }

  #args(): Expr[] {
    const args: Expr[] = [];
    if (this.accept(")") !== undefined) return args;
    if (this.peek().type === "EOF") {
      return this.unexpected("mismatched", this.peek(), operandStart.replace("'('", "'(', ')'"));
    }
    do args.push(this.#expr());
    while (this.accept(",") !== undefined);
    this.expect(")");
    return args;
  }

  #primary(): Expr {
    const token = this.peek();
    if (token.type === "operator") {
      if (token.text === "(") {
        this.next();
        const inner = this.#expr();
        this.expect(")");
        return inner;
      }
      if (token.text === "[") return this.#list();
      if (token.text === "{") return this.#map();
      if (token.text === "-") return this.#number(this.next());
      if (token.text === ".") {
        this.next();
        return this.#named(".", this.peek());
      }
    }
    if (token.type === "IDENTIFIER") return this.#named("", token);
    if (token.type === "NUM_INT" || token.type === "NUM_FLOAT") return this.#number(undefined);
    if (!this.isOperandStart(token)) return this.#skipExtra(token);
    return this.#constant();
  }

  /** One token too many before an operand is named and stepped over. */
  #skipExtra(token: Token): Expr {
    const next = this.tokens[this.at + 1];
    if (token.type === "EOF" || next === undefined || !this.isOperandStart(next)) {
      return this.unexpected("mismatched", token, operandStart);
    }
    this.syntaxError(token.offset, `extraneous input '${token.text}' expecting ${operandStart}`);
    this.next();
    return this.#member();
  }

  #constant(): Expr {
    const token = this.next();
    const literal = (value: Value): Expr => ({
      kind: "literal",
      id: this.newId(token.offset),
      value,
    });
    if (token.type === "NUM_UINT") {
      const value = BigInt(token.text.slice(0, -1));
      if (value > 0xffff_ffff_ffff_ffffn) return this.wrong(token.offset, "invalid uint literal");
      return literal(new CelUint(value));
    }
    if (token.type === "STRING" || token.type === "BYTES") {
      try {
        if (token.type === "STRING") return literal(unquoteString(token.text));
        return literal(unquoteBytes(token.text.slice(1)));
      } catch (error) {
        return this.wrong(token.offset, (error as Error).message);
      }
    }
    if (token.text === "true") return literal(true);
    if (token.text === "false") return literal(false);
    if (token.text === "null") return literal(null);
    this.at--;
    return this.unexpected("mismatched", token, operandStart);
  }

  #number(minus: Token | undefined): Expr {
    const token = this.next();
    const offset = minus?.offset ?? token.offset;
    if (token.type === "NUM_FLOAT") {
      const value = Number(token.text) * (minus === undefined ? 1 : -1);
      if (!Number.isFinite(value)) return this.wrong(offset, "invalid double literal");
      return { kind: "literal", id: this.newId(offset), value };
    }
    if (token.type !== "NUM_INT") {
      this.at--;
      return this.unexpected("mismatched", token, operandStart);
    }
    const value = BigInt(token.text) * (minus === undefined ? 1n : -1n);
    if (BigInt.asIntN(64, value) !== value) return this.wrong(offset, "invalid int literal");
    return { kind: "literal", id: this.newId(offset), value };
  }

  /** An identifier, a call, or the construction of a message. */
  #named(lead: string, token: Token): Expr {
    if (token.type !== "IDENTIFIER") {
      this.syntaxError(token.offset, `no viable alternative at input '.${token.text}'`);
      throw new Stop();
    }
    this.next();
    const message = this.#messageName(token);
    if (message !== undefined) return this.#message(lead + message);
    const open = this.accept("(");
    if (open !== undefined) {
      const isReserved = reserved.has(token.text);
      const id = isReserved ? 0 : this.newId(open.offset);
      const args = this.#args();
      if (isReserved) return this.wrong(token.offset, `reserved identifier: ${token.text}`);
      return this.#callOrMacro(id, lead + token.text, undefined, args);
    }
    if (reserved.has(token.text)) {
      return this.wrong(token.offset, `reserved identifier: ${token.text}`);
    }
    return { kind: "ident", id: this.newId(token.offset), name: lead + token.text };
  }

  /** `a.b.C` when a `{` follows it; moves to that `{`. */
  #messageName(first: Token): string | undefined {
    let at = this.at;
    let name = first.text;
    const tokens = this.tokens;
    while (tokens[at]!.text === "." && tokens[at + 1]?.type === "IDENTIFIER") {
      name += `.${tokens[at + 1]!.text}`;
      at += 2;
    }
    if (tokens[at]!.type !== "operator" || tokens[at]!.text !== "{") return undefined;
    this.at = at;
    return name;
  }

  #message(typeName: string): Expr {
    const open = this.next();
    const id = this.newId(open.offset);
    const fields: { id: number; name: string; value: Expr; optional: boolean }[] = [];
    while (!this.is("}")) {
      const optional = this.accept("?") !== undefined;
      const name = this.next();
      if (name.type !== "IDENTIFIER") {
        this.at--;
        const expecting = "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}";
        return this.unexpected("mismatched", name, expecting);
      }
      const colon = this.expect(":");
      const fieldId = this.newId(colon.offset);
      fields.push({ id: fieldId, name: name.text, value: this.#expr(), optional });
      if (this.accept(",") === undefined) break;
    }
    this.expect("}", this.isAfterComma() ? "" : "','");
    return { kind: "struct", id, typeName, fields };
  }

  #list(): Expr {
    const id = this.newId(this.next().offset);
    const elements: Expr[] = [];
    const optionals = new Set<number>();
    while (!this.is("]") && !(elements.length > 0 && this.is(","))) {
      if (this.accept("?") !== undefined) optionals.add(elements.length);
      elements.push(this.#expr());
      if (this.accept(",") === undefined) break;
    }
    this.expect("]", this.isAfterComma() ? "" : "','");
    return { kind: "list", id, elements, optionals };
  }

  #map(): Expr {
    const id = this.newId(this.next().offset);
    const entries: MapEntry[] = [];
    while (!this.is("}")) {
      const optional = this.accept("?") !== undefined;
      const key = this.#expr();
      const colon = this.expect(":");
      const entryId = this.newId(colon.offset);
      entries.push({ id: entryId, key, value: this.#expr(), optional });
      if (this.accept(",") === undefined) break;
    }
    this.expect("}", this.isAfterComma() ? "" : "','");
    return { kind: "map", id, entries };
  }

  // ── nodes ─────────────────────────────────────────────────────────────────────────────────

  #call(id: number, name: string, ...args: Expr[]): Expr {
    return { kind: "call", id, name, target: undefined, args };
  }

  #callOrMacro(id: number, name: string, target: Expr | undefined, args: Expr[]): Expr {
    const expand = macroFor(name, args.length, target !== undefined);
    if (expand === undefined) return { kind: "call", id, name, target, args };
    try {
      const nodes = macroNodes((offset) => this.newId(offset), this.offsets, id);
      return expand(nodes, target ?? args[0]!, args);
    } catch (error) {
      if (!(error instanceof MacroError)) throw error;
      return this.wrong(this.offsets.get(error.at.id) ?? 0, error.message);
    }
  }
}

export type ParseResult = { tree: SyntaxTree } | { errors: CompileErrors };

export function parseExpression(text: string): ParseResult {
  const parser = new Parser(text);
  const root = parser.parse();
  if (root === undefined) return { errors: parser.errors };
  return { tree: { root, offsets: parser.offsets, source: parser.source } };
}
