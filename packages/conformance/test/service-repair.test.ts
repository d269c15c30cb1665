/**
 * Cluster IPs and node ports that went out of step with their Services, in the store or by hand: a
 * server that starts tells of them and mends what it can; ours and kube-apiserver.
 */
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";
import { findProgram, missing } from "../src/subjects/programs.ts";

const etcdctl = findProgram("etcdctl");
const services = "/api/v1/namespaces/default/services";
const addresses = "/apis/networking.k8s.io/v1/ipaddresses";
const ofAllocator = { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" };
const patience = { timeout: 30_000, interval: 200 };

const service = (name: string, clusterIP: string, nodePort: number) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name,
    namespace: "default",
    uid: `uid-${name}`,
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: {
    type: "NodePort",
    clusterIP,
    clusterIPs: [clusterIP],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    ports: [{ port: 80, protocol: "TCP", targetPort: 80, nodePort }],
  },
});
const address = (name: string, parentRef: object) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "IPAddress",
  metadata: {
    name,
    uid: `uid-${name}`,
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels: { ...ofAllocator, "ipaddress.kubernetes.io/ip-family": "IPv4" },
  },
  spec: { parentRef },
});
const of = (name: string) => ({ resource: "services", namespace: "default", name });

/** As something else than an API server would leave it. */
const left = [
  service("first", "10.96.0.50", 30500),
  service("second", "10.96.0.50", 30500),
  service("outside", "10.200.0.1", 99),
  service("unallocated", "10.96.0.51", 30501),
  service("stolen", "10.96.0.52", 30502),
  address("10.96.0.50", of("first")),
  address("10.96.0.52", { group: "gateway.networking.k8s.io", resource: "gateways", name: "g" }),
  address("10.96.0.60", of("nobody")),
  address("10.96.0.61", of("first")),
  address("10.96.0.62", { group: "gateway.networking.k8s.io", resource: "gateways", name: "g" }),
];

const ip = "ClusterIPAllocation";
const port = "PortAllocation";
const own = "IPAddressAllocation";
const again = "was assigned to multiple services; please recreate service";
const gateway = "Group:gateway.networking.k8s.io,Resource:gateways,Namespace:,Name:g,";
const modified = "IPAddress 10.96.0.62 appears to have been modified";

/** Of what, why, and in which words. */
const told = [
  `10.96.0.60 IPAddressNotAllocated ${own}: IPAddress: 10.96.0.60 for Service default/nobody appears to have leaked: cleaning up`,
  `10.96.0.61 IPAddressWrongReference ${own}: IPAddress: 10.96.0.61 for Service default/first has a wrong reference; cleaning up`,
  `10.96.0.62 IPAddressNotAllocated ${own}: ${modified}, not referencing a Service &ParentReference{${gateway}}: cleaning up`,
  `outside ClusterIPOutOfRange ${ip}: Cluster IP [IPv4]: 10.200.0.1 is not within any configured Service CIDR; please recreate service`,
  `outside PortOutOfRange ${port}: Port 99 is not within the port range 30000-32767; please recreate service`,
  `second ClusterIPAlreadyAllocated ${ip}: Cluster IP [IPv4]:10.96.0.50 ${again}`,
  `second PortAlreadyAllocated ${port}: Port 30500 ${again}`,
  `stolen ClusterIPNotAllocated ${ip}: the ClusterIP [IPv4]: 10.96.0.52 for Service default/stolen has a wrong reference; repairing`,
  `unallocated ClusterIPNotAllocated ${ip}: Cluster IP [IPv4]: 10.96.0.51 is not allocated; repairing`,
];
const mended = {
  "10.96.0.1": "kubernetes",
  "10.96.0.50": "first",
  "10.96.0.51": "unallocated",
  "10.96.0.52": "stolen",
};

interface RepairEvent {
  metadata: { namespace: string };
  regarding: { name: string };
  type: string;
  reason: string;
  action: string;
  note: string;
  reportingController: string;
  reportingInstance: string;
}

/** Upstream keeps a second record of node ports, and tells of what is missing there. */
const isOnlyUpstream = ({ reason }: RepairEvent): boolean => reason === "PortNotAllocated";

describe.each(apiServerSubjects())("$name", ({ open, skip }) => {
  const reason = skip ?? (etcdctl === undefined ? missing("etcdctl") : undefined);
  let server: ApiServerInstance;
  beforeAll(async () => {
    if (reason === undefined) server = await open();
  }, 90_000);
  afterAll(() => server?.close());

  const read = async (path: string) =>
    JSON.parse((await server.send({ method: "GET", path })).text);
  const events = async (): Promise<string[]> => {
    const { items } = (await read("/apis/events.k8s.io/v1/events")) as { items: RepairEvent[] };
    const ofRepair = items.filter(({ reportingController: by }) => by.includes("repair"));
    for (const { type, metadata, reportingController, reportingInstance } of ofRepair) {
      expect([type, metadata.namespace]).toEqual(["Warning", "default"]);
      expect(reportingInstance.startsWith(`${reportingController}-`)).toBe(true);
    }
    return ofRepair
      .filter((event) => !isOnlyUpstream(event))
      .map(
        ({ regarding, reason, action, note }) => `${regarding.name} ${reason} ${action}: ${note}`,
      )
      .sort();
  };
  const owners = async () => {
    const { items } = await read(addresses);
    return Object.fromEntries(
      items.map((item: { metadata: { name: string }; spec: { parentRef: { name: string } } }) => [
        item.metadata.name,
        item.spec.parentRef.name,
      ]),
    );
  };

  test.skipIf(reason)(
    "what was left in the store, and what somebody deletes",
    async () => {
      await server.killServer();
      for (const object of left) {
        const { name } = object.metadata;
        const isService = object.kind === "Service";
        const key = isService ? `services/specs/default/${name}` : `ipaddresses/${name}`;
        const put = ["put", `/registry/${key}`, JSON.stringify(object)];
        await execa(etcdctl!, ["--endpoints", server.storeURL, ...put]);
      }
      await server.startServer();
      await expect.poll(events, patience).toEqual(told);
      await expect.poll(owners, patience).toEqual(mended);
      await server.send({ method: "DELETE", path: `${addresses}/10.96.0.50` });
      const headers = { "content-type": "application/merge-patch+json" };
      const body = { metadata: { labels: { a: "b" } } };
      await server.send({ method: "PATCH", path: `${services}/first`, headers, body });
      await expect.poll(owners, patience).toEqual(mended);
      const late = `first ClusterIPNotAllocated ${ip}: Cluster IP [IPv4]: 10.96.0.50 is not allocated; repairing`;
      await expect.poll(events, patience).toContain(late);
    },
    120_000,
  );
});
