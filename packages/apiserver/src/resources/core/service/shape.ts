/**
 * What kind of service it is.
 *
 * Source  pkg/api/v1/service/util.go
 */
import type { Service } from "@nanokube/api/core/v1";

export function isHeadless(service: Service): boolean {
  const ips = service.spec?.clusterIPs ?? [];
  return (
    (ips.length === 1 && ips[0] === "None") ||
    (ips.length === 0 && service.spec?.clusterIP === "None")
  );
}

/** Traffic may come from outside the cluster. */
export function isExternal(service: Service): boolean {
  const { type, externalIPs = [] } = service.spec ?? {};
  if (type === "LoadBalancer" || type === "NodePort") return true;
  return type === "ClusterIP" && externalIPs.length > 0;
}

/** kube-proxy answers on healthCheckNodePort whether a node has endpoints. */
export function needsHealthCheck(service: Service): boolean {
  const { type, externalTrafficPolicy } = service.spec ?? {};
  return type === "LoadBalancer" && externalTrafficPolicy === "Local";
}

export function needsClusterIP(service: Service): boolean {
  const type = service.spec?.type;
  return type === "ClusterIP" || type === "NodePort" || type === "LoadBalancer";
}

export function needsNodePort(service: Service): boolean {
  const { type, allocateLoadBalancerNodePorts } = service.spec ?? {};
  if (type === "NodePort") return true;
  return type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false;
}
