/**
 * What the flags ask for: the member's options, and where it listens.
 *
 * Errors  FlagError in etcd's words
 * Source  etcd v3.6 server/embed/config.go Validate, server/etcdmain/config.go
 */
import { readFileSync } from "node:fs";
import { parseGoDurationMs } from "@nanokube/machinery/duration";
import type { ServerTls } from "@nanokube/rpc";
import { configToFlags } from "../core/config-file.ts";
import { readGates } from "../core/feature-gates.ts";
import { FlagError, type FlagValues, isTrue } from "../core/flags.ts";
import type { AutoCompaction } from "./auto-compaction.ts";
import { readClientTls } from "./client-tls.ts";
import { type ClusterSettings, readClusterFlags } from "./cluster-flags.ts";
import { type ConnectionLimits, defaultConnections, type EtcdOptions } from "./etcd.ts";

export interface Settings {
  readonly options: Omit<EtcdOptions, "clock" | "random" | "log">;
  readonly clientURLs: readonly string[];
  readonly httpURLs: readonly string[];
  readonly metricsURLs: readonly string[];
  readonly tls: ServerTls | undefined;
  readonly cluster: ClusterSettings;
  readonly autoCompaction: AutoCompaction | undefined;
  /** Other processes may listen at the same places. */
  readonly reusePort: boolean;
}

/** Only who has a file pays for reading YAML. */
export async function readConfigFile(file: string): Promise<FlagValues> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new FlagError(`open ${file}: no such file or directory`);
  }
  const { parse } = await import("yaml");
  try {
    return configToFlags(parse(text));
  } catch (error) {
    if (error instanceof FlagError) throw error;
    throw new FlagError(
      `error converting YAML to JSON: ${(error as Error).message.split("\n")[0]}`,
    );
  }
}

export async function readSettings(flags: FlagValues, nowMs: number): Promise<Settings> {
  if (flags["listen-client-urls"] && !flags["advertise-client-urls"]) {
    throw new FlagError(
      "--advertise-client-urls is required when --listen-client-urls is set explicitly",
    );
  }
  const cluster = await readClusterFlags(flags, nowMs);
  const clientURLs = list(flags["listen-client-urls"]) ?? ["http://localhost:2379"];
  const httpURLs = list(flags["listen-client-http-urls"]) ?? [];
  const metricsURLs = list(flags["listen-metrics-urls"]) ?? [];
  const dataDir = flags["data-dir"] || `${cluster.options.name}.etcd`;
  const listenURLs = [...clientURLs, ...httpURLs, ...metricsURLs];
  const autoCompaction = readAutoCompaction(flags);
  const member = readMemberFlags(flags);
  const tls = await readClientTls(flags, { dataDir, listenURLs, nowMs });
  const secure = listenURLs.find((url) => /^(https|unixs):/.test(url));
  if (secure !== undefined && tls === undefined) {
    throw new FlagError(`--cert-file and --key-file must be set to listen on ${secure}`);
  }
  return {
    options: {
      ...cluster.options,
      ...member,
      dataDir,
      http: {
        isSeparate: httpURLs.length > 0,
        hasGateway:
          flags["enable-grpc-gateway"] === undefined || isTrue(flags["enable-grpc-gateway"]),
        origins: list(flags["cors"]),
        hosts: list(flags["host-whitelist"]),
      },
    },
    clientURLs,
    httpURLs,
    metricsURLs,
    tls,
    cluster,
    autoCompaction,
    reusePort: isTrue(flags["socket-reuse-port"]),
  };
}

