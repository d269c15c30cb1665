/**
 * kube-proxy: watches Services, EndpointSlices and its own Node, and keeps this node's packet
 * filter in step.
 *
 * IPv6 tables are touched from the first IPv6 object on only.
 *
 * Errors  thrown by start: no iptables on this host; a port that is taken
 * Source  kubernetes cmd/kube-proxy/app/server.go, server_linux.go
 */
import { createServer } from "node:http";
import type { Node, Service } from "@nanokube/api/core/v1";
import type { EndpointSlice } from "@nanokube/api/discovery/v1";
import { type Client, keyOf } from "@nanokube/client";
import { type Clock, type Exec, type Log, sleep } from "@nanokube/machinery";
import { type ListeningServer, serveHTTP } from "@nanokube/machinery/serve-http";
import { type Family, familyOf } from "../core/address.ts";
import { healthAnswer, isEligible, isHealthy, serviceHealth } from "../core/health.ts";
import { type DetectLocal, localDetector } from "../core/local-detector.ts";
import { Metrics } from "../core/metrics.ts";
import { RuleBook } from "../core/rule-book.ts";
import { chainHash } from "./hash.ts";
import {
  type Endpoint,
  healthListener,
  metricsListener,
  ServiceHealthServers,
} from "./health-servers.ts";
import { type Iptables, openIptables } from "./iptables.ts";
import { localAddresses } from "./local-addresses.ts";
import { startObjectFeed } from "./object-feed.ts";
import { Proxier } from "./proxier.ts";

export interface KubeProxyOptions {
  client: Client;
  nodeName: string;
  /** Pods' addresses; comma-separated for two families. "" masquerades nothing on that ground. */
  clusterCIDR: string;
  clock: Clock;
  log: Log;
  exec: Exec;
  detectLocal?: Pick<DetectLocal, "mode" | "bridgeInterface" | "interfaceNamePrefix">;
  masqueradeAll?: boolean;
  masqueradeBit?: number;
  localhostNodePorts?: boolean;
  /** ["primary"] or CIDRs: which addresses of this node take node ports; absent or empty: all. */
  nodePortAddresses?: readonly string[];
  conntrackTCPLiberal?: boolean;
  minSyncPeriodMs?: number;
  syncPeriodMs?: number;
  /** Where /healthz is served; absent: nowhere. */
  healthz?: Endpoint;
  metrics?: Endpoint;
}

export interface KubeProxy {
  /** Runs until the signal; the rules stay, as upstream's do. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when the first rules are written. */
  readonly ready: Promise<void>;
  /** Of /healthz, once started. */
  readonly healthzPort: number | undefined;
}

interface State {
  tables: Map<Family, Iptables>;
  proxiers: Map<Family, Proxier>;
  metrics: Metrics;
  node: Node | undefined;
  resourceVersion(key: string): string;
  afterSync(): Promise<void>;
}

const defaultSyncPeriodMs = 30_000;

export function createKubeProxy(options: KubeProxyOptions): KubeProxy {
  let resolveReady = () => {};
  const ready = new Promise<void>((resolve) => {
    resolveReady = resolve;
  });
  let healthz: ListeningServer | undefined;

  async function start(signal: AbortSignal): Promise<void> {
    const { clock, log, nodeName, client, syncPeriodMs = defaultSyncPeriodMs } = options;
    const isProxyHealthy = () => isHealthy(healthOf(state), clock.now(), 2 * syncPeriodMs);
    const serviceHealthServers = new ServiceHealthServers(isProxyHealthy, log);
    const state: State = {
      tables: await openTables(options),
      proxiers: new Map(),
      metrics: new Metrics(),
      node: undefined,
      resourceVersion: () => "",
      async afterSync() {
        const ports = [...state.proxiers.values()].flatMap((p) => p.book.ports());
        await serviceHealthServers.sync(serviceHealth(ports));
        resolveReady();
      },
    };
    const servers = await openServers(options, state);
    healthz = servers[0];
    const feed = startObjectFeed({
      client,
      clock,
      log,
      nodeName,
      signal,
      async onListed() {
        state.node = feed.node();
        await prepareKernel(options);
        proxierOf("IPv4", state, options)?.request();
      },
      onNode: (node) => setNode(node, state),
      onService: (service, present) => setService(service, present, state, options),
      onSlice: (slice, present) => setSlice(slice, present, state, options),
    });
    state.resourceVersion = feed.resourceVersion;
    try {
      await feed.listed;
      while (!signal.aborted) {
        await sleep(clock, syncPeriodMs, signal).catch(() => undefined);
        if (!signal.aborted) for (const proxier of state.proxiers.values()) await proxier.verify();
      }
    } finally {
      for (const proxier of state.proxiers.values()) await proxier.stop();
      await serviceHealthServers.close();
      for (const server of servers) await server?.close();
    }
  }

  return {
    start,
    ready,
    get healthzPort() {
      return healthz?.port;
    },
  };
}

async function openTables({ exec, log }: KubeProxyOptions): Promise<Map<Family, Iptables>> {
  const tables = new Map<Family, Iptables>();
  for (const family of ["IPv4", "IPv6"] as const) {
    const opened = await openIptables(exec, family);
    if (opened === undefined) continue;
    tables.set(family, opened);
    log.info({ family, version: opened.version }, "Using iptables Proxier");
  }
  if (tables.size === 0) throw new Error("iptables is not available on this host");
  return tables;
}

