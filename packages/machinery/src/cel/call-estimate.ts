/**
 * What one call may cost, and how large its result may be.
 *
 * Any change here changes which rules may be written to a definition.
 *
 * Source  apiserver pkg/cel/library/cost.go EstimateCallCost; cel-go ext/{lists,sets}.go, checker/cost.go
 */
import type { CostedValue, SizeEstimator } from "./cost-estimate.ts";
import {
  exactly,
  most,
  plus,
  type Range,
  scale,
  times,
  union,
  unknownSize,
  zero,
} from "./cost-range.ts";
import { authorizationCost, listCost, regexFactor, structCost, traversal } from "./cost-tracker.ts";
import { nominal, walking } from "./costs-by-name.ts";
import { sameType } from "./types.ts";

export interface CallEstimate {
  cost: Range;
  size?: Range;
}

interface CallToEstimate {
  name: string;
  overload: string;
  target: CostedValue | undefined;
  args: readonly CostedValue[];
  sizeAt: SizeEstimator;
}

const parsing = new Set("cidr isIP isCIDR ip quantity isQuantity semver isSemver".split(" "));

function sizeOf(value: CostedValue | undefined): Range {
  return value?.size ?? unknownSize;
}

/** The elements of a list, as a value of their own. */
function elementOf(list: CostedValue, sizeAt: SizeEstimator): CostedValue | undefined {
  const type = list.type.params[0];
  if (type === undefined) return undefined;
  const path = list.path.length === 0 ? [] : [...list.path, "@items"];
  const size = path.length === 0 ? undefined : sizeAt(path, type);
  return { path, type, size, literal: undefined };
}

const isText = (value: CostedValue): boolean =>
  value.type.kind === "string" || value.type.kind === "bytes";

function literalInt(value: CostedValue | undefined): number | undefined {
  const literal = value?.literal?.kind === "literal" ? value.literal.value : undefined;
  return typeof literal === "bigint" ? Number(literal) : undefined;
}

const natural = (value: CostedValue | undefined, fallback: number): number => {
  const known = literalInt(value);
  return known === undefined ? fallback : Math.max(0, known);
};

function allocating(factor: number, size: Range): CallEstimate {
  return { cost: plus(plus(scale(size, factor), exactly(1)), exactly(listCost)), size };
}

function sorted(value: CostedValue | undefined, overload: string): CallEstimate {
  const size = sizeOf(value);
  const factor = /^list_(?:string|bytes)_/u.test(overload) ? 2.1 : 2;
  return allocating(factor, times(size, size));
}

/** Costs that belong to one overload. */
function ofOverload({ overload, target, args }: CallToEstimate): CallEstimate | undefined {
  switch (overload) {
    case "list_slice": {
      const size = sizeOf(target);
      const count = natural(args[1], size.max) - natural(args[0], 0);
      return allocating(1, exactly(count < 0 ? most : count));
    }
    case "lists_range":
      return allocating(1, exactly(natural(args[0], most)));
    case "list_reverse":
      return allocating(1, sizeOf(target));
    case "list_flatten":
    case "list_flatten_int":
      return allocating(args.length === 1 ? natural(args[0], most) : 1, sizeOf(target));
    case "list_distinct":
      return allocating(2, times(sizeOf(target), sizeOf(target)));
    case "list_sets_contains_list":
    case "list_sets_intersects_list":
    case "list_sets_equivalent_list": {
      const factor = overload === "list_sets_equivalent_list" ? 2 : 1;
      const product = times(sizeOf(args[0]), sizeOf(args[1]));
      return { cost: plus(scale(product, factor), exactly(1)) };
    }
    default:
      if (overload.endsWith("_sort")) return sorted(target, overload);
      return overload.endsWith("_sortByAssociatedKeys") ? sorted(args[0], overload) : undefined;
  }
}

function walk({ target, sizeAt }: CallToEstimate): CallEstimate | undefined {
  if (target === undefined) return undefined;
  const element = elementOf(target, sizeAt);
  if (element === undefined) return { cost: scale(sizeOf(target), traversal) };
  const each = isText(element) ? plus(exactly(1), scale(sizeOf(element), traversal)) : exactly(1);
  return { cost: times(sizeOf(target), each) };
}

function replaced({ target, args }: CallToEstimate): CallEstimate {
  const size = sizeOf(target);
  const [from, to] = [sizeOf(args[0]), sizeOf(args[1])];
  const side = (text: number, old: number, fresh: number, grows: boolean) => {
    if (old === 0) return { count: text < most ? text + 1 : text, kept: text };
    if (grows ? fresh <= old : old <= fresh) return { count: 0, kept: text };
    return { count: Math.ceil(text / old), kept: 0 };
  };
  const high = side(size.max, from.min, to.max, true);
  const low = side(size.min, from.max, to.min, false);
  const count = { min: low.count, max: high.count };
  const kept = { min: low.kept, max: high.kept };
  return { cost: scale(size, 2 * traversal), size: plus(times(count, to), kept) };
}

function joined({ target, args, sizeAt }: CallToEstimate): CallEstimate | undefined {
  if (target === undefined) return undefined;
  const list = sizeOf(target);
  const element = elementOf(target, sizeAt);
  let size = element === undefined ? zero : times(list, sizeOf(element));
  if (args.length > 0) {
    const gaps = { min: Math.max(0, list.min - 1), max: Math.max(0, list.max - 1) };
    size = plus(size, times(sizeOf(args[0]), gaps));
  }
  return { cost: scale(size, traversal), size };
}

