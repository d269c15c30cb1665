/** Services and EndpointSlices for tests, as short as they can be said. */
import type { Service, ServiceSpec } from "@nanokube/api/core/v1";
import type { EndpointSlice } from "@nanokube/api/discovery/v1";
import type { BookOptions } from "../src/core/rule-book.ts";
import { chainHash } from "../src/io/hash.ts";

/** Of a node n1, as the program is told by its defaults. */
export const bookOptions: BookOptions = {
  family: "IPv4",
  nodeName: "n1",
  hash: chainHash,
  masqueradeAll: false,
  masqueradeBit: 14,
  localDetector: { ifLocal: "-s 10.244.0.0/16", ifNotLocal: "! -s 10.244.0.0/16" },
  localhostNodePorts: true,
  nodePortIPs: undefined,
  conntrackTCPLiberal: false,
  randomFully: true,
};

let version = 1;

export function service(name: string, spec: Partial<ServiceSpec> & { status?: object }): Service {
  const { status, ...rest } = spec;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name, resourceVersion: String(version++) },
    spec: { type: "ClusterIP", ipFamilies: ["IPv4"], clusterIPs: [rest.clusterIP ?? ""], ...rest },
    ...(status === undefined ? {} : { status }),
  } as Service;
}

/** "10.0.0.1@n1" on node n1; "-" not ready, "~" terminating but serving, "+zone" hinted. */
export function slice(
  of: string,
  ports: { name?: string; port: number; protocol?: string }[],
  endpoints: string[],
  name = `${of}-1`,
): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace: "default",
      name,
      resourceVersion: String(version++),
      labels: { "kubernetes.io/service-name": of },
    },
    addressType: endpoints[0]?.replace(/^[-~]/, "").split("@")[0]?.includes(":") ? "IPv6" : "IPv4",
    ports: ports.map((p) => ({ name: "", protocol: "TCP", ...p })),
    endpoints: endpoints.map((text) => {
      const [rest = "", zone] = text.split("+");
      const [address = "", nodeName] = rest.replace(/^[-~]/, "").split("@");
      const terminating = text.startsWith("~");
      const ready = !text.startsWith("-") && !terminating;
      return {
        addresses: [address],
        conditions: { ready, serving: ready || terminating, terminating },
        ...(nodeName === undefined ? {} : { nodeName }),
        ...(zone === undefined ? {} : { hints: { forZones: [{ name: zone }] } }),
      };
    }),
  } as EndpointSlice;
}
