/**
 * etcd's flags and ETCD_* environment variables: which are taken, which are refused by name.
 *
 * Go's flag syntax: `-name value`, `--name=value`; a boolean stands alone or is `--name=false`.
 * A flag and its environment variable together are refused, as by etcd.
 * Errors  FlagError, in the words of etcd (Go's flag package) where it has some
 * Source  etcd v3.6 server/embed/config.go, server/etcdmain/config.go
 */
import {
  type FlagFact,
  type FlagFacts,
  featureGates,
  leftOutFlags,
  serverFlags,
} from "./flag-facts.ts";

export class FlagError extends Error {
  override readonly name = "FlagError";
}

export type FlagValues = Readonly<Record<string, string>>;

/** The server's flags: the command line's, and the environment's. */
export function parseFlags(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): FlagValues {
  const { values, rest } = readArguments(argv, serverFlags);
  if (rest.length > 0) throw new FlagError(`"${rest[0]}" is not a valid flag`);
  for (const name of [...Object.keys(serverFlags), ...leftOutFlags]) {
    const variable = `ETCD_${name.toUpperCase().replaceAll("-", "_")}`;
    const value = env[variable];
    if (value === undefined || value === "") continue;
    if (values[name] !== undefined) {
      const shadowed = "is shadowed by corresponding command-line flag";
      const remedy = "(either unset environment variable or disable flag)";
      throw new FlagError(`conflicting environment variable ${variable} ${shadowed} ${remedy}`);
    }
    take(values, name, value);
  }
  return values;
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
      if (value === undefined) throw new FlagError(`flag needs an argument: -${name}`);
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
  facts: FlagFacts = serverFlags,
): void {
  const fact = facts[name];
  if (fact === undefined) {
    if (!leftOutFlags.has(name)) throw new FlagError(`flag provided but not defined: -${name}`);
    throw new FlagError(`flag -${name} is not implemented by etcd-lite (see "Left out")`);
  }
  const why = valueFault(fact, value);
  if (why !== undefined) throw new FlagError(`invalid value "${value}" for flag -${name}: ${why}`);
  values[name] = value;
}

function valueFault({ kind, only }: FlagFact, value: string): string | undefined {
  if (only !== undefined && !only.includes(value)) {
    return `etcd-lite has only ${only.map((v) => JSON.stringify(v)).join(", ")}`;
  }
  switch (kind) {
    case "bool":
      return /^(1|0|t|f|T|F|true|false|TRUE|FALSE|True|False)$/.test(value)
        ? undefined
        : "parse error";
    case "uint":
      return /^\d+$/.test(value) ? undefined : "parse error";
    case "int":
      return /^-?\d+$/.test(value) ? undefined : "parse error";
    case "duration":
      return parseDurationMs(value) === undefined ? "parse error" : undefined;
    case "urls":
      return value
        .split(",")
        .map(urlFault)
        .find((fault) => fault !== undefined);
    case "gates":
      return value
        .split(",")
        .map(gateFault)
        .find((fault) => fault !== undefined);
    default:
      return undefined;
  }
}

/** `LeaseCheckpoint=true`. */
function gateFault(text: string): string | undefined {
  const [name, value] = text.split("=").map((part) => part.trim());
  if (name === "") return undefined;
  if (value === undefined) return `missing bool value for ${name}`;
  if (!featureGates.has(name!)) return `unrecognized feature gate: ${name}`;
  if (/^(1|0|t|f|true|false)$/i.test(value)) return undefined;
  return `invalid value of ${name}=${value}, err: strconv.ParseBool: parsing "${value}": invalid syntax`;
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

export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(1|t|T|true|TRUE|True)$/.test(value);
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Go's durations: "1h30m", "500ms", "0". */
export function parseDurationMs(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(h|ms|us|µs|ns|m|s))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)/g)) {
    total += Number(count) * unitMs[unit!]!;
  }
  return total;
}
