/**
 * Gives every node its type, every call the overloads that it may mean.
 *
 * Errors  CompileErrors with upstream's texts; checking goes on after an error, its node counts as
 *         fitting everywhere
 * Source  cel-go checker/checker.go, cel/validator.go
 */
import { CompileErrors } from "./compile-error.ts";
import { type Environment, identType, type Overload, overloadsOf } from "./environment.ts";
import type {
  Call,
  Expr,
  Fold,
  ListExpr,
  Location,
  MapExpr,
  Select,
  StructExpr,
  SyntaxTree,
} from "./syntax-tree.ts";
import {
  boolType,
  type CelType,
  dynType,
  errorType,
  intType,
  isDyn,
  isDynOrError,
  listOf,
  mapOf,
  optionalOf,
  param,
  sameType,
  stringType,
  typeText,
  unwrapOptional,
} from "./types.ts";
import { mostGeneral, Unifier } from "./unify.ts";
import { typeOf } from "./values.ts";

export interface CheckedTree extends SyntaxTree {
  types: Map<number, CelType>;
  /** Overload ids by call. */
  overloads: Map<number, string[]>;
  /** Idents that name a type rather than a variable. */
  typeIdents: Set<number>;
}

/** `a.b.c` as one name, when it is nothing else. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === "ident") return expr.name;
  if (expr.kind !== "select" || expr.testOnly) return undefined;
  const operand = qualifiedName(expr.operand);
  return operand === undefined ? undefined : `${operand}.${expr.field}`;
}

/** The node is something else than it looked like; others point at it, so it changes in place. */
function become(node: Expr, next: Expr): void {
  for (const key of Object.keys(node)) delete (node as unknown as Record<string, unknown>)[key];
  Object.assign(node, next);
}

const withoutDot = (name: string): string => (name.startsWith(".") ? name.slice(1) : name);

export class Checker {
  readonly errors: CompileErrors;
  readonly #tree: SyntaxTree;
  readonly #environment: Environment;
  readonly #unifier = new Unifier();
  readonly #types = new Map<number, CelType>();
  readonly #overloads = new Map<number, string[]>();
  readonly #typeIdents = new Set<number>();
  readonly #scopes: Map<string, CelType>[] = [];
  #fresh = 0;

  constructor(tree: SyntaxTree, environment: Environment) {
    this.#tree = tree;
    this.#environment = environment;
    this.errors = new CompileErrors(tree.source);
  }

  check(): CheckedTree {
    this.#check(this.#tree.root);
    for (const [id, type] of this.#types) {
      this.#types.set(id, this.#unifier.substitute(type, true));
    }
    return {
      ...this.#tree,
      types: this.#types,
      overloads: this.#overloads,
      typeIdents: this.#typeIdents,
    };
  }

