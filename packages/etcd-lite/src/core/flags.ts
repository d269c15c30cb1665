/**
 * etcd's flags and ETCD_* environment variables: which are taken, which are refused by name.
 *
 * Go's flag syntax: `-name value`, `--name=value`; a boolean stands alone or is `--name=false`.
 * A flag on the command line wins over its environment variable.
 * Errors  FlagError, in the words of etcd (Go's flag package) where it has some
 * Source  etcd v3.6 server/embed/config.go, server/etcdmain/config.go
 */

export class FlagError extends Error {
  override readonly name = "FlagError";
}

type FlagKind = "string" | "bool" | "uint" | "int" | "duration" | "urls";

interface FlagFact {
  readonly kind: FlagKind;
  /** Understood, and without a meaning for this server: accepted silently. */
  readonly ignored?: string;
  /** Only these values are possible here. */
  readonly only?: readonly string[];
}

const tuning = "there is no such part here to tune";

const facts: Readonly<Record<string, FlagFact>> = {
  name: { kind: "string" },
  "data-dir": { kind: "string" },
  "listen-client-urls": { kind: "urls" },
  "advertise-client-urls": { kind: "urls" },
  "listen-metrics-urls": { kind: "urls" },
  "listen-peer-urls": { kind: "urls" },
  "initial-advertise-peer-urls": { kind: "urls" },
  "initial-cluster": { kind: "string" },
  "initial-cluster-token": { kind: "string" },
  "initial-cluster-state": { kind: "string", only: ["new", "existing"] },
  "cert-file": { kind: "string" },
  "key-file": { kind: "string" },
  "trusted-ca-file": { kind: "string" },
  "client-cert-auth": { kind: "bool" },
  "auth-token": { kind: "string" },
  "auth-token-ttl": { kind: "uint" },
  "bcrypt-cost": { kind: "uint" },
  "log-level": { kind: "string" },
  logger: { kind: "string", only: ["zap"] },
  "log-outputs": { kind: "string", only: ["default", "stderr", "stdout"] },
  "log-format": { kind: "string", only: ["json"] },
  "quota-backend-bytes": { kind: "int" },
  "max-txn-ops": { kind: "uint" },
  "max-request-bytes": { kind: "uint" },
  "auto-compaction-mode": { kind: "string", only: ["periodic", "revision"] },
  "auto-compaction-retention": { kind: "string" },
  "unsafe-no-fsync": { kind: "bool" },
  "watch-progress-notify-interval": { kind: "duration" },
  "experimental-watch-progress-notify-interval": { kind: "duration" },
  "snapshot-count": { kind: "uint" },
  "max-snapshots": { kind: "uint", ignored: tuning },
  "max-wals": { kind: "uint", ignored: tuning },
  "heartbeat-interval": { kind: "uint" },
  "election-timeout": { kind: "uint" },
  "initial-election-tick-advance": { kind: "bool", ignored: tuning },
  "pre-vote": { kind: "bool" },
  "strict-reconfig-check": { kind: "bool" },
  "peer-cert-file": { kind: "string" },
  "peer-key-file": { kind: "string" },
  "peer-trusted-ca-file": { kind: "string" },
  "peer-client-cert-auth": { kind: "bool" },
  "backend-batch-interval": { kind: "duration", ignored: tuning },
  "backend-batch-limit": { kind: "int", ignored: tuning },
  "backend-bbolt-freelist-type": { kind: "string", ignored: tuning },
  "compaction-batch-limit": { kind: "int", ignored: tuning },
  "compaction-sleep-interval": { kind: "duration", ignored: tuning },
  "warning-apply-duration": { kind: "duration", ignored: tuning },
  "warning-unary-request-duration": { kind: "duration", ignored: tuning },
  "feature-gates": { kind: "string", ignored: tuning },
  metrics: { kind: "string", only: ["basic"] },
  version: { kind: "bool" },
  help: { kind: "bool" },
};

/** etcd's flags that ask for something this server does not have. */
const leftOut = `
  wal-dir force-new-cluster config-file auto-tls peer-auto-tls discovery discovery-srv
  discovery-token discovery-endpoints client-crl-file peer-crl-file
  client-cert-allowed-hostname peer-cert-allowed-cn peer-cert-allowed-hostname cipher-suites
  tls-min-version tls-max-version cors host-whitelist enable-log-rotation
  log-rotation-config-json enable-pprof enable-grpc-gateway listen-client-http-urls
  enable-distributed-tracing distributed-tracing-address distributed-tracing-service-name
  distributed-tracing-instance-id distributed-tracing-sampling-rate memory-mlock max-learners
  socket-reuse-port socket-reuse-address max-concurrent-streams grpc-keepalive-min-time
  grpc-keepalive-interval grpc-keepalive-timeout corrupt-check-time compact-hash-check-time
  bootstrap-defrag-threshold-megabytes client-cert-file client-key-file
  self-signed-cert-validity snapshot-catchup-entries downgrade-check-time raft-read-timeout
  raft-write-timeout local-address`
  .split(/\s+/)
  .filter((name) => name !== "");

export type FlagValues = Readonly<Record<string, string>>;

export function parseFlags(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): FlagValues {
  const values: Record<string, string> = {};
  for (const name of [...Object.keys(facts), ...leftOut]) {
    const value = env[`ETCD_${name.toUpperCase().replaceAll("-", "_")}`];
    if (value !== undefined && value !== "") take(values, name, value);
  }
  for (let i = 0; i < argv.length; i++) {
    const match = /^--?([^-=][^=]*)(?:=([\s\S]*))?$/.exec(argv[i]!);
    if (match === null) throw new FlagError(`"${argv[i]}" is not a valid flag`);
    const name = match[1] === "h" ? "help" : match[1]!;
    let value = match[2];
    if (value === undefined) {
      const kind = facts[name]?.kind;
      if (kind === "bool") value = "true";
      else value = kind === undefined ? "" : argv[++i];
      if (value === undefined) throw new FlagError(`flag needs an argument: -${name}`);
    }
    take(values, name, value);
  }
  return values;
}

function take(values: Record<string, string>, name: string, value: string): void {
  const fact = facts[name];
  if (fact === undefined) {
    if (!leftOut.includes(name)) throw new FlagError(`flag provided but not defined: -${name}`);
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
