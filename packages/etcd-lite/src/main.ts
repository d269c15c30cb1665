#!/usr/bin/env node
/**
 * etcd-lite as a program: etcd's flags, signals, and sockets.
 *
 * Exit codes  0 stopped by SIGINT or SIGTERM; 1 anything that keeps it from running; 2 wrong flags
 */
import "@nanokube/machinery/require-node";
import { readFileSync } from "node:fs";
import { systemClock } from "@nanokube/machinery/clock";
import { systemRandom } from "@nanokube/machinery/random";
import type { ListenOptions, ServerTls } from "@nanokube/rpc";
import { pino } from "pino";
import { parse as parseYAML } from "yaml";
import { configToFlags } from "./core/config-file.ts";
import { FlagError, type FlagValues, isTrue, parseDurationMs, parseFlags } from "./core/flags.ts";
import { type AutoCompaction, startAutoCompaction } from "./io/auto-compaction.ts";
import { readClientTls } from "./io/client-tls.ts";
import { type ClusterSettings, readClusterFlags } from "./io/cluster-flags.ts";
import { createEtcd, type Etcd } from "./io/etcd.ts";
import { restoreUsage, runSnapshotCommand } from "./io/restore-command.ts";
import { serverVersion } from "./io/version.ts";

const usage = `Usage:

  etcd-lite [flags]
    Start an etcd server: a member of a cluster, or alone.

  etcd-lite --version
    Show the version of etcd that it is like.

${restoreUsage}
Flags are etcd's; those it does not have are refused by name (see README, "Left out").
`;

async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  if (argv[0] === "snapshot") {
    const log = pino({}, pino.destination(2));
    await runSnapshotCommand(argv.slice(1), { clock: systemClock, log });
    return;
  }
  const given = parseFlags(argv, env);
  if (isTrue(given["help"])) {
    process.stdout.write(usage);
    return;
  }
  if (isTrue(given["version"])) {
    process.stdout.write(`etcd Version: ${serverVersion}\nServed by: etcd-lite\n`);
    return;
  }
  const flags = given["config-file"] ? readConfigFile(given["config-file"]) : given;
  const settings = await readSettings(flags);
  const output = flags["log-outputs"] === "stdout" ? 1 : 2;
  const log = pino({ level: logLevel(flags["log-level"]) }, pino.destination(output));
  let isRemoved = false;
  let stop: ((signal: string) => Promise<void>) | undefined;
  const etcd = await createEtcd({
    ...settings.options,
    clock: systemClock,
    random: systemRandom,
    log,
    onRemoved() {
      isRemoved = true;
      stop?.("removed");
    },
  });
  await listen(etcd, settings);
  const compaction = settings.autoCompaction;
  const compactor = compaction && startAutoCompaction(etcd.member, compaction);
  const { memberId } = etcd.member.identity;
  log.info(
    { member: memberId.toString(16), urls: settings.clientURLs, dataDir: settings.options.dataDir },
    "ready to serve client requests",
  );

  let isStopping = false;
  stop = async (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    if (isRemoved) log.error({}, "the member has been permanently removed from the cluster");
    else log.info({ signal }, "received signal; shutting down");
    compactor?.stop();
    await etcd.close();
    process.exit(0);
  };
  if (isRemoved) await stop("removed"); // Its log says so, or the others did, meanwhile.
  process.on("SIGINT", () => stop?.("interrupt"));
  process.on("SIGTERM", () => stop?.("terminated"));
}

interface Settings {
  readonly options: Omit<Parameters<typeof createEtcd>[0], "clock" | "random" | "log">;
  readonly clientURLs: readonly string[];
  readonly httpURLs: readonly string[];
  readonly metricsURLs: readonly string[];
  readonly tls: ServerTls | undefined;
  readonly cluster: ClusterSettings;
  readonly autoCompaction: AutoCompaction | undefined;
}

function readConfigFile(file: string): FlagValues {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new FlagError(`open ${file}: no such file or directory`);
  }
  try {
    return configToFlags(parseYAML(text));
  } catch (error) {
    if (error instanceof FlagError) throw error;
    throw new FlagError(
      `error converting YAML to JSON: ${(error as Error).message.split("\n")[0]}`,
    );
  }
}

