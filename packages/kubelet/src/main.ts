#!/usr/bin/env node
/**
 * The kubelet's command line: upstream's flags for what it has, a configuration file, signals.
 *
 * Exit  0 after SIGTERM or SIGINT, pods go on; 1 with one line on standard error
 * Source  cmd/kubelet/app/options/options.go
 */
import "@nanokube/machinery/require-node";
import { readFileSync } from "node:fs";
import { networkInterfaces, hostname as osHostname } from "node:os";
import { createClient, createHttpTransport, loadKubeconfig } from "@nanokube/client";
import { parseYAML, systemClock, systemRandom } from "@nanokube/machinery";
import { runCommand } from "@nanokube/machinery/run-command";
import { dial } from "@nanokube/rpc";
import { Command } from "commander";
import { pino } from "pino";
import { type KeepingFlags, keepingFlags, withKeepingFlags } from "./core/keeping-flags.ts";
import {
  type KubeletConfiguration,
  parseKubeletConfiguration,
  parseLabels,
  parseTaints,
} from "./core/kubelet-configuration.ts";
import { checkSysctlPatterns } from "./core/sysctls.ts";
import { createKubelet, type KubeletOptions } from "./index.ts";
import { nodeOptions, withDefaults } from "./node-options.ts";

interface Flags extends KeepingFlags {
  kubeconfig: string;
  config?: string;
  containerRuntimeEndpoint?: string;
  nodeIp?: string;
  hostnameOverride?: string;
  rootDir: string;
  registerNode: string;
  nodeLabels?: string;
  registerWithTaints?: string;
  podManifestPath?: string;
  providerId?: string;
  clusterDns?: string;
  clusterDomain?: string;
  clientCaFile?: string;
  tlsCertFile?: string;
  tlsPrivateKeyFile?: string;
  cgroupRoot?: string;
  cgroupsPerQos?: string;
  allowedUnsafeSysctls?: string;
  address?: string;
  port?: string;
  v: string;
}

function parseFlags(argv: readonly string[]): Flags {
  const command = new Command("kubelet")
    .description("The node agent: makes the pods that are bound to this node real.")
    .requiredOption("--kubeconfig <path>", "kubeconfig of the API server")
    .option("--config <path>", "a KubeletConfiguration file; flags win over it")
    .option("--container-runtime-endpoint <url>", "unix:///run/containerd/containerd.sock")
    .option("--node-ip <ip>", "address of the node")
    .option("--hostname-override <name>", "name of the node, in place of the host's")
    .option("--root-dir <dir>", "pods, plugins and their volumes", "/var/lib/kubelet")
    .option("--register-node [bool]", "register with the API server", "true")
    .option("--node-labels <labels>", "key=value,… for the node's registration")
    .option("--register-with-taints <taints>", "key=value:Effect,…")
    .option("--pod-manifest-path <dir>", "directory of static pods")
    .option("--provider-id <id>", "the machine's id at its provider")
    .option("--cluster-dns <ips>", "cluster DNS servers, separated by commas")
    .option("--cluster-domain <name>", "domain of the cluster")
    .option("--client-ca-file <path>", "who signs clients' certificates")
    .option("--tls-cert-file <path>", "serving certificate")
    .option("--tls-private-key-file <path>", "its key")
    .option("--cgroup-root <path>", "control group under which kubepods is made")
    .option("--cgroups-per-qos [bool]", "make a control group for each pod")
    .option("--allowed-unsafe-sysctls <patterns>", "net.core.*,…: pods may change these as well")
    .option("--address <ip>", "address to serve on")
    .option("--port <n>", "port to serve on")
    .option("-v, --v <level>", "verbosity: 4 and more logs every hop", "0");
  for (const [flag, description] of keepingFlags) command.option(flag, description);
  return command.parse(argv).opts<Flags>();
}

/** The first address that is not loopback. */
function defaultAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find((entry) => !entry.internal && entry.family === "IPv4")?.address ?? "127.0.0.1";
}

const readText = (path: string | undefined): string | undefined =>
  path === undefined || path === "" ? undefined : readFileSync(path, "utf8");

