/**
 * What the proxy knows, and what it has written: Services and EndpointSlices in, restore text out.
 *
 * Rules of a Service are made again only when one of its objects changed, and written only when
 * they came out different; so the cost of a change is the cost of its Service, not of the cluster.
 * A full text is made at first, when the kernel's rules were lost, and after a failure, for then
 * nobody knows what stands there.
 *
 * Shapes  keys     "namespace/name" of a Service
 *         Plan     `text` undefined: nothing to write; `written()` when it was
 * Source  kubernetes pkg/proxy/iptables/proxier.go (needFullSync, UpdatedServices),
 *         servicechangetracker.go
 */
import type { Service } from "@nanokube/api/core/v1";
import type { EndpointSlice } from "@nanokube/api/discovery/v1";
import { isServiceChain } from "./chains.ts";
import { type Endpoint, endpointsOf, portKey, serviceKeyOf } from "./endpoints.ts";
import { type GlobalOptions, restoreText, type SavedState } from "./restore-text.ts";
import { type ServicePort, servicePorts } from "./service-port.ts";
import { type RuleOptions, type ServiceRules, serviceRules } from "./service-rules.ts";
import type { NodeView } from "./topology.ts";

export type BookOptions = GlobalOptions &
  Omit<RuleOptions, "node" | "nodeIP" | "largeCluster"> & { nodeName: string };

export interface NodeState extends NodeView {
  nodeIP: string;
}

export interface BackedPort {
  port: ServicePort;
  endpoints: readonly Endpoint[];
}

export interface Plan {
  text: string | undefined;
  full: boolean;
  /** Keys of the Services whose rules changed. */
  changed: string[];
  /** A UDP port changed its endpoints: flows of old ones must be forgotten. */
  cleanConntrack: boolean;
  written(): void;
}

interface Entry {
  service: Service | undefined;
  slices: Map<string, EndpointSlice>;
  ports: BackedPort[];
  rules: ServiceRules[];
}

const largeClusterEndpoints = 1000;

export class RuleBook {
  readonly #options: BookOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #dirty = new Set<string>();
  /** Chains that stand in the kernel, by Service; known after the first full sync. */
  readonly #chains = new Map<string, string[]>();
  #node: NodeState;
  #largeCluster = false;
  #needsFull = true;

  constructor(options: BookOptions) {
    this.#options = options;
    this.#node = { nodeName: options.nodeName, zone: "", nodeIP: "" };
  }

  setService(key: string, service: Service | undefined): void {
    this.#entry(key).service = service;
    this.#dirty.add(key);
  }

  setSlice(slice: EndpointSlice, present: boolean): void {
    const key = serviceKeyOf(slice);
    if (key === undefined) return;
    const { slices } = this.#entry(key);
    const name = slice.metadata?.name ?? "";
    if (present) slices.set(name, slice);
    else slices.delete(name);
    this.#dirty.add(key);
  }

  setNode(node: NodeState): void {
    const { zone, nodeIP } = this.#node;
    this.#node = node;
    if (zone !== node.zone || nodeIP !== node.nodeIP) this.forgetWritten();
  }