/** What concerns this member alone. */
function readMemberFlags(flags: FlagValues) {
  const gates = readGates(flags);
  const compactHashCheckMs = duration(flags, "compact-hash-check-time") ?? 60_000;
  if (compactHashCheckMs <= 0) {
    throw new FlagError("--compact-hash-check-time must be >0 (set to 0s)");
  }
  const progressNotifyMs = duration(flags, "watch-progress-notify-interval");
  const warnAfterMs = duration(flags, "warning-apply-duration");
  return {
    metrics: flags["metrics"] === "extensive" ? ("extensive" as const) : ("basic" as const),
    featureGates: gates,
    connections: readConnectionLimits(flags),
    walDir: flags["wal-dir"] || undefined,
    forceNewCluster: isTrue(flags["force-new-cluster"]),
    unsafeNoSync: isTrue(flags["unsafe-no-fsync"]),
    authToken: flags["auth-token"],
    clientCertAuth: isTrue(flags["client-cert-auth"]),
    ...number("bcryptCost", flags["bcrypt-cost"]),
    ...number("authTokenTTLSeconds", flags["auth-token-ttl"]),
    ...number("maxLearners", flags["max-learners"]),
    ...number("keptEntries", flags["snapshot-catchup-entries"]),
    quotaBytes: Number(flags["quota-backend-bytes"] ?? 0),
    corruption: {
      checkEveryMs: duration(flags, "corrupt-check-time") ?? 0,
      compactHashCheckMs: gates.get("CompactHashCheck") ? compactHashCheckMs : 0,
      initialCheck: gates.get("InitialCorruptCheck") ?? false,
    },
    limits: {
      ...number("txnOpsMax", flags["max-txn-ops"]),
      ...number("requestBytesMax", flags["max-request-bytes"]),
      ...(progressNotifyMs === undefined ? {} : { progressNotifyMs }),
      ...(warnAfterMs === undefined ? {} : { warnAfterMs }),
    },
  };
}

const streamsUnlimited = 2 ** 32 - 1;
/** What grpc-go does when it is told nothing. */
const grpcPingMinMs = 300_000;

/** What one client may ask of its connection. */
function readConnectionLimits(flags: FlagValues): ConnectionLimits {
  const streams = Number(flags["max-concurrent-streams"] ?? streamsUnlimited);
  const pingMinMs = duration(flags, "grpc-keepalive-min-time") ?? defaultConnections.pingMinMs;
  const { keepAlive } = defaultConnections;
  const intervalMs = duration(flags, "grpc-keepalive-interval") ?? keepAlive.intervalMs;
  const timeoutMs = duration(flags, "grpc-keepalive-timeout") ?? keepAlive.timeoutMs;
  return {
    // 0 is no limit, to grpc-go.
    streamsMax: streams === streamsUnlimited || streams === 0 ? undefined : streams,
    pingMinMs: pingMinMs > 0 ? pingMinMs : grpcPingMinMs,
    keepAlive: intervalMs > 0 && timeoutMs > 0 ? { intervalMs, timeoutMs } : undefined,
  };
}

function duration(flags: FlagValues, name: string): number | undefined {
  const text = flags[name];
  return text === undefined ? undefined : parseGoDurationMs(text);
}

function number<K extends string>(key: K, text: string | undefined): { [P in K]?: number } {
  return text === undefined ? {} : ({ [key]: Number(text) } as { [P in K]?: number });
}

function list(text: string | undefined): string[] | undefined {
  return text === undefined || text === "" ? undefined : text.split(",");
}

function readAutoCompaction(flags: FlagValues): AutoCompaction | undefined {
  const mode = flags["auto-compaction-mode"] ?? "periodic";
  if (mode === "") throw new FlagError("undefined auto-compaction-mode");
  if (mode !== "periodic" && mode !== "revision") {
    throw new FlagError(`unknown auto-compaction-mode "${mode}"`);
  }
  const text = flags["auto-compaction-retention"] || "0";
  if (/^\d+$/.test(text)) {
    // A bare number is hours when it is about time.
    const retention = Number(text) * (mode === "periodic" ? 3_600_000 : 1);
    return retention === 0 ? undefined : { mode, retention };
  }
  const retention = parseGoDurationMs(text);
  if (retention === undefined) {
    throw new FlagError(`error parsing CompactionRetention: time: invalid duration "${text}"`);
  }
  // In etcd a duration counts its nanoseconds when revisions are asked for.
  return { mode, retention: mode === "periodic" ? retention : retention * 1e6 };
}
