/**
 * Which types may stand where others are wanted, and what type parameters thereby become.
 *
 * Source  cel-go checker/types.go, checker/mapping.go
 */
import {
  type CelType,
  dynType,
  isDyn,
  isDynOrError,
  listOf,
  mapOf,
  opaque,
  sameType,
  typeOfType,
} from "./types.ts";

const nullable = new Set(["opaque", "struct", "any", "duration", "timestamp", "null"]);

/** Bindings of type parameters; a failed attempt leaves no trace. */
export class Unifier {
  readonly #bound = new Map<string, CelType>();
  #trail: [string, CelType | undefined][] = [];

  isAssignable(from: CelType, to: CelType): boolean {
    return this.isAssignableList([from], [to]);
  }

  isAssignableList(from: readonly CelType[], to: readonly CelType[]): boolean {
    this.#trail = [];
    if (this.#lists(from, to)) return true;
    for (const [name, before] of this.#trail.reverse()) {
      if (before === undefined) this.#bound.delete(name);
      else this.#bound.set(name, before);
    }
    return false;
  }

  /** Parameters replaced by what they stand for; those still free become dyn when asked. */
  substitute(type: CelType, freeToDyn = false): CelType {
    if (type.kind === "param") {
      const bound = this.#bound.get(type.name);
      if (bound !== undefined) return this.substitute(bound, freeToDyn);
      return freeToDyn ? dynType : type;
    }
    if (type.params.length === 0) return type;
    const params = type.params.map((each) => this.substitute(each, freeToDyn));
    if (type.kind === "list") return listOf(params[0]!);
    if (type.kind === "map") return mapOf(params[0]!, params[1]!);
    if (type.kind === "type") return typeOfType(params[0]!);
    return opaque(type.name, ...params);
  }

  #bind(name: string, type: CelType): void {
    this.#trail.push([name, this.#bound.get(name)]);
    this.#bound.set(name, type);
  }

  #lists(from: readonly CelType[], to: readonly CelType[]): boolean {
    return from.length === to.length && from.every((each, i) => this.#assign(each, to[i]!));
  }

  #assign(from: CelType, to: CelType): boolean {
    if (to.kind === "param") {
      const { valid, bound } = this.#binds(from, to);
      if (valid) return true;
      if (bound) return false;
    }
    if (from.kind === "param") return this.#binds(to, from).valid;
    if (isDynOrError(from) || isDynOrError(to)) return true;
    if (from.kind === "null") return nullable.has(to.kind);
    if (to.kind === "null") return nullable.has(from.kind);
    if (from.kind === "type") return to.kind === "type";
    if (from.kind !== to.kind || from.name !== to.name) return false;
    return this.#lists(from.params, to.params);
  }

  /** Whether `type` may be what `parameter` stands for; binds it. */
  #binds(type: CelType, parameter: CelType): { valid: boolean; bound: boolean } {
    if (type.kind === "param" && type.name === parameter.name) return { valid: true, bound: true };
    const bound = this.#bound.get(parameter.name);
    if (bound === undefined) {
      if (!this.#absentFrom(parameter, type)) return { valid: false, bound: false };
      this.#bind(parameter.name, type);
      return { valid: true, bound: false };
    }
    if (sameType(type, bound)) return { valid: true, bound: true };
    if (!this.#assign(type, bound)) return { valid: false, bound: true };
    const general = mostGeneral(type, bound);
    if (this.#absentFrom(parameter, general)) this.#bind(parameter.name, general);
    return { valid: true, bound: true };
  }

  #absentFrom(parameter: CelType, type: CelType): boolean {
    if (sameType(parameter, type)) return false;
    if (type.kind === "param") {
      const bound = this.#bound.get(type.name);
      return bound === undefined || this.#absentFrom(parameter, bound);
    }
    return type.params.every((each) => this.#absentFrom(parameter, each));
  }
}

export function mostGeneral(a: CelType, b: CelType): CelType {
  return isLessSpecific(a, b) ? a : b;
}

function isLessSpecific(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === "param") return true;
  if (isDyn(b) || b.kind === "param") return false;
  if (a.kind !== b.kind) return false;
  if (a.kind === "type") return true;
  if (a.params.length === 0) return sameType(a, b);
  if (a.name !== b.name || a.params.length !== b.params.length) return false;
  return a.params.every((each, i) => isLessSpecific(each, b.params[i]!));
}