  /** The next plan is a full one, all rules made anew. */
  forgetWritten(): void {
    this.#needsFull = true;
    for (const key of this.#entries.keys()) this.#dirty.add(key);
  }

  get needsFull(): boolean {
    return this.#needsFull;
  }

  /** `saved` is asked for in a full sync only. */
  plan(saved: SavedState | undefined): Plan {
    const full = this.#needsFull;
    const { changed, cleanConntrack } = this.#remake();
    const keys = [...this.#entries.keys()].sort();
    const all = keys.flatMap((key) => this.#entries.get(key)!.rules);
    const written = full ? keys : changed;
    const nothing = !full && changed.length === 0;
    const text = nothing
      ? undefined
      : restoreText({
          options: this.#options,
          all,
          changed: new Set(written.flatMap((key) => this.#entries.get(key)?.rules ?? [])),
          stale: full ? this.#staleInKernel(saved) : this.#staleOf(changed),
          missingJumps: saved?.missingJumps ?? [],
          canaries: full,
        });
    this.#needsFull = true; // until the caller says that it is written
    return {
      text,
      full,
      changed,
      cleanConntrack,
      written: () => {
        this.#needsFull = false;
        for (const key of [...written, ...changed]) this.#remember(key);
      },
    };
  }

  /** All ports with their endpoints. */
  ports(): BackedPort[] {
    return [...this.#entries.values()].flatMap((entry) => entry.ports);
  }

  #entry(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const made: Entry = { service: undefined, slices: new Map(), ports: [], rules: [] };
    this.#entries.set(key, made);
    return made;
  }

  #remake(): { changed: string[]; cleanConntrack: boolean } {
    let cleanConntrack = false;
    for (const key of this.#dirty) {
      const entry = this.#entries.get(key)!;
      const old = entry.ports;
      entry.ports = this.#backed(entry);
      cleanConntrack ||= udpEndpoints(old) !== udpEndpoints(entry.ports);
    }
    const total = this.ports().reduce((sum, { endpoints }) => sum + endpoints.length, 0);
    const large = total > largeClusterEndpoints;
    // Comments come or go for everybody.
    if (large !== this.#largeCluster) for (const key of this.#entries.keys()) this.#dirty.add(key);
    this.#largeCluster = large;
    const changed = [...this.#dirty].filter((key) => this.#remakeRules(key)).sort();
    this.#dirty.clear();
    return { changed, cleanConntrack };
  }

  #backed(entry: Entry): BackedPort[] {
    const { family, nodeName } = this.#options;
    if (entry.service === undefined) return [];
    const endpoints = endpointsOf([...entry.slices.values()], family, nodeName);
    return servicePorts(entry.service, family).map((port) => ({
      port,
      endpoints: endpoints.get(portKey(port.portName, port.protocol)) ?? [],
    }));
  }

  /** True when the rules came out different from the ones that stand. */
  #remakeRules(key: string): boolean {
    const entry = this.#entries.get(key)!;
    const options: RuleOptions = {
      ...this.#options,
      node: this.#node,
      nodeIP: this.#node.nodeIP,
      largeCluster: this.#largeCluster,
    };
    const rules = entry.ports.map(({ port, endpoints }) => serviceRules(port, endpoints, options));
    const different = JSON.stringify(rules) !== JSON.stringify(entry.rules);
    if (different) entry.rules = rules;
    if (entry.service === undefined && entry.slices.size === 0) this.#entries.delete(key);
    return different;
  }

  #chainsOf(key: string): string[] {
    return this.#entries.get(key)?.rules.flatMap((rules) => rules.chains) ?? [];
  }

  #staleOf(changed: readonly string[]): string[] {
    return changed.flatMap((key) => {
      const now = new Set(this.#chainsOf(key));
      return (this.#chains.get(key) ?? []).filter((chain) => !now.has(chain));
    });
  }

  #staleInKernel(saved: SavedState | undefined): string[] {
    const active = new Set([...this.#entries.keys()].flatMap((key) => this.#chainsOf(key)));
    const present = [...(saved?.chains.nat ?? [])].filter(isServiceChain);
    return present.filter((chain) => !active.has(chain));
  }

  #remember(key: string): void {
    const chains = this.#chainsOf(key);
    if (chains.length > 0) this.#chains.set(key, chains);
    else this.#chains.delete(key);
  }
}

function udpEndpoints(ports: readonly BackedPort[]): string {
  return ports
    .filter(({ port }) => port.protocol === "udp")
    .map(({ port, endpoints }) => {
      const serving = endpoints.filter((e) => e.serving).map((e) => e.text);
      return `${port.clusterIP}:${port.port}>${serving.join(",")}`;
    })
    .join(";");
}
