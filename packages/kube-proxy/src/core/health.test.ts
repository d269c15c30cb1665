/** Health answers, and which UDP flows are stale. */
import { expect, test } from "vitest";
import { service, slice } from "../../test/objects.ts";
import { parseFlows, staleFlows } from "./conntrack.ts";
import { endpointsOf } from "./endpoints.ts";
import { healthAnswer, isEligible, serviceHealth, serviceHealthAnswer } from "./health.ts";
import type { BackedPort } from "./rule-book.ts";
import { servicePorts } from "./service-port.ts";

const answer = (pendingSinceMs: number | undefined, eligible: boolean | undefined) =>
  healthAnswer({
    health: new Map([["IPv4", { lastUpdatedMs: 1000, pendingSinceMs }]]),
    nowMs: 100_000,
    timeoutMs: 60_000,
    eligible,
  });

test("a change that waits too long is unhealthy; the node counts for /healthz only", () => {
  expect(answer(undefined, true).status).toBe(200);
  expect(answer(50_000, true).status).toBe(200);
  expect(answer(30_000, true).status).toBe(503);
  expect(answer(undefined, false).status).toBe(503);
  expect(JSON.parse(answer(30_000, undefined).body)).toEqual({
    lastUpdated: "1970-01-01T00:00:01.000Z",
    currentTime: "1970-01-01T00:01:40.000Z",
    status: { IPv4: { lastUpdated: "1970-01-01T00:00:01.000Z", healthy: false } },
  });
});

test("a node that will be taken away is not eligible", () => {
  const taints = [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }];
  expect(isEligible({ metadata: {} })).toBe(true);
  expect(isEligible({ spec: { taints } })).toBe(false);
  expect(isEligible({ metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } })).toBe(false);
  expect(isEligible(undefined)).toBe(false);
});

const backed = (
  s: ReturnType<typeof service>,
  slices: ReturnType<typeof slice>[],
): BackedPort[] => {
  const endpoints = endpointsOf(slices, "IPv4", "n1");
  return servicePorts(s, "IPv4").map((port) => ({
    port,
    endpoints: endpoints.get(`${port.portName}/${port.protocol}`) ?? [],
  }));
};

test("a health check port counts the pods of this node, each once", () => {
  const web = service("web", {
    type: "LoadBalancer",
    clusterIP: "10.96.0.5",
    externalTrafficPolicy: "Local",
    healthCheckNodePort: 32001,
    ports: [
      { name: "http", port: 80, protocol: "TCP" },
      { name: "https", port: 443, protocol: "TCP" },
    ],
  });
  const ports = [
    { name: "http", port: 80 },
    { name: "https", port: 443 },
  ];
  const pods = ["10.244.0.2@n1", "10.244.0.3@n1", "-10.244.0.4@n1", "10.244.1.2@n2"];
  const found = serviceHealth(backed(web, [slice("web", ports, pods)])).get("default/web")!;
  expect(found).toMatchObject({ port: 32001, localEndpoints: 2 });
  expect(serviceHealthAnswer(found, true).status).toBe(200);
  expect(serviceHealthAnswer({ ...found, localEndpoints: 0 }, true).status).toBe(503);
  expect(JSON.parse(serviceHealthAnswer(found, false).body)).toEqual({
    service: { namespace: "default", name: "web" },
    localEndpoints: 2,
    serviceProxyHealthy: false,
  });
});

test("flows to endpoints that are gone are stale, one command for each pair", () => {
  const dns = service("dns", {
    type: "NodePort",
    clusterIP: "10.96.0.10",
    ports: [{ name: "dns", port: 53, protocol: "UDP", nodePort: 30053 }],
  });
  const ports = [{ name: "dns", port: 5353, protocol: "UDP" }];
  const line = (dst: string, dport: number, from: string, client: string) =>
    `udp      17 29 src=${client} dst=${dst} sport=4000 dport=${dport} [UNREPLIED] src=${from} dst=${client} sport=5353 dport=4000 mark=0 use=1`;
  const flows = parseFlows(
    [
      line("10.96.0.10", 53, "10.244.0.2", "10.244.0.7"),
      line("10.96.0.10", 53, "10.244.0.9", "10.244.0.7"),
      line("10.96.0.10", 53, "10.244.0.9", "10.244.0.8"),
      line("192.168.0.2", 30053, "10.244.0.9", "192.168.0.7"),
      line("8.8.8.8", 53, "8.8.8.8", "10.244.0.7"),
    ].join("\n"),
  );
  expect(flows).toHaveLength(5);
  const stale = staleFlows(flows, backed(dns, [slice("dns", ports, ["10.244.0.2@n1"])]));
  expect(stale.map((f) => `${f.destination}:${f.destinationPort} ${f.replySource}`)).toEqual([
    "10.96.0.10:53 10.244.0.9",
    "192.168.0.2:30053 10.244.0.9",
  ]);
  expect(staleFlows(flows, backed(dns, []))).toEqual([]);
});
