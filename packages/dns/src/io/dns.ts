/**
 * The cluster's name server: watches Services, EndpointSlices and Namespaces, answers on UDP and
 * TCP.
 *
 * It answers from the start; until the first lists are there, unknown names are SERVFAIL, and
 * /ready says 503.
 *
 * Errors  thrown by start: a port that is taken, an upstream that is no address
 * Source  CoreDNS plugin/kubernetes, forward, cache, loop, health, ready
 */

import { networkInterfaces } from "node:os";
import {
  type Client,
  createInformer,
  endpointSlices,
  keyOf,
  namespaces,
  services,
} from "@nanokube/client";
import { type Clock, type Log, type Random, systemRandom } from "@nanokube/machinery";
import type { ListeningServer } from "@nanokube/machinery/serve-http";
import { AnswerCache } from "../core/answer-cache.ts";
import { Metrics } from "../core/metrics.ts";
import { questionBytes } from "../core/question.ts";
import { parseUpstream, type Upstream } from "../core/upstream.ts";
import { ClusterView } from "../core/view.ts";
import { createAnswerer } from "./answerer.ts";
import { createForwarder, type Forwarder } from "./forwarder.ts";
import { type Door, openDoor } from "./http-doors.ts";
import { type Listeners, listen } from "./listeners.ts";

export interface DnsOptions {
  client: Client;
  /** "cluster.local" */
  clusterDomain: string;
  /**
   * Name servers for everything else: "10.0.0.1", "10.0.0.1:5353"; none: such names are SERVFAIL.
   */
  upstreams: readonly string[];
  /** Port 0 takes a free one. */
  listen: { host: string; port: number };
  clock: Clock;
  log: Log;
  random?: Random;
  /** Seconds; 30 as in the Corefile of common clusters (CoreDNS's own default is 5). */
  ttl?: number;
  cacheSeconds?: number;
  health?: Door;
  ready?: Door;
  metrics?: Door;
}

export interface Dns {
  /** Resolves when the sockets listen; answers until the signal. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when the first lists are there, too. */
  readonly ready: Promise<void>;
  /** Resolves when, after the signal, every socket is closed. */
  readonly closed: Promise<void>;
  /** Once started. */
  readonly port: number;
}

export function createDns(options: DnsOptions): Dns {
  const { log, listen: at } = options;
  const ready = deferred();
  const closed = deferred();
  let listeners: Listeners | undefined;

  async function start(signal: AbortSignal): Promise<void> {
    const upstreams = withoutSelf(parseUpstreams(options.upstreams), at);
    const view = new ClusterView();
    const sync = { synced: false };
    const metrics = new Metrics();
    const parts = createParts({ ...options, view, metrics, sync, upstreams });
    const sockets = await listen(at, parts.handler, log);
    listeners = sockets;
    let doors: Record<string, ListeningServer>;
    try {
      doors = await openDoors(options, metrics, sync);
    } catch (error) {
      await sockets.close();
      throw error;
    }
    void parts.probe();
    void watch(options, view, signal).then(() => {
      if (signal.aborted) return;
      sync.synced = true;
      const ports = Object.fromEntries(Object.entries(doors).map(([name, d]) => [name, d.port]));
      const { upstreams: forwardedTo } = options;
      log.info({ port: sockets.port, doors: ports, upstreams: forwardedTo }, "name server ready");
      ready.resolve();
    });
    void untilAborted(signal).then(async () => {
      for (const door of Object.values(doors)) await door.close();
      await sockets.close();
      closed.resolve();
    });
  }

  return {
    start,
    ready: ready.promise,
    closed: closed.promise,
    get port() {
      return listeners?.port ?? at.port;
    },
  };
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function parseUpstreams(texts: readonly string[]): Upstream[] {
  return texts.map((text) => {
    const upstream = parseUpstream(text);
    if (upstream === undefined) throw new Error(`not an IP address or IP:port: ${text}`);
    return upstream;
  });
}

function ownAddresses(host: string): string[] {
  if (host !== "0.0.0.0" && host !== "::") return [host];
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((a) => a.address));
}

/** A server that forwards to itself answers nobody. */
function withoutSelf(upstreams: readonly Upstream[], at: { host: string; port: number }) {
  const own = ownAddresses(at.host);
  return upstreams.filter(({ host, port }) => port !== at.port || !own.includes(host));
}

interface PartsOptions extends Omit<DnsOptions, "upstreams" | "metrics"> {
  upstreams: readonly Upstream[];
  view: ClusterView;
  metrics: Metrics;
  sync: { synced: boolean };
}

