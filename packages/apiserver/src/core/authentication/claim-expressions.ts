/**
 * CEL over the claims of an ID token: who it is, and whether that is good enough.
 *
 * Shapes  `claims` is a map of any values (numbers are doubles), `user` what was made of them; a
 *         claim called "a.b" is also `claims.a__dot__b`
 * Errors  an Error, worded as upstream's, refuses the token
 * Source  apiserver pkg/authentication/cel/{compile,mapper}.go,
 *         plugin/pkg/authenticator/token/oidc/oidc.go
 */
import {
  boolType,
  CelList,
  compileExpression,
  dynType,
  type Environment,
  environmentOf,
  isCelError,
  LazyMap,
  listOf,
  mapOf,
  type Program,
  stringType,
  struct,
  typeText,
  unescapeField,
  type Value,
} from "@nanokube/machinery/cel";
import type { UserInfo } from "./authenticator.ts";

export interface ClaimExpression {
  text: string;
  program: Program;
}

export interface ClaimRule extends ClaimExpression {
  message: string;
}

export interface ClaimExpressions {
  username?: ClaimExpression;
  groups?: ClaimExpression;
  uid?: ClaimExpression;
  extra: (ClaimExpression & { key: string })[];
  claimRules: ClaimRule[];
  userRules: ClaimRule[];
}

const perCallCostMax = 1_000_000;
const texts = listOf(stringType);
const userType = struct(
  "kubernetes.UserInfo",
  new Map([
    ["username", stringType],
    ["uid", stringType],
    ["groups", texts],
    ["extra", mapOf(stringType, texts)],
  ]),
);
const environments: Readonly<Record<"claims" | "user", Environment>> = {
  claims: environmentOf({ variables: [["claims", mapOf(stringType, dynType)]] }),
  user: environmentOf({ variables: [["user", userType]] }),
};

/** The program, or what is wrong with the text. */
export function compileClaims(
  text: string,
  variable: "claims" | "user",
  isRule: boolean,
): ClaimExpression | { error: string } {
  const found = compileExpression(text, environments[variable]);
  if ("errors" in found) return { error: `compilation failed: ${found.errors}` };
  const type = "program" in found ? found.program.type : found.type;
  if (isRule && typeText(type) !== typeText(boolType)) return { error: "must evaluate to bool" };
  if ("failure" in found) return { error: `program instantiation failed: ${found.failure}` };
  return { text, program: found.program };
}

/** A member is found under its own name, or as an identifier that stands for it. */
class NamedMap extends LazyMap {
  override find(key: Value): Value | undefined {
    return super.find(typeof key === "string" ? unescapeField(key) : key);
  }
}

/** As Go reads JSON: all numbers are doubles. */
function jsonValue(data: unknown): Value {
  if (data === null || data === undefined) return null;
  if (Array.isArray(data)) return new CelList(data.map(jsonValue));
  if (typeof data === "object") return new NamedMap(Object.entries(data), jsonValue);
  return data as string | boolean | number;
}

function run({ text, program }: ClaimExpression, name: string, data: Value): Value {
  const { value } = program.evaluate(
    (asked) => (asked === name ? data : undefined),
    perCallCostMax,
  );
  if (isCelError(value))
    throw new Error(`expression '${text}' resulted in error: ${value.message}`);
  return value;
}

/** Says which expression it was, when it fails. */
function within<T>(what: string, evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    throw new Error(`oidc: error evaluating ${what}: ${(error as Error).message}`);
  }
}

const notTexts = "expression must return a string or a list of strings";

/** "", [] and null are nothing; empty strings are left out. */
function textsOf(value: Value): string[] {
  if (value === null || value === "") return [];
  if (typeof value === "string") return [value];
  if (!(value instanceof CelList)) throw new Error(notTexts);
  return value.items.flatMap((item) => {
    if (typeof item !== "string") throw new Error(notTexts);
    return item === "" ? [] : [item];
  });
}

export class ClaimMapper {
  readonly #expressions: ClaimExpressions;
  readonly #claims: Value;

  constructor(expressions: ClaimExpressions, claims: object) {
    this.#expressions = expressions;
    this.#claims = jsonValue(claims);
  }

  username(): string | undefined {
    const { username } = this.#expressions;
    if (username === undefined) return undefined;
    const name = this.#text("username", username);
    if (name === "") throw new Error("oidc: empty username via CEL expression is not allowed");
    return name;
  }

  groups(): string[] | undefined {
    const { groups } = this.#expressions;
    if (groups === undefined) return undefined;
    return within("group claim expression", () => textsOf(this.#run(groups)));
  }

  uid(): string | undefined {
    const { uid } = this.#expressions;
    return uid && this.#text("uid", uid);
  }

  extra(): [string, string[]][] {
    const values = this.#expressions.extra.map((one) => [one, this.#run(one)] as const);
    return values.flatMap(([{ key, text }, value]): [string, string[]][] => {
      try {
        const found = textsOf(value);
        return found.length === 0 ? [] : [[key, found]];
      } catch (error) {
        const why = (error as Error).message;
        throw new Error(`oidc: error evaluating extra claim expression: ${text}: ${why}`);
      }
    });
  }

  check(user: UserInfo): void {
    const { claimRules, userRules } = this.#expressions;
    within("claim validation expression", () => obey(claimRules, "claims", this.#claims));
    if (userRules.length === 0) return;
    const { name, uid = "", groups, extra = {} } = user;
    const shown = jsonValue({ username: name, uid, groups, extra });
    within("user info validation rule", () => obey(userRules, "user", shown));
  }

  #text(what: string, expression: ClaimExpression): string {
    return within(`${what} claim expression`, () => {
      const value = this.#run(expression);
      if (typeof value === "string") return value;
      throw new Error(`${what} claim expression must return a string`);
    });
  }

  #run(expression: ClaimExpression): Value {
    return run(expression, "claims", this.#claims);
  }
}

/** All are evaluated before the first that does not hold is told. */
function obey(rules: readonly ClaimRule[], name: string, data: Value): void {
  const results = rules.map((rule) => run(rule, name, data));
  for (const [i, { text, message }] of rules.entries()) {
    if (typeof results[i] !== "boolean") {
      throw new Error("validation expression must return a boolean");
    }
    if (!results[i]) throw new Error(`validation expression '${text}' failed: ${message}`);
  }
}
