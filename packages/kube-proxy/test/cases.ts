/** The clusters whose rules are held in golden files, and compared with upstream's kube-proxy. */
import type { Service } from "@nanokube/api/core/v1";
import type { EndpointSlice } from "@nanokube/api/discovery/v1";
import type { BookOptions } from "../src/index.ts";
import { service, slice } from "./objects.ts";

export interface Case {
  name: string;
  services: Service[];
  slices: EndpointSlice[];
  options?: Partial<BookOptions>;
}

const http = [{ name: "http", port: 8080 }];
const httpPort = { name: "http", port: 80, protocol: "TCP" };
const three = ["10.244.0.2@n1", "10.244.1.2@n2", "10.244.1.3@n2"];
const ingress = (ip: string, ipMode?: string) => ({
  loadBalancer: { ingress: [{ ip, ...(ipMode === undefined ? {} : { ipMode }) }] },
});
const affinity = {
  sessionAffinity: "ClientIP",
  sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
};

export const cases: Case[] = [
  { name: "empty cluster", services: [], slices: [] },
  {
    name: "cluster IP",
    services: [service("web", { clusterIP: "10.96.0.5", ports: [httpPort] })],
    slices: [slice("web", http, three)],
  },
  {
    name: "port without a name",
    services: [service("web", { clusterIP: "10.96.0.5", ports: [{ port: 80, protocol: "TCP" }] })],
    slices: [slice("web", [{ port: 8080 }], ["10.244.0.2@n1"])],
  },
  {
    name: "no endpoints",
    services: [
      service("web", {
        type: "LoadBalancer",
        clusterIP: "10.96.0.5",
        externalIPs: ["192.0.2.7"],
        ports: [{ ...httpPort, nodePort: 30080 }],
        status: ingress("203.0.113.9"),
      }),
    ],
    slices: [slice("web", http, ["-10.244.0.2@n1"])],
  },
  {
    name: "session affinity",
    services: [service("web", { clusterIP: "10.96.0.5", ports: [httpPort], ...affinity })],
    slices: [slice("web", http, three)],
  },
  {
    name: "node port",
    services: [
      service("web", {
        type: "NodePort",
        clusterIP: "10.96.0.5",
        ports: [{ ...httpPort, nodePort: 30080 }],
      }),
    ],
    slices: [slice("web", http, three)],
  },
  {
    name: "external policy Local",
    services: [
      service("web", {
        type: "LoadBalancer",
        clusterIP: "10.96.0.5",
        externalTrafficPolicy: "Local",
        healthCheckNodePort: 32001,
        ports: [{ ...httpPort, nodePort: 30080 }],
        status: ingress("203.0.113.9"),
      }),
    ],
    slices: [slice("web", http, three)],
  },
  {
    name: "external policy Local without local endpoints",
    services: [
      service("web", {
        type: "LoadBalancer",
        clusterIP: "10.96.0.5",
        externalTrafficPolicy: "Local",
        healthCheckNodePort: 32001,
        ports: [{ ...httpPort, nodePort: 30080 }],
        status: ingress("203.0.113.9"),
      }),
    ],
    slices: [slice("web", http, ["10.244.1.2@n2"])],
  },
  {
    name: "internal policy Local",
    services: [
      service("near", {
        clusterIP: "10.96.0.5",
        internalTrafficPolicy: "Local",
        ports: [httpPort],
      }),
      service("far", { clusterIP: "10.96.0.6", internalTrafficPolicy: "Local", ports: [httpPort] }),
    ],
    slices: [slice("near", http, three), slice("far", http, ["10.244.1.9@n2"])],
  },
  {
    name: "load balancer source ranges",
    services: [
      service("web", {
        type: "LoadBalancer",
        clusterIP: "10.96.0.5",
        loadBalancerSourceRanges: [" 203.0.113.0/25", "192.168.0.0/24"],
        ports: [{ ...httpPort, nodePort: 30080 }],
        status: ingress("203.0.113.9"),
      }),
      service("proxied", {
        type: "LoadBalancer",
        clusterIP: "10.96.0.6",
        ports: [{ ...httpPort, nodePort: 30081 }],
        status: ingress("203.0.113.10", "Proxy"),
      }),
    ],
    slices: [slice("web", http, three), slice("proxied", http, three)],
  },
  {
    name: "external IPs and UDP",
    services: [
      service("dns", {
        clusterIP: "10.96.0.10",
        externalIPs: ["192.0.2.53"],
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
      }),
    ],
    slices: [
      slice(
        "dns",
        [
          { name: "dns", port: 5353, protocol: "UDP" },
          { name: "dns-tcp", port: 5353 },
        ],
        ["10.244.0.9@n1"],
      ),
    ],
  },
  {
    name: "terminating endpoints",
    services: [
      service("all", { clusterIP: "10.96.0.5", ports: [httpPort] }),
      service("some", { clusterIP: "10.96.0.6", ports: [httpPort] }),
    ],
    slices: [
      slice("all", http, ["~10.244.0.2@n1", "-10.244.0.3@n1"]),
      slice("some", http, ["~10.244.0.4@n1", "10.244.0.5@n1"]),
    ],
  },
  {
    name: "zone hints",
    services: [service("web", { clusterIP: "10.96.0.5", ports: [httpPort] })],
    slices: [slice("web", http, ["10.244.0.2@n1+zone-a", "10.244.1.2@n2+zone-b"])],
  },
  {
    name: "two slices",
    services: [service("web", { clusterIP: "10.96.0.5", ports: [httpPort] })],
    slices: [
      slice("web", http, ["10.244.0.2@n1"]),
      slice("web", http, ["10.244.1.2@n2", "10.244.0.2@n1"], "web-2"),
    ],
  },
  {
    name: "IPv6",
    services: [
      service("web", {
        type: "NodePort",
        clusterIP: "fd00:96::5",
        clusterIPs: ["fd00:96::5"],
        ipFamilies: ["IPv6"],
        ports: [{ ...httpPort, nodePort: 30080 }],
      }),
    ],
    slices: [slice("web", http, ["fd00:244::2@n1"])],
    options: { family: "IPv6", localDetector: undefined },
  },
  {
    name: "masquerade all, node ports on one address",
    services: [
      service("web", {
        type: "NodePort",
        clusterIP: "10.96.0.5",
        ports: [{ ...httpPort, nodePort: 30080 }],
      }),
    ],
    slices: [slice("web", http, ["10.244.0.2@n1"])],
    options: {
      masqueradeAll: true,
      localhostNodePorts: false,
      nodePortIPs: ["192.168.0.2"],
      conntrackTCPLiberal: true,
    },
  },
];