function createParts(options: PartsOptions) {
  const { upstreams, clock, log, view, random = systemRandom, sync } = options;
  const real = createForwarder({ upstreams, clock, random });
  let looped = false;
  const forwarder: Forwarder = {
    ask: (query, protocol) => real.ask(query, protocol),
    get hasUpstreams() {
      return real.hasUpstreams && !looped;
    },
  };
  const probeName = `${[...random.bytes(8)].join("-")}.loop-probe`;
  let turn = 0;
  const { clusterDomain, ttl = 30, listen: at, cacheSeconds = 30 } = options;
  const localIPs = ownAddresses(at.host).filter((ip) => !ip.startsWith("127.") && ip !== "::1");
  const handler = createAnswerer({
    view,
    forwarder,
    cache: new AnswerCache({ maxSeconds: cacheSeconds, maxEntries: 10_000 }),
    metrics: options.metrics,
    clock,
    log,
    resolve: () => ({ clusterDomain, ttl, localIPs, synced: sync.synced, turn: turn++ }),
    onQuestion({ question }) {
      if (looped || question.labels.join(".") !== probeName) return;
      looped = true;
      log.error({ upstreams: options.upstreams }, "forwarding loop found: forwarding is off");
    },
  });
  /** A question nobody knows but we: does it come back to us? */
  async function probe(): Promise<void> {
    if (real.hasUpstreams)
      await real.ask(questionBytes(probeName, 1), "udp").catch(() => undefined);
  }
  return { handler, probe };
}

async function openDoors(
  options: DnsOptions,
  metrics: Metrics,
  sync: { synced: boolean },
): Promise<Record<string, ListeningServer>> {
  const doors: Record<string, ListeningServer> = {};
  const answers = {
    health: () => ({ status: 200, text: "OK" }),
    ready: () => (sync.synced ? { status: 200, text: "OK" } : { status: 503, text: "kubernetes" }),
    metrics: () => ({ status: 200, text: metrics.text() }),
  };
  try {
    for (const name of ["health", "ready", "metrics"] as const) {
      const at = options[name];
      if (at !== undefined) doors[name] = await openDoor(at, `/${name}`, answers[name]);
    }
    return doors;
  } catch (error) {
    for (const door of Object.values(doors)) await door.close();
    throw error;
  }
}

/**
 * Resolves with the first lists in the view.
 *
 * @hop dns.name: the names of a Service and of its endpoints resolve to their addresses.
 */
async function watch(options: DnsOptions, view: ClusterView, signal: AbortSignal): Promise<void> {
  const { client, clock, log } = options;
  const common = { client, clock, log };
  const changed = (object?: { kind: string; key: string; resourceVersion: string | undefined }) => {
    view.serial = Math.floor(clock.now() / 1000);
    if (object === undefined) return;
    const { kind, key, resourceVersion } = object;
    log.debug({ hop: "dns.name", object: `${kind}/${key}`, resourceVersion }, "hop");
  };
  const of = (kind: string, object: { metadata?: { resourceVersion?: string } }) => ({
    kind,
    key: keyOf(object),
    resourceVersion: object.metadata?.resourceVersion,
  });
  const ofServices = createInformer({ ...common, resource: services });
  const ofSlices = createInformer({ ...common, resource: endpointSlices });
  const ofNamespaces = createInformer({ ...common, resource: namespaces });
  const setService = (service: Parameters<typeof view.setService>[0]) => {
    view.setService(service);
    changed(of("services", service));
  };
  ofServices.onEvent({
    add: setService,
    update: (_, service) => setService(service),
    delete: (service) => {
      view.deleteService(keyOf(service));
      changed();
    },
  });
  const setSlice = (slice: Parameters<typeof view.setSlice>[0]) => {
    view.setSlice(slice);
    changed(of("endpointslices", slice));
  };
  ofSlices.onEvent({
    add: setSlice,
    update: (_, slice) => setSlice(slice),
    delete: (slice) => {
      view.deleteSlice(keyOf(slice));
      changed();
    },
  });
  ofNamespaces.onEvent({
    add: (namespace) => view.setNamespace(namespace.metadata?.name ?? "", true),
    delete: (namespace) => view.setNamespace(namespace.metadata?.name ?? "", false),
  });
  const informers = [ofServices, ofSlices, ofNamespaces];
  for (const informer of informers) informer.start(signal);
  await Promise.race([Promise.all(informers.map((i) => i.waitForSync())), untilAborted(signal)]);
}
