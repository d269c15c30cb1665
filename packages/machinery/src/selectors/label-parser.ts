/**
 * The grammar of label selectors: `key`, `!key`, `key=v`, `key==v`, `key!=v`, `key in (a,b)`,
 * `key notin (a)`, `key>1`, `key<1`, joined by commas.
 *
 * Source  k8s.io/apimachinery/pkg/labels/selector.go (Lexer, Parser)
 */
import {
  checkKey,
  createRequirement,
  type LabelOperator,
  type Requirement,
  SelectorError,
} from "./requirement.ts";

type Kind = "error" | "end" | "identifier" | ")" | "(" | "," | "!" | "operator";

interface Token {
  kind: Kind;
  literal: string;
}

const symbols = new Map<string, Kind>([
  [")", ")"],
  ["(", "("],
  [",", ","],
  ["!", "!"],
  ["=", "operator"],
  ["==", "operator"],
  ["!=", "operator"],
  [">", "operator"],
  ["<", "operator"],
]);
const operatorOf: Readonly<Record<string, LabelOperator>> = {
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
  in: "in",
  notin: "notin",
};
const binaryOperators = "in, notin, =, ==, !=, gt, lt";

const isSpace = (char: string): boolean => " \t\r\n".includes(char);
const isSymbol = (char: string): boolean => "=!(),><".includes(char);

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    if (isSpace(char)) {
      at++;
    } else if (isSymbol(char)) {
      const token = scanSymbol(text, at);
      tokens.push(token.token);
      at = token.next;
    } else {
      const start = at;
      while (at < text.length && !isSpace(text[at]!) && !isSymbol(text[at]!)) at++;
      const literal = text.slice(start, at);
      const keyword = literal === "in" || literal === "notin";
      tokens.push({ kind: keyword ? "operator" : "identifier", literal });
    }
  }
  tokens.push({ kind: "end", literal: "" });
  return tokens;
}

/** The longest run of symbols that is a token. */
function scanSymbol(text: string, start: number): { token: Token; next: number } {
  let token: Token | undefined;
  let end = start;
  while (end < text.length && isSymbol(text[end]!)) {
    const literal = text.slice(start, end + 1);
    const kind = symbols.get(literal);
    if (kind === undefined) break;
    token = { kind, literal };
    end++;
  }
  return { token: token!, next: end };
}

/** @throws SelectorError */
export function parseRequirements(text: string): Requirement[] {
  return new Parser(tokenize(text)).parse();
}

class Parser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  /** "in" and "notin" are keys and values as well; only after a key they are operators. */
  #peek(): Token {
    const token = this.#tokens[Math.min(this.#at, this.#tokens.length - 1)]!;
    const word = token.literal === "in" || token.literal === "notin";
    return word ? { kind: "identifier", literal: token.literal } : token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const first = this.#peek();
      if (first.kind === "end") return requirements;
      if (first.kind !== "identifier" && first.kind !== "!") {
        throw new SelectorError(
          `found '${first.literal}', expected: !, identifier, or 'end of string'`,
        );
      }
      requirements.push(this.#requirement());
      const after = this.#next();
      if (after.kind === "end") return requirements;
      if (after.kind !== ",") {
        throw new SelectorError(`found '${after.literal}', expected: ',' or 'end of string'`);
      }
      const follower = this.#peek();
      if (follower.kind !== "identifier" && follower.kind !== "!") {
        throw new SelectorError(`found '${follower.literal}', expected: identifier after ','`);
      }
    }
  }

  #requirement(): Requirement {
    try {
      return this.#keyAndCondition();
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`);
    }
  }

  #keyAndCondition(): Requirement {
    let token = this.#next();
    const negated = token.kind === "!";
    if (negated) token = this.#next();
    if (token.kind !== "identifier") {
      throw new SelectorError(`found '${token.literal}', expected: identifier`);
    }
    const key = token.literal;
    checkKey(key);
    const after = this.#peek().kind;
    if (negated) return createRequirement(key, "!", []);
    if (after === "end" || after === ",") return createRequirement(key, "exists", []);
    const operator = this.#operator();
    const values = operator === "in" || operator === "notin" ? this.#set() : [this.#exactValue()];
    return createRequirement(key, operator, [...new Set(values)].sort());
  }

  #operator(): LabelOperator {
    const literal = this.#next().literal;
    const operator = Object.hasOwn(operatorOf, literal) ? operatorOf[literal] : undefined;
    if (operator !== undefined) return operator;
    throw new SelectorError(`found '${literal}', expected: ${binaryOperators}`);
  }

  #exactValue(): string {
    const kind = this.#peek().kind;
    if (kind === "end" || kind === ",") return "";
    const token = this.#next();
    if (token.kind === "identifier") return token.literal;
    throw new SelectorError(`found '${token.literal}', expected: identifier`);
  }

  #set(): string[] {
    const open = this.#next();
    if (open.kind !== "(") throw new SelectorError(`found '${open.literal}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ")") {
      this.#next();
      return [""];
    }
    if (first.kind !== "identifier" && first.kind !== ",") {
      throw new SelectorError(`found '${first.literal}', expected: ',', ')' or identifier`);
    }
    const values = this.#identifiers();
    this.#next();
    return values;
  }

  /** Up to the closing bracket; an empty place between commas is the empty value. */
  #identifiers(): string[] {
    const values: string[] = [];
    for (;;) {
      const token = this.#next();
      const after = this.#peek();
      if (token.kind === "identifier") {
        values.push(token.literal);
        if (after.kind === ")") return values;
        if (after.kind !== ",") {
          throw new SelectorError(`found '${after.literal}', expected: ',' or ')'`);
        }
      } else if (token.kind === ",") {
        if (values.length === 0) values.push("");
        if (after.kind === ")") return [...values, ""];
        if (after.kind === ",") values.push("");
      } else {
        throw new SelectorError(`found '${token.literal}', expected: ',', or identifier`);
      }
    }
  }
}
