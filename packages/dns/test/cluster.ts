/** A cluster for name tests: every kind of Service, once, on a real API server. */
import type { ApiObject } from "@nanokube/client";
import { TestEnvironment } from "../../testenv/src/index.ts";

/** With the Service default/kubernetes at 10.96.0.1, as every cluster has it. */
export function startCluster(...more: ApiObject[]): Promise<TestEnvironment> {
  return TestEnvironment.start({
    serviceClusterIPRange: "10.96.0.0/16,fd00:96::/112",
    objects: [...shop(), ...more],
  });
}

const shop = (): ApiObject[] => [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
  service("shop/web", {
    ipFamilyPolicy: "RequireDualStack",
    clusterIP: "10.96.0.5",
    clusterIPs: ["10.96.0.5", "fd00:96::5"],
    ports: [port("http", 80), port("metrics", 9090), port("dns", 53, "UDP")],
  }),
  slice("shop/web", [port("http", 8080)], [{ addresses: ["10.244.0.2"] }]),
  service("shop/db", { clusterIP: "None", ports: [port("sql", 5432)] }),
  slice(
    "shop/db",
    [port("sql", 5432)],
    [
      { addresses: ["10.244.0.3"], hostname: "db-0" },
      { addresses: ["10.244.1.3"], hostname: "db-1" },
      { addresses: ["10.244.1.4"], hostname: "db-2", conditions: { ready: false } },
      { addresses: ["10.244.1.5"] },
    ],
  ),
  service("shop/db6", { clusterIP: "None", ports: [port("sql", 5432)] }),
  slice(
    "shop/db6",
    [port("sql", 5432)],
    [{ addresses: ["fd00:244::2"] }, { addresses: ["fd00:244:1::"] }],
    "IPv6",
  ),
  service("shop/none", { clusterIP: "None", ports: [port("sql", 5432)] }),
  service("shop/portless", { clusterIP: "None" }),
  slice("shop/portless", [], [{ addresses: ["10.244.0.9"], hostname: "p" }]),
  service("shop/idle", { clusterIP: "10.96.0.7", ports: [port("http", 80)] }),
  service("shop/out", { type: "ExternalName", externalName: "www.example.com" }),
  service("shop/inside", { type: "ExternalName", externalName: "web.shop.svc.cluster.local" }),
  service("shop/loop", { type: "ExternalName", externalName: "loop.shop.svc.cluster.local" }),
  service("shop/dangling", {
    type: "ExternalName",
    externalName: "gone.shop.svc.cluster.local",
  }),
];

export const port = (name: string, number: number, protocol = "TCP") => ({
  name,
  port: number,
  protocol,
});

export function service(key: string, spec: object): ApiObject {
  const [namespace, name] = key.split("/");
  const metadata = { namespace: namespace!, name: name! };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { type: "ClusterIP", ...spec },
  } as ApiObject;
}

export function slice(
  of: string,
  ports: object[],
  endpoints: object[],
  addressType = "IPv4",
): ApiObject {
  const [namespace, name] = of.split("/");
  const labels = { "kubernetes.io/service-name": name! };
  const metadata = { namespace: namespace!, name: `${name}-abcde`, labels };
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata,
    addressType,
    ports,
    endpoints,
  } as ApiObject;
}
