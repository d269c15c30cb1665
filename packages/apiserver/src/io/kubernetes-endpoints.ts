/**
 * Endpoints and EndpointSlice of the kubernetes Service: the addresses of the servers there are.
 *
 * Source  pkg/controlplane/reconcilers/endpointsadapter.go, pkg/controlplane/controller/kubernetesservice
 */
import type { KubeObject } from "@nanokube/machinery";
import { type BootstrapParts, find, put } from "./bootstrap.ts";

/** One way by which servers on one store agree who they are. */
export interface EndpointReconciler {
  /** This server is an endpoint when this resolves, and until the signal aborts or it leaves. */
  join(port: number, signal: AbortSignal): Promise<void>;
  leave(): Promise<void>;
}

const metadata = { name: "kubernetes", namespace: "default" };

/** What is there; undefined when nothing was ever written. */
export function currentEndpoints(parts: BootstrapParts): Promise<KubeObject | undefined> {
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
