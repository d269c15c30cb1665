/**
 * Services on a cluster of two families, and the ServiceCIDR and IPAddress objects behind them: one
 * conversation, in order.
 */
import type { RestRequest } from "../subjects/apiserver.ts";

export const dualStackFlags = ["--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112"];

const services = "/api/v1/namespaces/default/services";
const cidrs = "/apis/networking.k8s.io/v1/servicecidrs";
const addresses = "/apis/networking.k8s.io/v1/ipaddresses";
const ports = [{ port: 80 }];
const merge = { "content-type": "application/merge-patch+json" };

const create = (name: string, spec: object, query = ""): RestRequest => ({
  method: "POST",
  path: `${services}${query}`,
  body: { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { ports, ...spec } },
});
const patch = (name: string, spec: object): RestRequest => ({
  method: "PATCH",
  path: `${services}/${name}`,
  headers: merge,
  body: { spec },
});
const get = (path: string): RestRequest => ({ method: "GET", path });
const drop = (path: string): RestRequest => ({ method: "DELETE", path });
const cidr = (name: string, ...ranges: string[]): RestRequest => ({
  method: "POST",
  path: cidrs,
  body: {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name },
    spec: { cidrs: ranges },
  },
});
const ready = (name: string, status: string): RestRequest => ({
  method: "PATCH",
  path: `${cidrs}/${name}/status`,
  headers: merge,
  body: {
    status: {
      conditions: [
        { type: "Ready", status, reason: "Test", message: "", lastTransitionTime: then },
      ],
    },
  },
});
const then = "2026-01-01T00:00:00Z";
const [single, prefer, require] = ["SingleStack", "PreferDualStack", "RequireDualStack"];
const selector = { a: "b" };

export const dualStackCases: readonly (readonly [string, RestRequest])[] = [
  ["the ranges", get(`${cidrs}/kubernetes`)],
  ["one family unless told", create("plain", {})],
  ["the second by policy", create("prefer", { ipFamilyPolicy: prefer })],
  ["both demanded", create("require", { ipFamilyPolicy: require })],
  ["the second first", create("six-first", { ipFamilyPolicy: require, ipFamilies: ["IPv6"] })],
  ["one family, the second", create("six", { ipFamilies: ["IPv6"] })],
  ["an address tells its family", create("told", { clusterIP: "fd00:96::5" })],
  ["its IPAddress", get(`${addresses}/fd00:96::5`)],
  ["an address that is taken", create("again", { clusterIP: "fd00:96::5" })],
  ["an address of no range", create("far", { clusterIP: "fd00:97::5" })],
  ["the network's address", create("network", { clusterIP: "fd00:96::" })],
  ["a last address", create("last", { clusterIP: "fd00:96::ffff" })],
  ["a broadcast address", create("broadcast", { clusterIP: "10.96.255.255" })],
  [
    "two addresses",
    create("two", {
      ipFamilyPolicy: prefer,
      clusterIP: "10.96.0.77",
      clusterIPs: ["10.96.0.77", "fd00:96::77"],
    }),
  ],
  [
    "two addresses, and no clusterIP",
    create("no-first", { clusterIPs: ["10.96.0.78", "fd00:96::78"] }),
  ],
  [
    "two addresses, single",
    create("two-single", { clusterIP: "10.96.0.78", clusterIPs: ["10.96.0.78", "fd00:96::78"] }),
  ],
  ["two families, single", create("families", { ipFamilies: ["IPv4", "IPv6"] })],
  [
    "an address of another family than said",
    create("mixed", { clusterIP: "10.96.0.79", ipFamilies: ["IPv6"] }),
  ],
  ["headless", create("headless", { clusterIP: "None", selector })],
  ["headless without a selector", create("bare", { clusterIP: "None" })],
  [
    "headless, both",
    create("headless-both", { clusterIP: "None", selector, ipFamilyPolicy: prefer }),
  ],
  ["a dry run", create("dry", { ipFamilyPolicy: require }, "?dryRun=All")],
  [
    "a dry run of an address of no range",
    create("dry-far", { clusterIP: "192.168.0.1" }, "?dryRun=All"),
  ],
  [
    "a dry run of an address that is taken",
    create("dry-taken", { clusterIP: "10.96.0.77" }, "?dryRun=All"),
  ],
  ["the second is added", patch("plain", { ipFamilyPolicy: require })],
  ["and let go", patch("plain", { ipFamilyPolicy: single })],
  ["the second is named", patch("plain", { ipFamilyPolicy: prefer, ipFamilies: ["IPv4", "IPv6"] })],
  ["let go without a policy", patch("two", { clusterIPs: ["10.96.0.77"] })],
  ["a family let go without a policy", patch("two", { ipFamilies: ["IPv4"] })],
  ["the first is another", patch("two", { clusterIPs: ["10.96.0.80", "fd00:96::77"] })],
  ["let go by policy", patch("two", { ipFamilyPolicy: single })],
  ["its address is free", get(`${addresses}/fd00:96::77`)],
  ["no address any more", patch("require", { type: "ExternalName", externalName: "a.example" })],
  ["and again", patch("require", { type: "ClusterIP", externalName: null })],
  ["headless to both", patch("headless", { ipFamilyPolicy: require })],
  ["deleted", drop(`${services}/told`)],
  ["and its address", get(`${addresses}/fd00:96::5`)],
  ["another range", cidr("more", "10.97.0.0/24", "fd00:97::/112")],
  ["an address of it", create("early", { clusterIP: "10.97.0.5" })],
  ["a second of it", create("early-six", { clusterIP: "fd00:97::5" })],
  ["not ready", ready("more", "False")],
  ["an address of it, then", create("later", { clusterIP: "10.97.0.6" })],
  [
    "a change of its ranges",
    {
      method: "PATCH",
      path: `${cidrs}/more`,
      headers: merge,
      body: { spec: { cidrs: ["10.98.0.0/24"] } },
    },
  ],
  [
    "the node port of another",
    create("port", { type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] }),
  ],
  [
    "the same again",
    create("port-too", { type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] }),
  ],
  [
    "a port for health that is taken",
    create("health", {
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 30080,
    }),
  ],
];