  #location(id: number): Location {
    return this.#tree.source.locate(this.#tree.offsets.get(id) ?? 0);
  }
  #error(id: number, message: string): undefined {
    this.errors.report(this.#location(id), message);
  }
  #mismatch(id: number, wanted: CelType, found: CelType): undefined {
    this.#error(id, `expected type '${typeText(wanted)}' but found '${typeText(found)}'`);
  }
  #undeclared(id: number, name: string): undefined {
    this.#error(id, `undeclared reference to '${name}' (in container '')`);
  }
  #set(expr: { id: number }, type: CelType): undefined {
    this.#types.set(expr.id, type);
  }
  #get(expr: { id: number }): CelType {
    return this.#types.get(expr.id) ?? errorType;
  }
  #newParam(): CelType {
    return param(`_var${this.#fresh++}`);
  }

  #lookup(name: string): { type: CelType; isType: boolean } | undefined {
    const plain = withoutDot(name);
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const type = this.#scopes[i]!.get(plain);
      if (type !== undefined) return { type, isType: false };
    }
    return identType(this.#environment, plain);
  }

  #check(expr: Expr): undefined {
    switch (expr.kind) {
      case "literal":
        return this.#set(expr, typeOf(expr.value));
      case "ident": {
        if (this.#asIdent(expr, expr.name)) return;
        this.#set(expr, errorType);
        return this.#undeclared(expr.id, expr.name);
      }
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

  #asIdent(expr: Expr, name: string): boolean {
    const found = this.#lookup(name);
    if (found === undefined) return false;
    this.#set(expr, found.type);
    if (found.isType) this.#typeIdents.add(expr.id);
    become(expr, { kind: "ident", id: expr.id, name: withoutDot(name) });
    return true;
  }

  #select(expr: Select): undefined {
    const name = qualifiedName(expr);
    if (name !== undefined && this.#asIdent(expr, name)) return;
    const type = this.#field(expr.id, expr.operand, expr.field, false);
    this.#set(expr, expr.testOnly ? boolType : this.#unifier.substitute(type));
  }

  #field(id: number, operand: Expr, name: string, isOptional: boolean): CelType {
    this.#check(operand);
    const whole = this.#unifier.substitute(this.#get(operand));
    const { type: target, optional } = unwrapOptional(whole);
    let result = errorType;
    if (target.kind === "map") result = target.params[1]!;
    else if (target.kind === "struct") {
      // A reserved word needs no escape behind a dot.
      const field = target.fields?.get(name) ?? target.fields?.get(`__${name}__`);
      if (field !== undefined) result = field;
      else this.#error(id, `undefined field '${name}'`);
    } else if (target.kind === "param") {
      this.#unifier.isAssignable(dynType, target);
      result = dynType;
    } else {
      if (!isDynOrError(target)) {
        this.#error(id, `type '${typeText(target)}' does not support field selection`);
      }
      result = dynType;
    }
    return optional || isOptional ? optionalOf(result) : result;
  }

  #optionalSelect(expr: Call): undefined {
    const [operand, name] = [expr.args[0]!, expr.args[1]!];
    const field = name.kind === "literal" ? String(name.value) : "";
    const type = this.#field(expr.id, operand, field, true);
    this.#set(name, stringType);
    this.#set(expr, this.#unifier.substitute(type));
    this.#overloads.set(expr.id, ["select_optional_field"]);
  }

  #call(expr: Call): undefined {
    if (expr.name === "_?._") return this.#optionalSelect(expr);
    for (const arg of expr.args) this.#check(arg);
    const { target } = expr;
    if (target === undefined) {
      const overloads = overloadsOf(this.#environment, withoutDot(expr.name));
      if (overloads === undefined) {
        this.#undeclared(expr.id, expr.name);
        return this.#set(expr, errorType);
      }
      expr.name = withoutDot(expr.name);
      return this.#resolve(expr, overloads, undefined);
    }
    const prefix = qualifiedName(target);
    if (prefix !== undefined) {
      const name = withoutDot(`${prefix}.${expr.name}`);
      const overloads = overloadsOf(this.#environment, name);
      if (overloads !== undefined) {
        expr.name = name;
        expr.target = undefined;
        return this.#resolve(expr, overloads, undefined);
      }
    }
    this.#check(target);
    const overloads = overloadsOf(this.#environment, expr.name);
    if (overloads !== undefined) return this.#resolve(expr, overloads, target);
    this.#set(expr, errorType);
    this.#undeclared(expr.id, expr.name);
  }

  #resolve(expr: Call, overloads: readonly Overload[], target: Expr | undefined): undefined {
    const operands = target === undefined ? expr.args : [target, ...expr.args];
    const types = operands.map((each) => this.#get(each));
    if (expr.name === "_&&_" || expr.name === "_||_") return this.#logical(expr, types);
    const ids: string[] = [];
    let result: CelType | undefined;
    for (const overload of overloads) {
      if (overload.isMember !== (target !== undefined)) continue;
      const { args, returns } = this.#instantiate(overload);
      if (!this.#unifier.isAssignableList(types, args)) continue;
      ids.push(overload.id);
      const type = this.#unifier.substitute(returns);
      if (result === undefined) result = type;
      else if (!isDyn(result) && !sameType(type, result)) result = dynType;
    }
    if (result !== undefined) {
      this.#set(expr, result);
      this.#overloads.set(expr.id, ids);
      return;
    }
    const shown = types.map((each) => typeText(this.#unifier.substitute(each, true)));
    const receiver = target === undefined ? "" : `${shown.shift()}.`;
    const signature = `${receiver}(${shown.join(", ")})`;
    this.#error(expr.id, `found no matching overload for '${expr.name}' applied to '${signature}'`);
    this.#set(expr, errorType);
  }

  #instantiate({ args, result, params }: Overload): { args: CelType[]; returns: CelType } {
    if (params.length === 0) return { args: [...args], returns: result };
    const fresh = new Map(params.map((name) => [name, this.#newParam()]));
    const replace = (type: CelType): CelType => {
      if (type.kind === "param") return fresh.get(type.name) ?? type;
      if (type.params.length === 0) return type;
      return { ...type, params: type.params.map(replace) };
    };
    return { args: args.map(replace), returns: replace(result) };
  }

  #logical(expr: Call, types: readonly CelType[]): undefined {
    let failed = false;
    for (const [i, type] of types.entries()) {
      if (this.#unifier.isAssignable(type, boolType)) continue;
      this.#mismatch(expr.args[i]!.id, boolType, type);
      failed = true;
    }
    this.#set(expr, failed ? errorType : boolType);
    if (!failed) {
      this.#overloads.set(expr.id, [expr.name === "_&&_" ? "logical_and" : "logical_or"]);
    }
  }

  /** The type of an element given as `?element`: what its optional holds. */
  #unwrapped(expr: Expr): CelType {
    const { type, optional } = unwrapOptional(this.#get(expr));
    if (!optional && !isDyn(type)) this.#mismatch(expr.id, optionalOf(type), type);
    return type;
  }

  /** Elements may differ here; literals of mixed elements are refused later, outside `format()`. */
  #join(before: CelType | undefined, type: CelType): CelType {
    if (before === undefined) return type;
    return this.#unifier.isAssignable(before, type) ? mostGeneral(before, type) : dynType;
  }

  #list(expr: ListExpr): undefined {
    let type: CelType | undefined;
    for (const [i, element] of expr.elements.entries()) {
      this.#check(element);
      const own = expr.optionals.has(i) ? this.#unwrapped(element) : this.#get(element);
      type = this.#join(type, own);
    }
    this.#set(expr, listOf(type ?? this.#newParam()));
  }

  #map(expr: MapExpr): undefined {
    let keyType: CelType | undefined;
    let valueType: CelType | undefined;
    for (const { key, value, optional } of expr.entries) {
      this.#check(key);
      keyType = this.#join(keyType, this.#get(key));
      this.#check(value);
      const own = optional ? this.#unwrapped(value) : this.#get(value);
      valueType = this.#join(valueType, own);
    }
    const key = keyType ?? this.#newParam();
    this.#set(expr, mapOf(key, valueType ?? this.#newParam()));
  }

  #struct(expr: StructExpr): undefined {
    const name = withoutDot(expr.typeName);
    const found = this.#lookup(name);
    if (found === undefined) {
      this.#undeclared(expr.id, expr.typeName);
      return this.#set(expr, errorType);
    }
    expr.typeName = name;
    let result = errorType;
    if (!found.isType) this.#error(expr.id, `'${typeText(found.type)}' is not a type`);
    else {
      const type = found.type.params[0]!;
      if (type.kind === "struct") result = type;
      else this.#error(expr.id, `'${type.name}' is not a message type`);
    }
    this.#set(expr, result);
    for (const field of expr.fields) {
      this.#check(field.value);
      const declared = result.fields?.get(field.name);
      if (result.kind === "struct" && declared === undefined) {
        this.#error(field.id, `undefined field '${field.name}'`);
      }
      const wanted = declared ?? errorType;
      const own = field.optional ? this.#unwrapped(field.value) : this.#get(field.value);
      if (this.#unifier.isAssignable(wanted, own)) continue;
      const why = `'${typeText(wanted)}' but provided type is '${typeText(own)}'`;
      this.#error(field.id, `expected type of field '${field.name}' is ${why}`);
    }
  }

  /** The types of a fold's variables: of one, the element or key; of two, both. */
  #variables(expr: Fold): [CelType, CelType] {
    const range = this.#unifier.substitute(this.#get(expr.range));
    const hasTwo = expr.variable2 !== "";
    if (range.kind === "list")
      return hasTwo ? [intType, range.params[0]!] : [range.params[0]!, dynType];
    if (range.kind === "map") return [range.params[0]!, range.params[1]!];
    if (isDynOrError(range) || range.kind === "param") {
      this.#unifier.isAssignable(dynType, range);
      return [dynType, dynType];
    }
    const why = "cannot be range of a comprehension (must be list, map, or dynamic)";
    this.#error(expr.range.id, `expression of type '${typeText(range)}' ${why}`);
    return [errorType, errorType];
  }

  #fold(expr: Fold): undefined {
    this.#check(expr.range);
    this.#check(expr.init);
    const accumulated = this.#get(expr.init);
    const outer = new Map([[expr.accumulator, accumulated]]);
    this.#scopes.push(outer);
    const [first, second] = this.#variables(expr);
    const inner = new Map([[expr.variable, first]]);
    if (expr.variable2 !== "") inner.set(expr.variable2, second);
    this.#scopes.push(inner);
    this.#check(expr.condition);
    this.#assert(expr.condition, boolType);
    this.#check(expr.step);
    this.#assert(expr.step, accumulated);
    this.#scopes.pop();
    this.#check(expr.result);
    this.#scopes.pop();
    this.#set(expr, this.#unifier.substitute(this.#get(expr.result)));
  }

  #assert(expr: Expr, wanted: CelType): undefined {
    const type = this.#get(expr);
    if (!this.#unifier.isAssignable(wanted, type)) this.#mismatch(expr.id, wanted, type);
  }
}
