/** A cluster for name tests: every kind of Service, once. */
import type { FakeAPI } from "./fake-api.ts";

export function fill(api: FakeAPI): void {
  for (const name of ["default", "shop", "kube-system"]) {
    api.set("namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  service(api, "default/kubernetes", { clusterIP: "10.96.0.1", ports: [port("https", 443)] });
  service(api, "shop/web", {
    clusterIP: "10.96.0.5",
    clusterIPs: ["10.96.0.5", "fd00:96::5"],
    ports: [port("http", 80), port("metrics", 9090), port("dns", 53, "UDP")],
  });
  slice(api, "shop/web", [port("http", 8080)], [{ addresses: ["10.244.0.2"] }]);
  service(api, "shop/db", { clusterIP: "None", ports: [port("sql", 5432)] });
  slice(
    api,
    "shop/db",
    [port("sql", 5432)],
    [
      { addresses: ["10.244.0.3"], hostname: "db-0" },
      { addresses: ["10.244.1.3"], hostname: "db-1" },
      { addresses: ["10.244.1.4"], hostname: "db-2", conditions: { ready: false } },
      { addresses: ["10.244.1.5"] },
    ],
  );
  service(api, "shop/db6", { clusterIP: "None", ports: [port("sql", 5432)] });
  slice(
    api,
    "shop/db6",
    [port("sql", 5432)],
    [{ addresses: ["fd00:244::2"] }, { addresses: ["fd00:244:1::"] }],
    "IPv6",
  );
  service(api, "shop/none", { clusterIP: "None", ports: [port("sql", 5432)] });
  service(api, "shop/portless", { clusterIP: "None" });
  slice(api, "shop/portless", [], [{ addresses: ["10.244.0.9"], hostname: "p" }]);
  service(api, "shop/idle", { clusterIP: "10.96.0.7", ports: [port("http", 80)] });
  service(api, "shop/out", { type: "ExternalName", externalName: "www.example.com" });
  service(api, "shop/inside", { type: "ExternalName", externalName: "web.shop.svc.cluster.local" });
  service(api, "shop/loop", { type: "ExternalName", externalName: "loop.shop.svc.cluster.local" });
  service(api, "shop/dangling", {
    type: "ExternalName",
    externalName: "gone.shop.svc.cluster.local",
  });
}

export const port = (name: string, number: number, protocol = "TCP") => ({
  name,
  port: number,
  protocol,
});

export function service(api: FakeAPI, key: string, spec: object): void {
  const [namespace, name] = key.split("/");
  const metadata = { namespace: namespace!, name: name! };
  api.set("services", {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { type: "ClusterIP", ...spec },
  } as object);
}

export function slice(
  api: FakeAPI,
  of: string,
  ports: object[],
  endpoints: object[],
  addressType = "IPv4",
): void {
  const [namespace, name] = of.split("/");
  const labels = { "kubernetes.io/service-name": name! };
  const metadata = { namespace: namespace!, name: `${name}-abcde`, labels };
  const made = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata,
    addressType,
    ports,
    endpoints,
  };
  api.set("endpointslices", made as object);
}
