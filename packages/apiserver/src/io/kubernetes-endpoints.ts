/**
 * Endpoints and EndpointSlice of the kubernetes Service: the addresses of the servers there are.
 *
 * Source  pkg/controlplane/reconcilers/endpointsadapter.go, pkg/controlplane/controller/kubernetesservice
 */
import { type KubeObject, sleep } from "@nanokube/machinery";
import type { ApiServerOptions } from "./api-server-options.ts";
import { type BootstrapParts, find, put } from "./bootstrap.ts";

/** One way by which servers on one store agree who they are. */
export interface EndpointReconciler {
  /** This server is there, and says so again. */
  reconcile(port: number): Promise<void>;
  /** It is there no longer. */
  remove(port: number): Promise<void>;
}

const everyMs = 10_000;
const leaveMaxMs = 5_000;

/** Keeps this server an endpoint for as long as it serves. */
export class EndpointKeeper {
  readonly #options: Pick<ApiServerOptions, "clock" | "log">;
  readonly #reconciler: EndpointReconciler;
  #port: number | undefined;
  /** What is said of this server just now: the last word is that it leaves. */
  #working: Promise<void> = Promise.resolve();

  constructor(options: Pick<ApiServerOptions, "clock" | "log">, reconciler: EndpointReconciler) {
    this.#options = options;
    this.#reconciler = reconciler;
  }

  /** This server is an endpoint when this resolves, and until the signal aborts or it leaves. */
  async join(port: number, signal: AbortSignal): Promise<void> {
    this.#port = port;
    await this.#reconciler.reconcile(port);
    void this.#keep(signal);
  }

  /** Clients should go to other servers from now on; a store that is away is not waited for. */
  async leave(): Promise<void> {
    if (this.#port === undefined) return;
    const port = this.#port;
    this.#port = undefined;
    const { clock, log } = this.#options;
    const left = this.#working
      .then(() => this.#reconciler.remove(port))
      .catch((error: unknown) =>
        log.warn({ error: String(error) }, "unable to remove this server's endpoint"),
      );
    const over = new AbortController();
    await Promise.race([left, sleep(clock, leaveMaxMs, over.signal).catch(() => undefined)]);
    over.abort();
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      await sleep(clock, everyMs, signal).catch(() => undefined);
      if (signal.aborted || this.#port === undefined) return;
      this.#working = this.#reconciler
        .reconcile(this.#port)
        .catch((error: unknown) =>
          log.warn({ error: String(error) }, "unable to reconcile the kubernetes Service"),
        );
      await this.#working;
    }
  }
}

const metadata = { name: "kubernetes", namespace: "default" };

/** What is there; undefined when nothing was ever written. */
export async function currentEndpoints(parts: BootstrapParts): Promise<KubeObject | undefined> {
  return find(parts, "endpoints", { apiVersion: "v1", kind: "Endpoints", metadata });
}

/** Writes both where they say something else. */
export async function publishAddresses(
  parts: BootstrapParts,
  ips: readonly string[],
  port: number,
): Promise<void> {
  const ports = [{ name: "https", port, protocol: "TCP" }];
  const endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { ...metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    ...(ips.length === 0 ? {} : { subsets: [{ addresses: ips.map((ip) => ({ ip })), ports }] }),
  } as KubeObject;
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: ips[0]?.includes(":") ? "IPv6" : "IPv4",
    endpoints: ips.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
    ports,
  } as KubeObject;
  await putChanged(parts, "endpoints", endpoints, "subsets");
  await putChanged(parts, "endpointslices", slice, "endpoints");
}

async function putChanged(
  parts: BootstrapParts,
  plural: string,
  object: KubeObject,
  member: "subsets" | "endpoints",
): Promise<void> {
  const current = await find(parts, plural, object);
  const text = (tree: KubeObject | undefined) => JSON.stringify(addressText(tree, member));
  if (current === undefined || text(current) !== text(object)) await put(parts, plural, object);
}

/** What of both kinds counts, whatever order their members are in. */
function addressText(tree: KubeObject | undefined, member: "subsets" | "endpoints"): unknown {
  const value = (tree?.[member] ?? []) as readonly {
    addresses?: readonly (string | { ip?: string })[];
    ports?: readonly { port?: number }[];
  }[];
  const ports = (value.flatMap((one) => one.ports ?? []) ?? []).map(({ port }) => port);
  const sliced = ((tree?.ports ?? []) as readonly { port?: number }[]).map(({ port }) => port);
  const addresses = value.map((one) =>
    (one.addresses ?? []).map((address) => (typeof address === "string" ? address : address.ip)),
  );
  return { addresses, ports, sliced };
}
