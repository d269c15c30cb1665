/**
 * KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1): what is read of it, upstream's
 * defaults, and what is refused.
 *
 * Flags of the command line build the same tree, so that both are checked here.
 *
 * Shapes  Configuration  defaults filled, units in the names; minSyncPeriodMs is 100 unless asked
 *                        for (upstream: 1 s)
 * Errors  ConfigurationError lists every wrong field in upstream's words; fields nobody knows are
 *         refused by name
 * Source  k8s.io/kube-proxy/config/v1alpha1/types.go, kubernetes
 *         pkg/proxy/apis/config/{v1alpha1/defaults,validation/validation}.go
 */
import { parseGoDurationMs } from "@nanokube/machinery";
import { ipValue, parseCIDR } from "./address.ts";
import type { DetectLocalMode } from "./local-detector.ts";

export interface BindAddress {
  host: string;
  port: number;
}

export interface Configuration {
  kubeconfig: string;
  hostnameOverride: string;
  clusterCIDR: string;
  healthz: BindAddress | undefined;
  metrics: BindAddress | undefined;
  masqueradeAll: boolean;
  masqueradeBit: number;
  localhostNodePorts: boolean;
  syncPeriodMs: number;
  minSyncPeriodMs: number;
  detectLocal: { mode: DetectLocalMode; bridgeInterface: string; interfaceNamePrefix: string };
  nodePortAddresses: string[];
  /** How readily the kernel ends this process for want of memory; -1000 never. */
  oomScoreAdj: number;
  conntrack: ConntrackConfiguration;
}

export interface ConntrackConfiguration {
  maxPerCore: number;
  min: number;
  tcpEstablishedTimeoutMs: number;
  tcpCloseWaitTimeoutMs: number;
  tcpBeLiberal: boolean;
  udpTimeoutMs: number;
  udpStreamTimeoutMs: number;
}

export class ConfigurationError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`);
    this.name = "ConfigurationError";
  }
}

/**
 * Fields by section: read here, or harmless on this proxy (other modes', Windows', tuning of
 * upstream's logs).
 */
const known: Readonly<Record<string, readonly string[]>> = {
  "": [
    ...["apiVersion", "kind", "featureGates", "clientConnection", "logging", "hostnameOverride"],
    ...["bindAddress", "healthzBindAddress", "metricsBindAddress", "bindAddressHardFail"],
    ...["enableProfiling", "showHiddenMetricsForVersion", "mode", "iptables", "ipvs", "nftables"],
    ...["winkernel", "detectLocalMode", "detectLocal", "clusterCIDR", "nodePortAddresses"],
    ...["oomScoreAdj", "conntrack", "configSyncPeriod", "portRange", "windowsRunAsService"],
  ],
  iptables: ["masqueradeBit", "masqueradeAll", "localhostNodePorts", "syncPeriod", "minSyncPeriod"],
  detectLocal: ["bridgeInterface", "interfaceNamePrefix"],
  conntrack: [
    ...["maxPerCore", "min", "tcpEstablishedTimeout", "tcpCloseWaitTimeout", "tcpBeLiberal"],
    ...["udpTimeout", "udpStreamTimeout"],
  ],
};
const localModes = ["", "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"];

type Json = Readonly<Record<string, unknown>>;

export function parseConfiguration(tree: unknown): Configuration {
  const problems: string[] = [];
  const read = reader(tree, problems);
  const { apiVersion = "kubeproxy.config.k8s.io/v1alpha1", kind = "KubeProxyConfiguration" } =
    read.top;
  if (apiVersion !== "kubeproxy.config.k8s.io/v1alpha1" || kind !== "KubeProxyConfiguration") {
    problems.push(`no kind "${String(kind)}" is registered for version "${String(apiVersion)}"`);
  }
  const mode = read.text("", "mode");
  if (mode !== "" && mode !== "iptables") {
    const value = `Invalid value: "${mode}": nanokube's kube-proxy has iptables mode only`;
    problems.push(`KubeProxyConfiguration.ProxyMode: ${value}`);
  }
  const configuration: Configuration = {
    kubeconfig: read.text("clientConnection", "kubeconfig"),
    hostnameOverride: read.text("", "hostnameOverride"),
    clusterCIDR: read.text("", "clusterCIDR"),
    healthz: bindAddress(read, "healthzBindAddress", { host: "0.0.0.0", port: 10256 }),
    metrics: bindAddress(read, "metricsBindAddress", { host: "127.0.0.1", port: 10249 }),
    masqueradeAll: read.flag("iptables", "masqueradeAll", false),
    masqueradeBit: read.number("iptables", "masqueradeBit", 14),
    localhostNodePorts: read.flag("iptables", "localhostNodePorts", true),
    syncPeriodMs: read.duration("iptables", "syncPeriod", 0) || 30_000,
    minSyncPeriodMs: read.duration("iptables", "minSyncPeriod", 100),
    detectLocal: {
      mode: read.text("", "detectLocalMode") as DetectLocalMode,
      bridgeInterface: read.text("detectLocal", "bridgeInterface"),
      interfaceNamePrefix: read.text("detectLocal", "interfaceNamePrefix"),
    },
    nodePortAddresses: (read.top.nodePortAddresses as string[] | undefined) ?? [],
    oomScoreAdj: read.number("", "oomScoreAdj", -999),
    conntrack: conntrackConfiguration(read),
  };
  problems.push(...withoutEffect(read));
  problems.push(...validate(configuration));
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configuration;
}

