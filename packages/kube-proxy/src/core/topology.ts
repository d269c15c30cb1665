/**
 * Which endpoints this node sends traffic to, by traffic policy, readiness and hints.
 *
 * Ready ones; when there are none, those that terminate and still serve, for Cluster and Local
 * policy independently. With hints on every ready endpoint, the ones hinted for this node, else for
 * its zone; hints that leave nothing are ignored.
 *
 * Source  kubernetes pkg/proxy/topology.go CategorizeEndpoints
 */
import type { Endpoint } from "./endpoints.ts";
import { type ServicePort, usesClusterEndpoints, usesLocalEndpoints } from "./service-port.ts";

export interface NodeView {
  nodeName: string;
  /** The node's label topology.kubernetes.io/zone, "" without one. */
  zone: string;
}

export interface Categories {
  cluster: readonly Endpoint[];
  local: readonly Endpoint[];
  /** Both, each endpoint once. */
  reachable: readonly Endpoint[];
  /** Usable ones exist, be it on other nodes only. */
  hasEndpoints: boolean;
}

export function categorizeEndpoints(
  endpoints: readonly Endpoint[],
  port: ServicePort,
  node: NodeView,
): Categories {
  const stillServes = (e: Endpoint) => e.serving && e.terminating;
  const withFallback = (of: readonly Endpoint[], available: (e: Endpoint) => boolean) => {
    const ready = of.filter((e) => e.ready && available(e));
    return ready.length > 0 ? ready : of.filter(stillServes);
  };
  let cluster: Endpoint[] = [];
  if (usesClusterEndpoints(port)) {
    cluster = withFallback(endpoints, availability(endpoints, node));
  }
  if (!usesLocalEndpoints(port)) {
    return { cluster, local: [], reachable: cluster, hasEndpoints: cluster.length > 0 };
  }
  const anywhere = endpoints.some((e) => e.ready || stillServes(e));
  const local = withFallback(
    endpoints.filter((e) => e.isLocal),
    () => true,
  );
  const union = new Map([...cluster, ...local].map((e) => [e.text, e]));
  const reachable = [...union.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
  return { cluster, local, reachable, hasEndpoints: cluster.length > 0 || anywhere };
}

function availability(endpoints: readonly Endpoint[], node: NodeView): (e: Endpoint) => boolean {
  const ready = endpoints.filter((e) => e.ready);
  const hinted = (hints: (e: Endpoint) => readonly string[], wanted: string) =>
    ready.length > 0 &&
    ready.every((e) => hints(e).length > 0) &&
    ready.some((e) => hints(e).includes(wanted));
  if (hinted((e) => e.nodeHints, node.nodeName)) return (e) => e.nodeHints.includes(node.nodeName);
  if (hinted((e) => e.zoneHints, node.zone)) return (e) => e.zoneHints.includes(node.zone);
  return () => true;
}
