/**
 * What an expression may name: variables, types and functions.
 *
 * Source  cel-go checker/env.go, apiserver pkg/cel/environment/base.go
 */
import { functionLines } from "./function-table.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  nullType,
  opaque,
  optionalOf,
  parseType,
  stringType,
  struct,
  timestampType,
  typeOfType,
  typeType,
  uintType,
} from "./types.ts";

export interface Overload {
  id: string;
  isMember: boolean;
  args: readonly CelType[];
  result: CelType;
  /** Names of its type parameters. */
  params: readonly string[];
}

export interface Environment {
  /** By name; names may have dots (`authorizer.requestResource`). */
  readonly variables: ReadonlyMap<string, CelType>;
  /** Types that expressions may construct or name, besides CEL's own. */
  readonly types: ReadonlyMap<string, CelType>;
  /** Functions beyond the base set: `jsonpatch.escapeKey` for mutations. */
  readonly hasJSONPatch: boolean;
}

function paramNames(types: readonly CelType[]): string[] {
  const names = new Set<string>();
  const visit = (type: CelType): void => {
    if (type.kind === "param") names.add(type.name);
    type.params.forEach(visit);
  };
  types.forEach(visit);
  return [...names];
}

function loadFunctions(): Map<string, Overload[]> {
  const functions = new Map<string, Overload[]>();
  for (const { name, id, isMember, types, result } of functionLines()) {
    const whole = parseType(`tuple(${types === "" ? "dyn" : types})`);
    const args = types === "" ? [] : whole.params;
    const returned = parseType(result);
    const overload = {
      id,
      isMember,
      args,
      result: returned,
      params: paramNames([...args, returned]),
    };
    const known = functions.get(name);
    if (known === undefined) functions.set(name, [overload]);
    else known.push(overload);
  }
  return functions;
}

let functions: Map<string, Overload[]> | undefined;

export function overloadsOf(environment: Environment, name: string): Overload[] | undefined {
  functions ??= loadFunctions();
  if (name === "jsonpatch.escapeKey" && !environment.hasJSONPatch) return undefined;
  return functions.get(name);
}

const typeNames = new Map<string, CelType>(
  [
    boolType,
    bytesType,
    doubleType,
    durationType,
    intType,
    nullType,
    stringType,
    timestampType,
    uintType,
    typeType,
    listOf(dynType),
    mapOf(dynType, dynType),
    optionalOf(dynType),
    opaque("net.IP"),
    opaque("net.CIDR"),
    ...[
      "kubernetes.URL",
      "kubernetes.Quantity",
      "kubernetes.Semver",
      "kubernetes.NamedFormat",
      "kubernetes.authorization.Authorizer",
      "kubernetes.authorization.PathCheck",
      "kubernetes.authorization.GroupCheck",
      "kubernetes.authorization.ResourceCheck",
      "kubernetes.authorization.Decision",
    ].map((name) => struct(name)),
  ].map((type) => [type.name, type]),
);

/** The type that a name stands for when it is used as a value or constructed. */
export function typeNamed(environment: Environment, name: string): CelType | undefined {
  return environment.types.get(name) ?? typeNames.get(name);
}

export function identType(
  environment: Environment,
  name: string,
): { type: CelType; isType: boolean } | undefined {
  const variable = environment.variables.get(name);
  if (variable !== undefined) return { type: variable, isType: false };
  const type = typeNamed(environment, name);
  return type && { type: typeOfType(type), isType: true };
}

export function environmentOf(options: {
  variables?: Iterable<readonly [string, CelType]>;
  types?: Iterable<CelType>;
  hasJSONPatch?: boolean;
}): Environment {
  const types = new Map<string, CelType>();
  for (const type of options.types ?? []) types.set(type.name, type);
  return {
    variables: new Map(options.variables),
    types,
    hasJSONPatch: options.hasJSONPatch ?? false,
  };
}