async function readSettings(flags: FlagValues): Promise<Settings> {
  if (flags["listen-client-urls"] && !flags["advertise-client-urls"]) {
    throw new FlagError(
      "--advertise-client-urls is required when --listen-client-urls is set explicitly",
    );
  }
  const cluster = readClusterFlags(flags);
  const clientURLs = list(flags["listen-client-urls"]) ?? ["http://localhost:2379"];
  const httpURLs = list(flags["listen-client-http-urls"]) ?? [];
  const metricsURLs = list(flags["listen-metrics-urls"]) ?? [];
  const dataDir = flags["data-dir"] ?? `${cluster.options.name}.etcd`;
  const listenURLs = [...clientURLs, ...httpURLs, ...metricsURLs];
  const place = { dataDir, listenURLs, nowMs: systemClock.now() };
  const tls = await readClientTls(flags, place);
  const secure = listenURLs.find((url) => /^(https|unixs):/.test(url));
  if (secure !== undefined && tls === undefined) {
    throw new FlagError(`--cert-file and --key-file must be set to listen on ${secure}`);
  }
  const progress =
    flags["watch-progress-notify-interval"] ?? flags["experimental-watch-progress-notify-interval"];
  return {
    options: {
      ...cluster.options,
      dataDir,
      http: {
        isSeparate: httpURLs.length > 0,
        hasGateway:
          flags["enable-grpc-gateway"] === undefined || isTrue(flags["enable-grpc-gateway"]),
        origins: list(flags["cors"]),
        hosts: list(flags["host-whitelist"]),
      },
      unsafeNoSync: isTrue(flags["unsafe-no-fsync"]),
      authToken: flags["auth-token"],
      clientCertAuth: isTrue(flags["client-cert-auth"]),
      ...number("bcryptCost", flags["bcrypt-cost"]),
      ...number("authTokenTTLSeconds", flags["auth-token-ttl"]),
      quotaBytes: Number(flags["quota-backend-bytes"] ?? 0),
      limits: {
        ...number("txnOpsMax", flags["max-txn-ops"]),
        ...number("requestBytesMax", flags["max-request-bytes"]),
        ...number("progressNotifyMs", progress && String(parseDurationMs(progress))),
      },
    },
    clientURLs,
    httpURLs,
    metricsURLs,
    tls,
    cluster,
    autoCompaction: readAutoCompaction(flags),
  };
}

function number<K extends string>(key: K, text: string | undefined): { [P in K]?: number } {
  return text === undefined ? {} : ({ [key]: Number(text) } as { [P in K]?: number });
}

function list(text: string | undefined): string[] | undefined {
  return text === undefined || text === "" ? undefined : text.split(",");
}

function readAutoCompaction(flags: FlagValues): AutoCompaction | undefined {
  const mode = (flags["auto-compaction-mode"] ?? "periodic") as AutoCompaction["mode"];
  const text = flags["auto-compaction-retention"] ?? "0";
  const isWhole = /^\d+$/.test(text);
  // A bare number is hours when it is about time.
  const retention =
    mode === "revision" || isWhole
      ? Number(text) * (mode === "periodic" ? 3_600_000 : 1)
      : parseDurationMs(text);
  if (retention === undefined || Number.isNaN(retention)) {
    throw new FlagError(`error parsing AutoCompactionRetention: "${text}"`);
  }
  return retention === 0 ? undefined : { mode, retention };
}

const levels = ["debug", "info", "warn", "error", "fatal"];

function logLevel(text = "info"): string {
  if (text === "panic") return "fatal";
  if (!levels.includes(text)) throw new FlagError(`unrecognized level: "${text}"`);
  return text;
}

async function listen(etcd: Etcd, settings: Settings): Promise<void> {
  const { clientURLs, httpURLs, metricsURLs, tls, cluster } = settings;
  const peers = cluster.peerListenURLs.map(
    (url) => [etcd.peerServer, url, cluster.peerTls] as const,
  );
  const clients = clientURLs.map((url) => [etcd.server, url, tls] as const);
  const http = httpURLs.map((url) => [etcd.httpServer, url, tls] as const);
  const metrics = metricsURLs.map((url) => [etcd.metricsServer, url, tls] as const);
  for (const [server, url, security] of [...peers, ...clients, ...http, ...metrics]) {
    try {
      await server.listen(listenOptions(url, security));
    } catch (error) {
      await etcd.close();
      throw new Error(`listen ${url}: ${listenFault(error as NodeJS.ErrnoException)}`);
    }
  }
}

function listenOptions(text: string, tls: ServerTls | undefined): ListenOptions {
  if (text.startsWith("unix")) {
    const path = text.replace(/^unixs?:\/\//, "");
    return { path, tls: text.startsWith("unixs:") ? tls : undefined };
  }
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { host, port: Number(url.port), tls: url.protocol === "https:" ? tls : undefined };
}

function listenFault(error: NodeJS.ErrnoException): string {
  if (error.code === "EADDRINUSE") return "bind: address already in use";
  if (error.code === "EACCES") return "bind: permission denied";
  return error.message;
}

main(process.argv.slice(2), process.env).catch((error: Error) => {
  process.stderr.write(`etcd-lite: ${error.message}\n`);
  process.exit(error instanceof FlagError ? 2 : 1);
});
