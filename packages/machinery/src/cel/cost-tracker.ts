/**
 * What an evaluation costs, counted as it goes: every name and field 1, calls by the size of what
 * they look at.
 *
 * Errors  CostExceeded ends the evaluation
 * Source  cel-go interpreter/runtimecost.go; apiserver pkg/cel/library/cost.go CallCost
 */

import { nominal, walking } from "./costs-by-name.ts";
import { AuthorizationCheck } from "./library/authorizer.ts";
import { NamedFormat } from "./library/named-formats.ts";
import { Cidr, Ip } from "./library/network.ts";
import { CelQuantity, CelSemver } from "./library/quantities.ts";
import { CelUrl } from "./library/urls.ts";
import { CelList, CelMap, CelOptional, sizeOf, type Value } from "./values.ts";

export const listCost = 10;
export const mapCost = 30;
export const structCost = 40;
export const traversal = 0.1;
export const regexFactor = 0.25;
export const authorizationCost = 350_000;

export class CostExceeded extends Error {
  readonly cost: number;
  constructor(cost: number) {
    super("operation cancelled: actual cost limit exceeded");
    this.cost = cost;
  }
}

export class CostTracker {
  cost = 0;
  readonly #limit: number;
  constructor(limit: number) {
    this.#limit = limit;
  }
  add(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#limit) throw new CostExceeded(this.cost);
  }
}

function actual(value: Value | undefined): number {
  if (value === undefined) return 1;
  if (value instanceof CelOptional) return value.value === undefined ? 1 : actual(value.value);
  return sizeOf(value) ?? 1;
}

const scaled = (value: Value | undefined, factor: number): number =>
  Math.ceil(actual(value) * factor);

/** A whole tree looked at once. */
function traverse(value: Value): number {
  if (typeof value === "string")
    return Math.floor(new TextEncoder().encode(value).length * traversal);
  if (value instanceof Uint8Array) return Math.floor(value.length * traversal);
  if (value instanceof CelList)
    return value.items.reduce((sum: number, item) => sum + traverse(item), 0);
  if (value instanceof CelMap) {
    let sum = 0;
    for (const [key, item] of value.entries.values()) sum += traverse(key) + traverse(item);
    return sum;
  }
  return 1;
}

const regexCost = (text: Value | undefined, patternSize: number): number =>
  Math.ceil((1 + actual(text)) * traversal) * Math.ceil(patternSize * regexFactor);

const reading = new Set(
  (
    "url lowerAscii upperAscii substring trim jsonpatch.escapeKey cidr isIP isCIDR ip quantity " +
    "isQuantity semver isSemver"
  ).split(" "),
);

const isAtomic = (value: Value | undefined): boolean =>
  value instanceof CelQuantity ||
  value instanceof Ip ||
  value instanceof Cidr ||
  value instanceof NamedFormat ||
  value instanceof CelUrl ||
  value instanceof CelSemver ||
  value instanceof AuthorizationCheck;

/** Costs that Kubernetes sets by a function's name. */
function namedCost(name: string, args: readonly Value[], result: Value): number | undefined {
  const [first, second] = args;
  if (nominal.has(name)) return 1;
  if (walking.has(name)) return first === undefined ? 0 : traverse(first);
  if (name === "ip" && first instanceof Cidr) return 1;
  if (reading.has(name)) return scaled(first, traversal);
  switch (name) {
    case "check":
      return authorizationCost;
    case "fieldSelector":
    case "labelSelector": {
      const requirements = scaled(second, 0.5);
      return listCost + scaled(second, traversal) + requirements * (listCost + structCost);
    }
    case "replace":
    case "split":
    case "ip.isCanonical":
      return scaled(first, 2 * traversal);
    case "join":
      return scaled(result, 2 * traversal);
    case "find":
    case "findAll":
      return regexCost(first, actual(second));
    case "containsIP":
    case "containsCIDR":
      return containsCost(name, first, second);
    case "validate":
      return first instanceof NamedFormat ? regexCost(second, first.regexSize) : undefined;
    case "_==_":
      return isAtomic(first) ? 1 : undefined;
    default:
      return undefined;
  }
}

function containsCost(name: string, first: Value | undefined, second: Value | undefined): number {
  let cost = Math.ceil(2 * actual(first) * traversal);
  if (name === "containsCIDR") cost += scaled(first, traversal) + 1;
  return typeof second === "string" ? cost + scaled(second, traversal) : cost;
}

/** Lists compared with themselves. */
function selfCompare(value: Value | undefined): number {
  if (!(value instanceof CelList)) return 1;
  const first = value.items[0];
  const factor = typeof first === "string" || first instanceof Uint8Array ? 2.1 : 2;
  return Math.floor(value.size ** 2 * factor) + 1 + listCost;
}

/** Costs that belong to one overload, before all others. */
function listOverloadCost(
  overload: string,
  args: readonly Value[],
  result: Value,
): number | undefined {
  switch (overload) {
    case "list_slice":
    case "lists_range":
    case "list_reverse":
      return actual(result) + 1 + listCost;
    case "list_flatten":
    case "list_flatten_int": {
      const depth = typeof args[1] === "bigint" ? Number(args[1]) : 1;
      return Math.floor(actual(args[0]) * depth) + 1 + listCost;
    }
    case "list_distinct":
      return selfCompare(args[0]);
    case "list_sets_contains_list":
    case "list_sets_intersects_list":
      return 1 + actual(args[0]) * actual(args[1]);
    case "list_sets_equivalent_list":
      return 1 + actual(args[0]) * actual(args[1]) * 2;
    default:
      if (overload.endsWith("_sort")) return selfCompare(args[0]);
      return overload.endsWith("_sortByAssociatedKeys") ? selfCompare(args[1]) : undefined;
  }
}

/** `overload` is "" when only the values at run time tell which it is. */
export function callCost(
  name: string,
  overload: string,
  args: readonly Value[],
  result: Value,
): number {
  const special = listOverloadCost(overload, args, result) ?? namedCost(name, args, result);
  if (special !== undefined) return special;
  const [first, second] = args;
  switch (overload) {
    case "starts_with_string":
    case "ends_with_string":
    case "string_to_bytes":
    case "bytes_to_string":
    case "strings_quote":
    case "string_format":
      return scaled(first, traversal);
    case "in_list":
      return actual(second);
    case "equals":
    case "not_equals":
      return Math.ceil(Math.min(actual(first), actual(second)) * traversal);
    case "add_string":
    case "add_bytes":
      return Math.ceil((actual(first) + actual(second)) * traversal);
    case "matches":
    case "matches_string":
      return overload === "matches" ? 1 : regexCost(first, actual(second));
    case "contains_string":
      return scaled(first, traversal) * scaled(second, traversal);
    default:
      if (/^(?:less|greater)(?:_equals)?_(?:string|bytes)$/u.test(overload)) {
        return Math.ceil(Math.min(actual(first), actual(second)) * traversal);
      }
      return 1;
  }
}
