/**
 * The parser's hands: tokens, ids, and errors in ANTLR's words.
 *
 * Source  cel-go parser/parser.go, antlr DefaultErrorStrategy
 */
import { CompileErrors } from "./compile-error.ts";
import { type Token, tokenize } from "./lexer.ts";
import { type Expr, Source } from "./syntax-tree.ts";

const depthMax = 250;
const sizeMax = 100_000;

export const operandStart =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** Unwinds the parser; what is wrong is in the errors already. */
export class Stop extends Error {}

/** Reads tokens one by one and gives nodes their ids. */
export class TokenReader {
  readonly errors: CompileErrors;
  readonly offsets = new Map<number, number>();
  readonly source: Source;
  protected readonly tokens: Token[];
  protected at = 0;
  #id = 0;
  protected depth = 0;

  constructor(text: string) {
    this.source = new Source(text);
    this.errors = new CompileErrors(this.source);
    if (this.source.characters.length > sizeMax) {
      const size = this.source.characters.length;
      this.errors.reportNowhere(
        `expression code point size exceeds limit: size: ${size}, limit ${sizeMax}`,
      );
      this.tokens = [];
      return;
    }
    const { tokens, errors } = tokenize(text);
    this.tokens = tokens;
    for (const { offset, message } of errors) this.syntaxError(offset, message);
  }

  protected peek(): Token {
    return this.tokens[this.at]!;
  }
  protected next(): Token {
    const token = this.tokens[this.at]!;
    if (token.type !== "EOF") this.at++;
    return token;
  }
  protected is(text: string): boolean {
    const token = this.peek();
    return token.text === text && (token.type === "operator" || token.type === "keyword");
  }
  protected accept(text: string): Token | undefined {
    return this.is(text) ? this.next() : undefined;
  }
  /** Says what ANTLR would: a token too many, one too few, or another one. */
  protected expect(text: string, others = ""): Token {
    const token = this.accept(text);
    if (token !== undefined) return token;
    const found = this.peek();
    const expecting = others === "" ? `'${text}'` : `{'${text}', ${others}}`;
    const next = this.tokens[this.at + 1];
    if (next?.type === "operator" && next.text === text) {
      return this.unexpected("extraneous", found, expecting);
    }
    if (text === ")" && !this.isOperandStart(found)) {
      this.syntaxError(found.offset, `missing ')' at '${found.text}'`);
      throw new Stop();
    }
    return this.unexpected("mismatched", found, expecting);
  }
  protected isAfterComma(): boolean {
    return this.tokens[this.at - 1]?.text === ",";
  }
  protected isOperandStart(token: Token): boolean {
    if (token.type === "operator") return "[{(.-!".includes(token.text);
    if (token.type === "keyword") return token.text !== "in";
    return token.type !== "EOF" && token.type !== "ESC_IDENTIFIER";
  }
  protected unexpected(lead: string, token: Token, expecting: string): never {
    this.syntaxError(token.offset, `${lead} input '${token.text}' expecting ${expecting}`);
    throw new Stop();
  }
  protected syntaxError(offset: number, message: string): void {
    this.errors.report(this.source.locate(offset), `Syntax error: ${message}`);
  }
  protected newId(offset: number): number {
    this.#id++;
    this.offsets.set(this.#id, offset);
    return this.#id;
  }
  /** An error that lets parsing go on, as upstream's visitor does after the grammar matched. */
  protected wrong(offset: number, message: string): Expr {
    this.errors.report(this.source.locate(offset), message);
    return { kind: "literal", id: this.newId(offset), value: null };
  }
  protected deeper<T>(parse: () => T): T {
    this.depth++;
    if (this.depth > depthMax) {
      this.errors.reportNowhere(`expression recursion limit exceeded: ${depthMax}`);
      throw new Stop();
    }
    const result = parse();
    this.depth--;
    return result;
  }
}
