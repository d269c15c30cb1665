#!/usr/bin/env node
/**
 * The name server's command line.
 *
 * Exit  0 after a signal; 1 with one line on standard error
 * Source  CoreDNS's Corefile of common clusters, as flags
 */
import "@nanokube/machinery/require-node";
import { readFileSync } from "node:fs";
import {
  createClient,
  createHttpTransport,
  inClusterConfig,
  loadKubeconfig,
} from "@nanokube/client";
import { systemClock } from "@nanokube/machinery";
import { Command } from "commander";
import { pino } from "pino";
import { nameserversOf, parseUpstream } from "./core/upstream.ts";
import { createDns } from "./io/dns.ts";

interface Flags {
  kubeconfig?: string;
  clusterDomain: string;
  listen: string;
  forward: string;
  ttl: string;
  cache: string;
  health: string;
  ready: string;
  metrics: string;
}

function parseFlags(argv: string[]): Flags {
  return new Command("dns")
    .option("--kubeconfig <path>", "kubeconfig of the API server; else the pod's service account")
    .option("--cluster-domain <name>", "the cluster's domain", "cluster.local")
    .option("--listen <ip:port>", "UDP and TCP", "0.0.0.0:53")
    .option(
      "--forward <servers>",
      "IPs or IP:ports, comma-separated, or a file like resolv.conf; empty: none",
      "/etc/resolv.conf",
    )
    .option("--ttl <seconds>", "of cluster names", "30")
    .option("--cache <seconds>", "how long others' answers are kept at most", "30")
    .option("--health <ip:port>", "/health; empty: nowhere", "0.0.0.0:8080")
    .option("--ready <ip:port>", "/ready; empty: nowhere", "0.0.0.0:8181")
    .option("--metrics <ip:port>", "/metrics; empty: nowhere", "0.0.0.0:9153")
    .parse(argv)
    .opts<Flags>();
}

function seconds(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 3600) return value;
  throw new Error(`${flag}: ttl must be in range [0, 3600]: ${text}`);
}

function address(flag: string, text: string) {
  const parsed = parseUpstream(text);
  if (parsed === undefined) throw new Error(`${flag}: not an IP:port: ${text}`);
  return parsed;
}

async function main(): Promise<void> {
  const log = pino({ level: process.env.LOG_LEVEL ?? "info" });
  const flags = parseFlags(process.argv);
  const { kubeconfig, forward } = flags;
  const config =
    kubeconfig === undefined ? inClusterConfig(process.env) : loadKubeconfig(kubeconfig);
  const upstreams = forward.startsWith("/")
    ? nameserversOf(readFileSync(forward, "utf8"))
    : forward.split(",").filter((text) => text !== "");
  const transport = createHttpTransport(config);
  const door = (flag: "health" | "ready" | "metrics") =>
    flags[flag] === "" ? {} : { [flag]: address(`--${flag}`, flags[flag]) };
  const dns = createDns({
    client: createClient({ transport, userAgent: "nanokube-dns" }),
    clusterDomain: flags.clusterDomain.replace(/\.$/, ""),
    upstreams,
    listen: address("--listen", flags.listen),
    ttl: seconds("--ttl", flags.ttl),
    cacheSeconds: seconds("--cache", flags.cache),
    clock: systemClock,
    log,
    ...door("health"),
    ...door("ready"),
    ...door("metrics"),
  });
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  await dns.start(stop.signal);
  await dns.closed;
  transport.close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
