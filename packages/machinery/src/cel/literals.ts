/**
 * What a type check cannot fault: durations, times and patterns given as constants, lists and maps
 * of mixed elements, arguments that do not fit a constant format.
 *
 * Source  cel-go cel/validator.go, ext/formatting.go stringFormatValidator
 */
import type { CheckedTree } from "./checker.ts";
import type { CompileErrors } from "./compile-error.ts";
import { conversions } from "./library/conversions.ts";
import { compile } from "./library/regex.ts";
import { type Call, childrenOf, type Expr, type ListExpr, type MapExpr } from "./syntax-tree.ts";
import { type CelType, dynType, sameType, typeText, unwrapOptional } from "./types.ts";
import { isError, type Value } from "./values.ts";

/** The argument that must be a good one, when it is a constant. */
function watched({ name, target, args }: Call): {
  arg: Expr | undefined;
  isBad: (v: Value) => boolean;
} {
  if (name === "duration" || name === "timestamp") {
    return { arg: args[0], isBad: (v) => isError(conversions[name]!(v) ?? null) };
  }
  if (name === "matches") {
    const isBad = (v: Value) => typeof v === "string" && isError(compile(v) as Value);
    return { arg: target === undefined ? args[1] : args[0], isBad };
  }
  return { arg: undefined, isBad: () => false };
}

class LiteralCheck {
  readonly #tree: CheckedTree;
  readonly #errors: CompileErrors;

  constructor(tree: CheckedTree, errors: CompileErrors) {
    this.#tree = tree;
    this.#errors = errors;
  }

  visit(expr: Expr, inFormat: boolean): void {
    if (expr.kind === "call") this.#call(expr);
    else if (expr.kind === "list" && !inFormat) this.#list(expr);
    else if (expr.kind === "map" && !inFormat) this.#map(expr);
    const inside = inFormat || (expr.kind === "call" && expr.name === "format");
    for (const child of childrenOf(expr)) this.visit(child, inside);
  }

  #type(expr: Expr): CelType {
    return this.#tree.types.get(expr.id) ?? dynType;
  }
  #report(id: number, message: string): undefined {
    this.#errors.report(this.#tree.source.locate(this.#tree.offsets.get(id) ?? 0), message);
  }

  #call(expr: Call): undefined {
    const { arg, isBad } = watched(expr);
    if (arg?.kind === "literal" && isBad(arg.value)) {
      this.#report(arg.id, `invalid ${expr.name} argument`);
    }
    const { target, args } = expr;
    if (expr.name !== "format" || target?.kind !== "literal" || args[0]?.kind !== "list") return;
    if (typeof target.value === "string") this.#format(expr, target.value, args[0].elements);
  }

  /** False when an error was reported. */
  #same(expr: Expr, wanted: CelType, own: CelType): boolean {
    if (sameType(wanted, own)) return true;
    const why = `expected type '${typeText(wanted)}' but found '${typeText(own)}'`;
    this.#report(expr.id, why);
    return false;
  }

  #list({ elements, optionals }: ListExpr): undefined {
    let wanted: CelType | undefined;
    for (const [i, element] of elements.entries()) {
      const whole = this.#type(element);
      const own = optionals.has(i) ? unwrapOptional(whole).type : whole;
      wanted ??= own;
      if (!this.#same(element, wanted, own)) return;
    }
  }

  #map({ entries }: MapExpr): undefined {
    let wanted: [CelType, CelType] | undefined;
    for (const { key, value, optional } of entries) {
      const whole = this.#type(value);
      const own: [CelType, CelType] = [
        this.#type(key),
        optional ? unwrapOptional(whole).type : whole,
      ];
      wanted ??= own;
      this.#same(key, wanted[0], own[0]);
      this.#same(value, wanted[1], own[1]);
    }
  }

  #format(call: Call, format: string, args: readonly Expr[]): undefined {
    let used = 0;
    for (const [whole, , letter] of format.matchAll(/%(?:%|(?:\.(\d*))?([\s\S]?))/gu)) {
      if (whole === "%%") continue;
      const arg = args[used];
      if (arg === undefined) return this.#report(call.id, `index ${used} out of range`);
      used++;
      const rule = clauses[letter ?? ""];
      if (rule === undefined) {
        const why = `unrecognized formatting clause "${letter}"`;
        return this.#report(call.id, `could not parse formatting clause: ${why}`);
      }
      const bad = letter === "s" ? this.#unprintable(arg) : this.#misfit(arg, rule.kinds);
      if (bad !== undefined) {
        const why = `${rule.why}, was given ${this.#type(bad).name}`;
        return this.#report(bad.id, `error during formatting: ${why}`);
      }
    }
    if (args.length <= used) return;
    const counts = `(expected ${used}, got ${args.length})`;
    this.#report(call.id, `too many arguments supplied to string.format ${counts}`);
  }

  #misfit(arg: Expr, kinds: readonly string[]): Expr | undefined {
    const { kind } = this.#type(arg);
    return kind === "dyn" || kinds.includes(kind) ? undefined : arg;
  }

  #unprintable(arg: Expr): Expr | undefined {
    const bad = this.#misfit(arg, clauses["s"]!.kinds);
    if (bad !== undefined || (arg.kind !== "list" && arg.kind !== "map")) return bad;
    for (const child of childrenOf(arg)) {
      const inner = this.#unprintable(child);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }
}

const onHex = "only integers, byte buffers, and strings can be formatted as hex";
const clauses: Readonly<Record<string, { kinds: readonly string[]; why: string }>> = {
  s: {
    kinds: "list map int uint double bool string timestamp bytes duration type null".split(" "),
    why: "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
  },
  d: { kinds: ["int", "uint"], why: "decimal clause can only be used on integers" },
  f: { kinds: ["double", "string"], why: "fixed-point clause can only be used on doubles" },
  e: { kinds: ["double", "string"], why: "scientific clause can only be used on doubles" },
  b: { kinds: ["int", "uint", "bool"], why: "only integers and bools can be formatted as binary" },
  x: { kinds: ["int", "uint", "string", "bytes"], why: onHex },
  X: { kinds: ["int", "uint", "string", "bytes"], why: onHex },
  o: { kinds: ["int", "uint"], why: "octal clause can only be used on integers" },
};

export function validateLiterals(tree: CheckedTree, errors: CompileErrors): void {
  new LiteralCheck(tree, errors).visit(tree.root, false);
}