interface Reader {
  top: Json;
  problems: string[];
  text(section: string, key: string): string;
  flag(section: string, key: string, fallback: boolean): boolean;
  number(section: string, key: string, fallback: number): number;
  duration(section: string, key: string, fallbackMs: number): number;
}

function reader(tree: unknown, problems: string[]): Reader {
  const isObject = (v: unknown): v is Json =>
    typeof v === "object" && v !== null && !Array.isArray(v);
  const top: Json = isObject(tree) ? tree : {};
  if (!isObject(tree)) problems.push("the configuration is not an object");
  const sectionOf = (name: string): Json => {
    const value = name === "" ? top : (top[name] ?? {});
    return isObject(value) ? value : {};
  };
  for (const [section, keys] of Object.entries(known)) {
    for (const key of Object.keys(sectionOf(section))) {
      if (keys.includes(key)) continue;
      const path = section === "" ? key : `${section}.${key}`;
      problems.push(`strict decoding error: unknown field "${path}"`);
    }
  }
  const get = <T>(section: string, key: string, type: string, fallback: T): T => {
    const value = sectionOf(section)[key];
    if (value === undefined || value === null) return fallback;
    if (typeof value !== type)
      problems.push(`${[section, key].filter(Boolean).join(".")}: must be a ${type}`);
    return value as T;
  };
  return {
    top,
    problems,
    text: (section, key) => get(section, key, "string", ""),
    flag: (section, key, fallback) => get(section, key, "boolean", fallback),
    number: (section, key, fallback) => get(section, key, "number", fallback),
    duration(section, key, fallbackMs) {
      const value = sectionOf(section)[key];
      if (value === undefined || value === null) return fallbackMs;
      const ms = typeof value === "string" ? parseGoDurationMs(value) : undefined;
      if (ms === undefined)
        problems.push(`${section}.${key}: invalid duration ${JSON.stringify(value)}`);
      return ms ?? fallbackMs;
    },
  };
}