const regexCost = (text: Range, pattern: Range): Range =>
  times(scale(plus(text, exactly(1)), traversal), scale(pattern, regexFactor));

function contained({ name, overload, args }: CallToEstimate): CallEstimate {
  const size = { min: 4, max: 16 };
  let cost = scale(plus(size, size), traversal);
  if (name === "containsCIDR") cost = plus(plus(cost, scale(size, traversal)), exactly(1));
  if (overload.endsWith("_string")) cost = plus(cost, scale(sizeOf(args[0]), traversal));
  return { cost };
}

const cheapStructs = new Set(
  "Quantity authorization.Authorizer authorization.PathCheck authorization.GroupCheck authorization.ResourceCheck authorization.Decision Semver"
    .split(" ")
    .map((name) => `kubernetes.${name}`),
);
const formatSizeMax = 64;

function equal({ args }: CallToEstimate): CallEstimate | undefined {
  const [left, right] = args;
  if (left === undefined || right === undefined || !sameType(left.type, right.type))
    return undefined;
  const { name } = left.type;
  if (name === "net.IP" || name === "net.CIDR" || cheapStructs.has(name))
    return { cost: exactly(1) };
  if (name === "kubernetes.NamedFormat") {
    return { cost: scale({ min: 1, max: formatSizeMax }, traversal) };
  }
  if (name === "kubernetes.URL") {
    return { cost: scale({ min: 1, max: right.size?.max ?? 1 }, traversal) };
  }
  return undefined;
}

/** Costs that Kubernetes sets by a function's name. */
function ofName(call: CallToEstimate): CallEstimate | undefined {
  const { name, overload, target, args } = call;
  if (nominal.has(name) || overload === "cidr_ip") return { cost: exactly(1) };
  if (walking.has(name)) return walk(call);
  if (parsing.has(name)) return { cost: scale(sizeOf(args[0]), traversal) };
  switch (name) {
    case "check":
      return { cost: exactly(authorizationCost) };
    case "fieldSelector":
    case "labelSelector": {
      const size = sizeOf(args[0]);
      const requirements = scale(scale(size, 0.5), listCost + structCost);
      return { cost: plus(plus(exactly(listCost), scale(size, traversal)), requirements) };
    }
    case "url":
    case "jsonpatch.escapeKey":
      return { cost: scale(sizeOf(args[0]), traversal), size: sizeOf(args[0]) };
    case "lowerAscii":
    case "upperAscii":
    case "substring":
    case "trim":
      return { cost: scale(sizeOf(target), traversal), size: sizeOf(target) };
    case "replace":
      return replaced(call);
    case "split": {
      const size = sizeOf(target);
      const limit = literalInt(args[1]);
      const max = limit === undefined ? size.max : limit < 0 ? most : limit;
      return { cost: scale(size, 2 * traversal), size: { min: 0, max } };
    }
    case "join":
      return joined(call);
    case "find":
    case "findAll":
      return {
        cost: regexCost(sizeOf(target), sizeOf(args[0])),
        size: { min: 0, max: sizeOf(target).max },
      };
    case "ip.isCanonical":
      return { cost: scale(sizeOf(args[0]), 2 * traversal) };
    case "containsIP":
    case "containsCIDR":
      return contained(call);
    case "validate":
      return { cost: scale(scale(sizeOf(args[0]), traversal), 128 * regexFactor) };
    case "_==_":
      return equal(call);
    default:
      return undefined;
  }
}

function compared(args: readonly CostedValue[]): Range {
  const max = Math.min(sizeOf(args[0]).max, sizeOf(args[1]).max);
  return scale({ min: max > 0 ? 1 : 0, max }, traversal);
}

/** What cel-go itself says of its standard functions. */
function standard({ overload, target, args }: CallToEstimate): CallEstimate {
  const [first, second] = args;
  switch (overload) {
    case "string_format":
      return { cost: scale(sizeOf(target), traversal) };
    case "string_to_bytes": {
      const size = sizeOf(first);
      return { cost: scale(size, traversal), size: { min: size.min, max: size.max * 4 } };
    }
    case "bytes_to_string": {
      const size = sizeOf(first);
      return {
        cost: scale(size, traversal),
        size: { min: Math.floor(size.min / 4), max: size.max },
      };
    }
    case "strings_quote": {
      const size = sizeOf(first);
      const result = { min: size.min + 2, max: size.max * 2 + 2 };
      return { cost: scale(size, traversal), size: result };
    }
    case "starts_with_string":
    case "ends_with_string":
      return { cost: scale(sizeOf(first), traversal) };
    case "in_list":
      return { cost: sizeOf(second) };
    case "matches_string":
      return { cost: regexCost(sizeOf(target), sizeOf(first)) };
    case "contains_string":
      return { cost: times(scale(sizeOf(target), traversal), scale(sizeOf(first), traversal)) };
    case "add_list":
      return { cost: exactly(1), size: plus(sizeOf(first), sizeOf(second)) };
    case "add_string":
    case "add_bytes": {
      const size = plus(sizeOf(first), sizeOf(second));
      return { cost: scale(size, traversal), size };
    }
    case "equals":
    case "not_equals":
      return { cost: compared(args) };
    default:
      if (/^(?:less|greater)(?:_equals)?_(?:string|bytes)$/u.test(overload)) {
        return { cost: compared(args) };
      }
      return { cost: exactly(1) };
  }
}

export function estimateCall(call: CallToEstimate): CallEstimate {
  return ofOverload(call) ?? ofName(call) ?? standard(call);
}

export { union };