const healthOf = (state: State) =>
  new Map([...state.proxiers].map(([family, proxier]) => [family, proxier.health]));

async function openServers(
  options: KubeProxyOptions,
  state: State,
): Promise<(ListeningServer | undefined)[]> {
  const { clock, healthz, metrics, syncPeriodMs = defaultSyncPeriodMs } = options;
  const answer = (eligible: boolean | undefined) =>
    healthAnswer({
      health: healthOf(state),
      nowMs: clock.now(),
      timeoutMs: 2 * syncPeriodMs,
      eligible,
    });
  const handlers = {
    healthz: () => answer(isEligible(state.node)),
    livez: () => answer(undefined),
  };
  const health = healthz && (await serveHTTP(createServer(healthListener(handlers)), healthz));
  if (metrics === undefined) return [health];
  const listener = metricsListener(() => state.metrics.text());
  try {
    return [health, await serveHTTP(createServer(listener), metrics)];
  } catch (error) {
    await health?.close();
    throw error;
  }
}

/**
 * Packets to 127.0.0.1 are sent on to a pod only when the kernel does not take them for Martians.
 */
async function prepareKernel(options: KubeProxyOptions): Promise<void> {
  const { exec, log, localhostNodePorts = true } = options;
  if (!localhostNodePorts) return;
  const path = "/proc/sys/net/ipv4/conf/all/route_localnet";
  const { code, stderr } = await exec(["tee", path], { input: "1" });
  if (code !== 0) log.warn({ path, stderr }, "node ports on localhost will not work");
}

function setNode(node: Node | undefined, state: State): void {
  state.node = node;
  for (const [family, proxier] of state.proxiers) {
    proxier.book.setNode(nodeState(node, family));
    if (proxier.book.needsFull) proxier.request();
  }
}

function nodeState(node: Node | undefined, family: Family) {
  const addresses = node?.status?.addresses ?? [];
  const own = (type: string) =>
    addresses.find((a) => a.type === type && familyOf(a.address ?? "") === family)?.address;
  return {
    nodeName: node?.metadata?.name ?? "",
    zone: node?.metadata?.labels?.["topology.kubernetes.io/zone"] ?? "",
    nodeIP: own("InternalIP") ?? own("ExternalIP") ?? "",
  };
}

const isFamily = (text: string | undefined): text is Family => text === "IPv4" || text === "IPv6";

function setService(service: Service, present: boolean, state: State, options: KubeProxyOptions) {
  const named = (service.spec?.ipFamilies ?? ["IPv4"]).filter(isFamily);
  // A family that was taken off the Service must hear of it too.
  for (const family of new Set([...named, ...state.proxiers.keys()])) {
    const proxier = proxierOf(family, state, options);
    proxier?.book.setService(keyOf(service), present ? service : undefined);
    proxier?.request();
  }
}

function setSlice(slice: EndpointSlice, present: boolean, state: State, options: KubeProxyOptions) {
  if (!isFamily(slice.addressType)) return;
  const proxier = proxierOf(slice.addressType, state, options);
  proxier?.book.setSlice(slice, present);
  proxier?.request();
}

function proxierOf(family: Family, state: State, options: KubeProxyOptions): Proxier | undefined {
  const known = state.proxiers.get(family);
  const iptables = state.tables.get(family);
  if (known !== undefined || iptables === undefined) return known;
  const { exec, clock, log, minSyncPeriodMs = 100 } = options;
  const made = new Proxier({
    iptables,
    book: createBook(iptables, state.node, options),
    exec,
    clock,
    log,
    metrics: state.metrics,
    minSyncPeriodMs,
    syncPeriodMs: options.syncPeriodMs ?? defaultSyncPeriodMs,
    resourceVersion: (key) => state.resourceVersion(key),
    afterSync: state.afterSync,
  });
  made.book.setNode(nodeState(state.node, family));
  state.proxiers.set(family, made);
  return made;
}

function createBook(iptables: Iptables, node: Node | undefined, o: KubeProxyOptions): RuleBook {
  const { family, randomFully } = iptables;
  const detect: DetectLocal = {
    mode: "",
    bridgeInterface: "",
    interfaceNamePrefix: "",
    ...o.detectLocal,
    nodeCIDRs: node?.spec?.podCIDRs ?? [],
    clusterCIDRs: o.clusterCIDR.split(",").filter((cidr) => cidr !== ""),
  };
  const primary = nodeState(node, family).nodeIP;
  return new RuleBook({
    family,
    nodeName: o.nodeName,
    hash: chainHash,
    masqueradeAll: o.masqueradeAll ?? false,
    masqueradeBit: o.masqueradeBit ?? 14,
    localDetector: localDetector(detect, family),
    localhostNodePorts: o.localhostNodePorts ?? true,
    nodePortIPs: localAddresses(o.nodePortAddresses ?? [], family, primary),
    conntrackTCPLiberal: o.conntrackTCPLiberal ?? false,
    randomFully,
  });
}