/** "10.0.0.1", "10.0.0.1:80", "[::]:80", ":80"; a port of 0 is nowhere. */
function bindAddress(read: Reader, key: string, fallback: BindAddress): BindAddress | undefined {
  const text = read.text("", key);
  if (text === "") return fallback;
  const at = text.lastIndexOf(":");
  const isIPAlone = ipValue(text) !== undefined;
  const host = isIPAlone || at < 0 ? text : text.slice(0, at);
  const port = isIPAlone || at < 0 ? fallback.port : Number(text.slice(at + 1));
  const bare = host.replace(/^\[|\]$/g, "");
  const path = `KubeProxyConfiguration.${key[0]!.toUpperCase()}${key.slice(1)}`;
  if (ipValue(bare) === undefined) {
    read.problems.push(`${path}: Invalid value: "${bare}": must be a valid IP`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    read.problems.push(`${path}: Invalid value: "${text}": must be a valid port`);
  }
  return port === 0 ? undefined : { host: bare, port };
}

function conntrackConfiguration(read: Reader): ConntrackConfiguration {
  return {
    maxPerCore: read.number("conntrack", "maxPerCore", 32 * 1024),
    min: read.number("conntrack", "min", 128 * 1024),
    tcpEstablishedTimeoutMs: read.duration("conntrack", "tcpEstablishedTimeout", 86_400_000),
    tcpCloseWaitTimeoutMs: read.duration("conntrack", "tcpCloseWaitTimeout", 3_600_000),
    tcpBeLiberal: read.flag("conntrack", "tcpBeLiberal", false),
    udpTimeoutMs: read.duration("conntrack", "udpTimeout", 0),
    udpStreamTimeoutMs: read.duration("conntrack", "udpStreamTimeout", 0),
  };
}

/** What would be promised and not kept. */
function withoutEffect(read: Reader): string[] {
  const problems: string[] = [];
  const gates = read.top.featureGates;
  if (typeof gates === "object" && gates !== null) {
    for (const gate of Object.keys(gates)) problems.push(`unrecognized feature gate: ${gate}`);
  }
  if (read.flag("", "enableProfiling", false)) {
    const why = "nanokube's kube-proxy has no /debug/pprof";
    problems.push(`KubeProxyConfiguration.EnableProfiling: Invalid value: true: ${why}`);
  }
  for (const [key, usual] of [
    ["qps", 5],
    ["burst", 10],
  ] as const) {
    const value = read.number("clientConnection", key, usual);
    if (value <= 0 || value === usual) continue;
    const path = `KubeProxyConfiguration.ClientConnection.${key === "qps" ? "QPS" : "Burst"}`;
    problems.push(`${path}: Invalid value: ${value}: nanokube's client has no limit of its own`);
  }
  return problems;
}

function validate(c: Configuration): string[] {
  const problems: string[] = [];
  const wrong = (path: string, value: unknown, why: string) =>
    problems.push(
      `KubeProxyConfiguration.${path}: Invalid value: ${JSON.stringify(value)}: ${why}`,
    );
  if (c.masqueradeBit < 0 || c.masqueradeBit > 31) {
    wrong("IPTables.MasqueradeBit", c.masqueradeBit, "must be within the range [0, 31]");
  }
  if (c.oomScoreAdj < -1000 || c.oomScoreAdj > 1000) {
    const path = "KubeProxyLinuxConfiguration.OOMScoreAdj";
    wrong(path, c.oomScoreAdj, "must be within the range [-1000, 1000]");
  }
  if (c.syncPeriodMs <= 0) wrong("SyncPeriod", c.syncPeriodMs, "must be greater than 0");
  if (c.minSyncPeriodMs < 0) {
    wrong("MinSyncPeriod", c.minSyncPeriodMs, "must be greater than or equal to 0");
  }
  if (c.minSyncPeriodMs > c.syncPeriodMs) {
    wrong(
      "SyncPeriod",
      c.minSyncPeriodMs,
      "must be greater than or equal to KubeProxyConfiguration.MinSyncPeriod",
    );
  }
  for (const cidr of c.clusterCIDR.split(",").filter((text) => text !== "")) {
    if (parseCIDR(cidr) === undefined) {
      wrong(
        "ClusterCIDR",
        cidr,
        "must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)",
      );
    }
  }
  const { mode, bridgeInterface, interfaceNamePrefix } = c.detectLocal;
  if (!localModes.includes(mode)) {
    const supported = localModes.map((m) => `"${m}"`).join(", ");
    const value = `Unsupported value: "${mode}": supported values: ${supported}`;
    problems.push(`KubeProxyConfiguration.DetectLocalMode: ${value}`);
  }
  if (mode === "BridgeInterface" && bridgeInterface === "") {
    wrong("DetectLocal.BridgeInterface", "", "cannot be empty");
  }
  if (mode === "InterfaceNamePrefix" && interfaceNamePrefix === "") {
    wrong("DetectLocal.InterfaceNamePrefix", "", "cannot be empty");
  }
  for (const [i, text] of c.nodePortAddresses.entries()) {
    if (text === "primary" && c.nodePortAddresses.length === 1) continue;
    const why = text === "primary" ? "can't use both 'primary' and CIDRs" : "must be a valid CIDR";
    if (parseCIDR(text) === undefined) wrong(`NodePortAddresses[${i}]`, text, why);
  }
  return problems;
}

/** Kernel settings by path under /proc/sys; 0 leaves the kernel's own. */
export function conntrackSysctls(c: ConntrackConfiguration, cpus: number): Map<string, number> {
  const seconds = (ms: number) => Math.floor(ms / 1000);
  const max = c.maxPerCore > 0 ? Math.max(c.min, c.maxPerCore * cpus) : 0;
  const netfilter = "net/netfilter/nf_conntrack";
  const wanted: [string, number][] = [
    [`${netfilter}_max`, max],
    [`${netfilter}_tcp_timeout_established`, seconds(c.tcpEstablishedTimeoutMs)],
    [`${netfilter}_tcp_timeout_close_wait`, seconds(c.tcpCloseWaitTimeoutMs)],
    [`${netfilter}_tcp_be_liberal`, c.tcpBeLiberal ? 1 : 0],
    [`${netfilter}_udp_timeout`, seconds(c.udpTimeoutMs)],
    [`${netfilter}_udp_timeout_stream`, seconds(c.udpStreamTimeoutMs)],
  ];
  return new Map(wanted.filter(([, value]) => value > 0));
}
