#!/usr/bin/env node
/**
 * kube-proxy's command line: upstream's flags, a configuration file, signals.
 *
 * Exit  0 after a signal or --cleanup; 1 with one line on standard error
 * Source  kubernetes cmd/kube-proxy/app/options.go
 */
import "@nanokube/machinery/require-node";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import {
  createClient,
  createHttpTransport,
  inClusterConfig,
  loadKubeconfig,
} from "@nanokube/client";
import { type Log, parseYAML, systemClock } from "@nanokube/machinery";
import { runCommand as exec } from "@nanokube/machinery/run-command";
import { Command } from "commander";
import { pino } from "pino";
import { type Configuration, conntrackSysctls, parseConfiguration } from "./core/configuration.ts";
import { cleanup } from "./io/cleanup.ts";
import { createKubeProxy } from "./io/kube-proxy.ts";

/** Flag → where it stands in the configuration's tree. */
const flags: readonly (readonly [flag: string, path: string, help: string])[] = [
  ["--kubeconfig <path>", "clientConnection.kubeconfig", "kubeconfig of the API server"],
  ["--hostname-override <name>", "hostnameOverride", "name of this Node; the host's name if empty"],
  ["--proxy-mode <mode>", "mode", "iptables, the only one here"],
  ["--cluster-cidr <cidr>", "clusterCIDR", "pods' addresses"],
  ["--detect-local-mode <mode>", "detectLocalMode", "how local traffic is told"],
  ["--pod-bridge-interface <name>", "detectLocal.bridgeInterface", "for BridgeInterface"],
  ["--pod-interface-name-prefix <p>", "detectLocal.interfaceNamePrefix", "for InterfaceNamePrefix"],
  ["--healthz-bind-address <ip:port>", "healthzBindAddress", "default 0.0.0.0:10256"],
  ["--metrics-bind-address <ip:port>", "metricsBindAddress", "default 127.0.0.1:10249"],
  ["--iptables-sync-period <duration>", "iptables.syncPeriod", "default 30s"],
  ["--iptables-min-sync-period <duration>", "iptables.minSyncPeriod", "default 100ms"],
];
const numbers: typeof flags = [
  ["--iptables-masquerade-bit <n>", "iptables.masqueradeBit", "default 14"],
  ["--conntrack-max-per-core <n>", "conntrack.maxPerCore", "0 leaves the kernel's; default 32768"],
  ["--oom-score-adj <n>", "oomScoreAdj", "of this process; default -999"],
  ["--kube-api-qps <n>", "clientConnection.qps", "0 or less: no limit"],
  ["--kube-api-burst <n>", "clientConnection.burst", "with --kube-api-qps"],
  ["--conntrack-min <n>", "conntrack.min", "default 131072"],
];
const switches: typeof flags = [
  ["--profiling [bool]", "enableProfiling", "refused when true"],
  ["--masquerade-all [bool]", "iptables.masqueradeAll", "masquerade everything to cluster IPs"],
  [
    "--no-iptables-localhost-nodeports",
    "iptables.localhostNodePorts",
    "no node ports on localhost",
  ],
];

function parseFlags(argv: string[]): { cleanup: boolean; configuration: Configuration } {
  const command = new Command("kube-proxy")
    .option(
      "--config <path>",
      "KubeProxyConfiguration; other flags are then ignored, as upstream does",
    )
    .option("--cleanup", "remove all rules and exit")
    .option("--feature-gates <gates>", "NAME=true,…; none is known")
    .option("--nodeport-addresses <cidrs>", "CIDRs of addresses that take node ports, or primary")
    .option("-v, --v <level>", "log level; 4 and above is debug", "0");
  for (const [flag, , help] of [...flags, ...numbers, ...switches]) command.option(flag, help);
  command.parse(argv);
  const values = command.opts<Record<string, unknown>>();
  const tree: Record<string, unknown> = {};
  const put = (path: string, value: unknown) => {
    const [section, key] = path.includes(".") ? path.split(".") : [undefined, path];
    if (section === undefined) tree[path] = value;
    else tree[section] = { ...(tree[section] as object), [key!]: value };
  };
  const given = (flag: string) => {
    const name = flag.split(" ")[0]!.slice(2);
    return values[name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
  };
  for (const [flag, path] of flags) if (given(flag) !== undefined) put(path, given(flag));
  for (const [flag, path] of switches) {
    if (given(flag) !== undefined) put(path, String(given(flag)) === "true");
  }
  for (const [flag, path] of numbers) {
    if (given(flag) !== undefined) put(path, Number(given(flag)));
  }
  if (values.nodeportAddresses !== undefined) {
    tree.nodePortAddresses = String(values.nodeportAddresses).split(",");
  }
  const gates = (values.featureGates as string | undefined)?.split(",").filter(Boolean) ?? [];
  if (gates.length > 0) {
    tree.featureGates = Object.fromEntries(gates.map((text) => text.split("=")));
  }
  const path = values.config as string | undefined;
  const read = path === undefined ? tree : parseYAML(readFileSync(path, "utf8"));
  const configuration = parseConfiguration(read);
  const override = values.hostnameOverride as string | undefined;
  if (override !== undefined) configuration.hostnameOverride = override;
  return { cleanup: values.cleanup === true, configuration };
}

/** Not every machine lets a process lower its score; that is told, and nothing depends on it. */
function adjustOOMScore({ oomScoreAdj }: Configuration, log: Log): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", String(oomScoreAdj));
  } catch (err) {
    log.warn({ err, oomScoreAdj }, "Failed to apply OOMScore");
  }
}

async function tuneConntrack(configuration: Configuration, log: Log) {
  const wanted = conntrackSysctls(configuration.conntrack, availableParallelism());
  for (const [path, value] of wanted) {
    const { code } = await exec(["tee", `/proc/sys/${path}`], { input: String(value) });
    if (code !== 0) log.warn({ sysctl: path, value }, "kernel setting not written");
  }
}

async function main(): Promise<void> {
  const log = pino({ level: process.env.LOG_LEVEL ?? "info" });
  const { cleanup: cleanupOnly, configuration } = parseFlags(process.argv);
  if (cleanupOnly) return await cleanup(exec);
  const { kubeconfig, conntrack } = configuration;
  const config = kubeconfig === "" ? inClusterConfig(process.env) : loadKubeconfig(kubeconfig);
  const transport = createHttpTransport(config);
  const client = createClient({ transport, userAgent: "kube-proxy" });
  adjustOOMScore(configuration, log);
  await tuneConntrack(configuration, log);
  const nodeName = (configuration.hostnameOverride || hostname()).trim().toLowerCase();
  const { healthz, metrics, ...rest } = configuration;
  const proxy = createKubeProxy({
    ...rest,
    ...(healthz === undefined ? {} : { healthz }),
    ...(metrics === undefined ? {} : { metrics }),
    conntrackTCPLiberal: conntrack.tcpBeLiberal,
    client,
    nodeName,
    clock: systemClock,
    log,
    exec,
  });
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  await proxy.start(stop.signal);
  transport.close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
