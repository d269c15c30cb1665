#!/usr/bin/env node
/**
 * etcd-lite as a program: etcd's flags, signals, and sockets.
 *
 * Exit codes  0 stopped by SIGINT or SIGTERM; 1 what keeps it from running; 2 what is no flag
 */
import "@nanokube/machinery/require-node";
import { systemClock } from "@nanokube/machinery/clock";
import { systemRandom } from "@nanokube/machinery/random";
import type { ListenOptions, ServerTls } from "@nanokube/rpc";
import { FlagError, isTrue, parseFlags, unknownVariables } from "./core/flags.ts";
import { startAutoCompaction } from "./io/auto-compaction.ts";
import { createEtcd, type Etcd } from "./io/etcd.ts";
import { createProgramLog } from "./io/program-log.ts";
import { restoreUsage, runSnapshotCommand } from "./io/restore-command.ts";
import { readConfigFile, readSettings, type Settings } from "./io/settings.ts";
import { serverVersion } from "./io/version.ts";
import { boundYoungGeneration } from "./io/young-generation.ts";

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
    const log = createProgramLog({});
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
  const file = given["config-file"];
  const flags = file ? await readConfigFile(file) : given;
  const log = createProgramLog(flags);
  const settings = await readSettings(flags, systemClock.now());
  for (const variable of file ? [] : unknownVariables(env)) {
    log.warn({ "environment-variable": variable }, "unrecognized environment variable");
  }
  boundYoungGeneration();
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

async function listen(etcd: Etcd, settings: Settings): Promise<void> {
  const { clientURLs, httpURLs, metricsURLs, tls, cluster, reusePort } = settings;
  const peers = cluster.peerListenURLs.map(
    (url) => [etcd.peerServer, url, cluster.peerTls] as const,
  );
  const clients = clientURLs.map((url) => [etcd.server, url, tls] as const);
  const http = httpURLs.map((url) => [etcd.httpServer, url, tls] as const);
  const metrics = metricsURLs.map((url) => [etcd.metricsServer, url, tls] as const);
  for (const [server, url, security] of [...peers, ...clients, ...http, ...metrics]) {
    try {
      const where = listenOptions(url, security);
      await server.listen("path" in where ? where : { ...where, reusePort });
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
  process.exit(error instanceof FlagError ? error.exitCode : 1);
});