function loadConfiguration(flags: Flags, warn: (fields: string[]) => void): KubeletConfiguration {
  const text = readText(flags.config);
  if (text === undefined) return {};
  const { configuration, inert } = parseKubeletConfiguration(parseYAML(text));
  if (inert.length > 0) warn(inert);
  return configuration;
}

type FromConfiguration = Omit<
  KubeletOptions,
  "client" | "cri" | "clock" | "random" | "log" | "exec"
>;

function servingOptions(flags: Flags, file: KubeletConfiguration): KubeletOptions["serving"] {
  const authentication = file.authentication;
  return {
    cert: readText(flags.tlsCertFile ?? file.tlsCertFile),
    key: readText(flags.tlsPrivateKeyFile ?? file.tlsPrivateKeyFile),
    clientCA: readText(flags.clientCaFile ?? authentication?.x509?.clientCAFile),
    host: flags.address ?? file.address,
    port: flags.port === undefined ? file.port : Number(flags.port),
    webhook: file.authorization?.mode !== "AlwaysAllow",
    anonymous: authentication?.anonymous?.enabled === true,
  };
}

function sysctlPatterns(flags: Flags, file: KubeletConfiguration): string[] {
  const given = flags.allowedUnsafeSysctls?.split(",").filter((pattern) => pattern !== "");
  const patterns = given ?? file.allowedUnsafeSysctls ?? [];
  checkSysctlPatterns(patterns);
  return patterns;
}

function optionsFrom(flags: Flags, file: KubeletConfiguration): FromConfiguration {
  const nodeName = (flags.hostnameOverride ?? osHostname()).toLowerCase();
  const perPod = (flags.cgroupsPerQos ?? String(file.cgroupsPerQOS ?? true)) !== "false";
  const taints = flags.registerWithTaints;
  const keeping = withKeepingFlags(file, flags);
  return {
    nodeName,
    nodeIP: flags.nodeIp ?? defaultAddress(),
    rootDir: flags.rootDir,
    podLogsDir: file.podLogsDir ?? "/var/log/pods",
    serving: servingOptions(flags, file),
    clusterDNS: flags.clusterDns?.split(",") ?? file.clusterDNS ?? [],
    clusterDomain: flags.clusterDomain ?? file.clusterDomain ?? "cluster.local",
    resolvConf: readText(file.resolvConf),
    providerID: flags.providerId ?? file.providerID,
    labels: parseLabels(flags.nodeLabels ?? ""),
    taints: taints === undefined ? (file.registerWithTaints ?? []) : parseTaints(taints),
    registerNode: String(flags.registerNode) !== "false" && file.registerNode !== false,
    podManifestPath: flags.podManifestPath ?? file.staticPodPath,
    ...nodeOptions(keeping),
    allowedUnsafeSysctls: sysctlPatterns(flags, file),
    reserved: { ...file.systemReserved, ...file.kubeReserved },
    cgroups: perPod ? { root: flags.cgroupRoot ?? file.cgroupRoot ?? "/" } : undefined,
    configuration: withDefaults(keeping),
  };
}

async function main(): Promise<void> {
  const flags = parseFlags(process.argv);
  const log = pino({ level: Number(flags.v) >= 4 ? "debug" : "info" });
  const file = loadConfiguration(flags, (fields) => {
    log.warn({ fields }, "these fields of the configuration have no effect in this kubelet");
  });
  const endpoint =
    flags.containerRuntimeEndpoint ??
    file.containerRuntimeEndpoint ??
    "unix:///run/containerd/containerd.sock";
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const kubelet = createKubelet({
    ...optionsFrom(flags, file),
    client: createClient({
      transport: createHttpTransport(loadKubeconfig(flags.kubeconfig)),
      userAgent: "kubelet",
    }),
    cri: dial(endpoint.includes("://") ? endpoint : `unix://${endpoint}`),
    clock: systemClock,
    random: systemRandom,
    log,
    exec: runCommand,
  });
  // The runtime's connection alone does not keep the process while it waits for the runtime.
  const alive = setInterval(() => {}, 2 ** 30);
  await kubelet.start(stop.signal);
  clearInterval(alive);
  process.exit(0);
}

main().catch((error: Error) => {
  process.stderr.write(`kubelet: ${error.message}\n`);
  process.exit(1);
});
