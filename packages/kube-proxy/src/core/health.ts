/**
 * Is the proxy alive, and does the node have endpoints: the answers of /healthz, /livez and
 * healthCheckNodePorts.
 *
 * Unhealthy is a change that waits longer than `timeoutMs` to be written. A node that an autoscaler
 * will remove, or that is being deleted, is not eligible: /healthz says 503, so that load balancers
 * leave it; /livez does not care.
 *
 * Source  kubernetes pkg/proxy/healthcheck/{proxy_health,service_health}.go
 */
import type { Node } from "@nanokube/api/core/v1";
import type { Family } from "./address.ts";
import type { BackedPort } from "./rule-book.ts";

export const toBeDeletedTaint = "ToBeDeletedByClusterAutoscaler";

export interface ProxyHealth {
  lastUpdatedMs: number;
  /** When the oldest change came that is not written yet. */
  pendingSinceMs: number | undefined;
}

export interface HealthAnswer {
  status: 200 | 503;
  body: string;
}

export function isHealthy(
  health: ReadonlyMap<Family, ProxyHealth>,
  nowMs: number,
  timeoutMs: number,
) {
  return [...health.values()].every((h) => isFresh(h, nowMs, timeoutMs));
}

/** A proxy that has never written is starting up, and healthy. */
const isFresh = (health: ProxyHealth, nowMs: number, timeoutMs: number): boolean =>
  health.lastUpdatedMs === 0 ||
  health.pendingSinceMs === undefined ||
  nowMs - health.pendingSinceMs < timeoutMs;

export function isEligible(node: Node | undefined): boolean {
  if (node === undefined || node.metadata?.deletionTimestamp !== undefined) return false;
  return !(node.spec?.taints ?? []).some((taint) => taint.key === toBeDeletedTaint);
}

export interface HealthQuestion {
  health: ReadonlyMap<Family, ProxyHealth>;
  nowMs: number;
  timeoutMs: number;
  /** Undefined for /livez, which leaves the node out. */
  eligible: boolean | undefined;
}

export function healthAnswer({ health, nowMs, timeoutMs, eligible }: HealthQuestion): HealthAnswer {
  const healthy = isHealthy(health, nowMs, timeoutMs) && eligible !== false;
  const last = Math.max(0, ...[...health.values()].map((h) => h.lastUpdatedMs));
  const time = (ms: number) => (ms === 0 ? "0001-01-01T00:00:00Z" : new Date(ms).toISOString());
  const status = Object.fromEntries(
    [...health]
      .filter(([, h]) => h.lastUpdatedMs > 0)
      .map(([family, h]) => [
        family,
        { lastUpdated: time(h.lastUpdatedMs), healthy: isFresh(h, nowMs, timeoutMs) },
      ]),
  );
  const body = {
    // A healthy proxy without news is as good as one that has just written.
    lastUpdated: time(healthy ? nowMs : last),
    currentTime: time(nowMs),
    ...(eligible === undefined ? {} : { nodeEligible: eligible }),
    ...(Object.keys(status).length === 0 ? {} : { status }),
  };
  return { status: healthy ? 200 : 503, body: JSON.stringify(body) };
}

export interface ServiceHealth {
  namespace: string;
  name: string;
  port: number;
  /** Pods of this node that are ready, each address once. */
  localEndpoints: number;
}

/** Which health check ports must be open, and what they say; by "namespace/name". */
export function serviceHealth(ports: readonly BackedPort[]): Map<string, ServiceHealth> {
  const found = new Map<string, ServiceHealth & { ips: Set<string> }>();
  for (const { port, endpoints } of ports) {
    if (port.healthCheckNodePort === 0) continue;
    const key = `${port.namespace}/${port.serviceName}`;
    const { namespace, serviceName: name } = port;
    const entry = found.get(key) ?? {
      namespace,
      name,
      port: port.healthCheckNodePort,
      localEndpoints: 0,
      ips: new Set<string>(),
    };
    for (const e of endpoints) if (e.isLocal && e.ready) entry.ips.add(e.ip);
    entry.localEndpoints = entry.ips.size;
    found.set(key, entry);
  }
  return found;
}

export function serviceHealthAnswer(service: ServiceHealth, proxyHealthy: boolean): HealthAnswer {
  const { namespace, name, localEndpoints } = service;
  const lines = [
    "{",
    '\t"service": {',
    `\t\t"namespace": ${JSON.stringify(namespace)},`,
    `\t\t"name": ${JSON.stringify(name)}`,
    "\t},",
    `\t"localEndpoints": ${localEndpoints},`,
    `\t"serviceProxyHealthy": ${proxyHealthy}`,
    "}",
  ];
  const ok = localEndpoints > 0 && proxyHealthy;
  return { status: ok ? 200 : 503, body: lines.join("\n") };
}
