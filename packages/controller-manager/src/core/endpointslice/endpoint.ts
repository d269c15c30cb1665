/**
 * A pod as an endpoint of a Service, and the ports it serves.
 *
 * Source  k8s.io/endpointslice utils.go, util/controller_utils.go
 */
import type { Node, Pod, Service, ServicePort } from "@nanokube/api/core/v1";
import type { Endpoint, EndpointPort } from "@nanokube/api/discovery/v1";
import { isPodReady, isPodTerminal } from "../pod.ts";

export type AddressType = "IPv4" | "IPv6";

export function addressTypesOf(service: Service): AddressType[] {
  const { ipFamilies = [], clusterIP } = service.spec ?? {};
  const families = ipFamilies.filter(
    (family) => family === "IPv4" || family === "IPv6",
  ) as AddressType[];
  if (families.length > 0) return families;
  if (clusterIP && clusterIP !== "None") return [clusterIP.includes(":") ? "IPv6" : "IPv4"];
  return ["IPv4", "IPv6"];
}

/** Has an address, and has not ended. Those that are being deleted count: they may be drained. */
export function isEndpoint(pod: Pod): boolean {
  const { podIP, podIPs } = pod.status ?? {};
  return !isPodTerminal(pod) && (Boolean(podIP) || (podIPs?.length ?? 0) > 0);
}

export function podAddresses(pod: Pod, type: AddressType): string[] {
  const { podIPs, podIP } = pod.status ?? {};
  const all = podIPs?.map(({ ip = "" }) => ip) ?? (podIP === undefined ? [] : [podIP]);
  return all.filter((ip) => ip !== "" && ip.includes(":") === (type === "IPv6"));
}

export function podToEndpoint(
  pod: Pod,
  node: Node | undefined,
  service: Service,
  type: AddressType,
): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata?.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata?.labels?.["topology.kubernetes.io/zone"];
  const { name, namespace, uid } = pod.metadata ?? {};
  return {
    addresses: podAddresses(pod, type),
    conditions: { ready, serving, terminating },
    ...(hasHostname(pod, service) ? { hostname: pod.spec?.hostname } : {}),
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone ? { zone } : {}),
  };
}

/** A pod that says this Service is its domain: a StatefulSet's pod gets a name of its own. */
export function hasHostname(pod: Pod, service: Service): boolean {
  return Boolean(pod.spec?.hostname) && pod.spec?.subdomain === service.metadata?.name;
}

export function endpointPorts(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((servicePort) => {
    const port = findPort(pod, servicePort);
    if (port === undefined) return [];
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    return [{ name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

/**
 * By number, or by the name of a container's port (sidecars' too); undefined where the pod has none
 * of that name.
 */
export function findPort(pod: Pod, servicePort: ServicePort): number | undefined {
  const target = servicePort.targetPort ?? servicePort.port;
  if (typeof target !== "string") return target;
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const sidecars = initContainers.filter((container) => container.restartPolicy === "Always");
  for (const { ports = [] } of [...containers, ...sidecars]) {
    const found = ports.find(
      ({ name, protocol = "TCP" }) =>
        name === target && protocol === (servicePort.protocol ?? "TCP"),
    );
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}
