/**
 * etcd's flags and ETCD_* environment variables: which are taken, which are refused by name.
 *
 * Go's flag syntax: `-name value`, `--name=value`; a boolean stands alone or is `--name=false`.
 * A flag and its environment variable together are refused, as by etcd.
 * Errors  FlagError, in the words of etcd (Go's flag package) where it has some
 * Source  etcd v3.6 server/embed/config.go, server/etcdmain/config.go
 */
import { parseGoDurationMs } from "@nanokube/machinery/duration";
import { gatesFault } from "./feature-gates.ts";
import { FlagError, type FlagValues, isTrue } from "./flag-error.ts";
import {
  type FlagFact,
  type FlagFacts,
  gateFlags,
  renamedFlags,
  serverFlags,
} from "./flag-facts.ts";

export { FlagError, type FlagValues, isTrue };

const oldPrefix = "experimental-";

/** The server's flags, with the old names of some and those that became feature gates. */
const allFlags: FlagFacts = {
  ...serverFlags,
  ...Object.fromEntries(renamedFlags.map((name) => [`${oldPrefix}${name}`, serverFlags[name]!])),
  ...Object.fromEntries(Object.keys(gateFlags).map((name) => [name, { kind: "bool" } as const])),
};

/** The server's flags: the command line's, and the environment's. */
export function parseFlags(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): FlagValues {
  const { values, rest } = readArguments(argv, allFlags);
  if (rest.length > 0) throw new FlagError(`"${rest[0]}" is not a valid flag`);
  const file = values["config-file"] ?? env["ETCD_CONFIG_FILE"];
  if (file) return { ...values, "config-file": file }; // Then nothing else counts.
  for (const name of Object.keys(allFlags)) {
    const variable = variableOf(name);
    const value = env[variable];
    if (value === undefined || value === "" || notFromEnvironment.has(name)) continue;
    if (values[name] !== undefined) {
      const shadowed = "is shadowed by corresponding command-line flag";
      const remedy = "(either unset environment variable or disable flag)";
      throw new FlagError(`conflicting environment variable ${variable} ${shadowed} ${remedy}`);
    }
    takeFromEnvironment(values, name, value);
  }
  return withNewNames(values);
}

const notFromEnvironment: ReadonlySet<string> = new Set(["version", "help"]);

const variableOf = (name: string) => `ETCD_${name.toUpperCase().replaceAll("-", "_")}`;

function takeFromEnvironment(values: Record<string, string>, name: string, value: string): void {
  const why = valueFault(allFlags[name]!, value);
  if (why !== undefined) {
    throw new FlagError(`invalid value "${value}" for ${variableOf(name)}: ${why}`);
  }
  take(values, name, value);
}

/** ETCD_* variables that no flag answers to: etcd says so in its log, and goes on. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(Object.keys(allFlags).map(variableOf));
  return Object.keys(env)
    .filter((name) => name.startsWith("ETCD_") && !known.has(name))
    .map((name) => `${name}=${env[name]}`);
}

/** The old names' values under the new ones. */
export function withNewNames(values: Record<string, string>): FlagValues {
  for (const name of renamedFlags) {
    const old = `${oldPrefix}${name}`;
    const value = values[old];
    if (value === undefined) continue;
    if (values[name] !== undefined) throw new FlagError(bothNames(old, name));
    delete values[old];
    values[name] = value;
  }
  return values;
}

function bothNames(old: string, name: string): string {
  if (name === "warning-unary-request-duration") {
    return `both --${old} and --${name} flags are set. Use only --${name}`;
  }
  return `cannot set --${old} and --${name} at the same time, please use --${name} only`;
}

/** Flags, and what is none. */
export function readArguments(
  argv: readonly string[],
  facts: FlagFacts,
): { values: Record<string, string>; rest: string[] } {
  const values: Record<string, string> = {};
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const match = /^--?([^-=][^=]*)(?:=([\s\S]*))?$/.exec(argv[i]!);
    if (match === null) {
      rest.push(argv[i]!);
      continue;
    }
    const name = match[1] === "h" ? "help" : match[1]!;
    let value = match[2];
    if (value === undefined) {
      const kind = facts[name]?.kind;
      if (kind === "bool") value = "true";
      else value = kind === undefined ? "" : argv[++i];
      if (value === undefined) throw new FlagError(`flag needs an argument: -${name}`, 2);
    }
    take(values, name, value, facts);
  }
  return { values, rest };
}

/** Notes a value that the flag can have. */
export function take(
  values: Record<string, string>,
  name: string,
  value: string,
  facts: FlagFacts = allFlags,
): void {
  const fact = facts[name];
  if (fact === undefined) throw new FlagError(`flag provided but not defined: -${name}`, 2);
  const why = valueFault(fact, value);
  if (why !== undefined) {
    const what = fact.kind === "bool" ? "boolean value" : "value";
    const preposition = fact.kind === "bool" ? `for -${name}` : `for flag -${name}`;
    throw new FlagError(`invalid ${what} "${value}" ${preposition}: ${why}`, 2);
  }
  const { refusedUnless } = fact;
  const asksForIt = fact.kind === "bool" ? isTrue(value) : value !== refusedUnless;
  if (refusedUnless !== undefined && asksForIt) {
    throw new FlagError(`flag -${name} is not implemented by etcd-lite (see "Left out")`);
  }
  values[name] = value;
}

function valueFault({ kind, only }: FlagFact, value: string): string | undefined {
  switch (kind) {
    case "bool":
      return /^(1|0|t|f|T|F|true|false|TRUE|FALSE|True|False)$/.test(value)
        ? undefined
        : "parse error";
    case "uint":
      return /^\d+$/.test(value) ? undefined : "parse error";
    case "int":
      return /^-?\d+$/.test(value) ? undefined : "parse error";
    case "float":
      return Number.isNaN(Number(value)) ? "parse error" : undefined;
    case "duration":
      return parseGoDurationMs(value) === undefined ? "parse error" : undefined;
    case "choice":
      return only!.includes(value) ? undefined : "invalid value";
    case "urls":
      return value
        .split(",")
        .map(urlFault)
        .find((fault) => fault !== undefined);
    case "gates":
      return gatesFault(value);
    default:
      return undefined;
  }
}

/** `http://host:port` or `https://host:port`, as members reach each other. */
export function isPeerURL(text: string): boolean {
  return urlFault(text) === undefined;
}

function urlFault(text: string): string | undefined {
  const scheme = /^(https?|unixs?):\/\/./.exec(text);
  if (scheme === null) return `URL scheme must be http, https, unix, or unixs: ${text}`;
  if (scheme[1]!.startsWith("unix")) return undefined;
  if (!/^https?:\/\/[^/]+:\d+\/?$/.test(text))
    return `URL address does not have the form "host:port": ${text}`;
  return undefined;
}
