/**
 * A Service as the proxy sees it: one ServicePort for each of its ports and the family asked for.
 *
 * Shapes  name      "namespace/name:port", or "namespace/name" for a port without a name: what
 *                   rules and chain hashes carry
 *         protocol  lower case, as iptables wants it
 * Source  kubernetes pkg/proxy/serviceport.go, servicechangetracker.go, util/utils.go
 *         ShouldSkipService
 */
import type { ServicePort as APIServicePort, Service } from "@nanokube/api/core/v1";
import { type CIDR, canonicalIP, type Family, familyOf, parseCIDR } from "./address.ts";

export interface ServicePort {
  namespace: string;
  serviceName: string;
  name: string;
  portName: string;
  protocol: string;
  clusterIP: string;
  port: number;
  nodePort: number;
  externalIPs: readonly string[];
  loadBalancerVIPs: readonly string[];
  loadBalancerSourceRanges: readonly CIDR[];
  sessionAffinity: boolean;
  stickyMaxAgeSeconds: number;
  externalPolicyLocal: boolean;
  internalPolicyLocal: boolean;
  healthCheckNodePort: number;
}

/** Services that another proxy serves are not even listed. */
export const serviceSelector = "!service.kubernetes.io/service-proxy-name";

export function servicePorts(service: Service, family: Family): ServicePort[] {
  const { spec = {}, metadata = {} } = service;
  const clusterIP = clusterIPOf(service, family);
  if (clusterIP === undefined || spec.type === "ExternalName") return [];
  const externallyLocal = spec.type === "LoadBalancer" || spec.type === "NodePort";
  const external = externallyLocal || (spec.externalIPs ?? []).length > 0;
  const externalPolicyLocal = external && spec.externalTrafficPolicy === "Local";
  const sessionAffinity = spec.sessionAffinity === "ClientIP";
  const ofFamily = (ips: readonly string[]) =>
    ips.flatMap((ip) => {
      const text = canonicalIP(ip);
      return text !== undefined && familyOf(text) === family ? [text] : [];
    });
  const vips = (service.status?.loadBalancer?.ingress ?? []).flatMap((ingress) =>
    // A load balancer in Proxy mode sends to the node port, and must be asked itself.
    ingress.ip === undefined || ingress.ipMode === "Proxy" ? [] : [ingress.ip],
  );
  const needsHealthCheck = spec.type === "LoadBalancer" && externalPolicyLocal;
  const shared = {
    namespace: metadata.namespace ?? "",
    serviceName: metadata.name ?? "",
    clusterIP,
    externalIPs: ofFamily(spec.externalIPs ?? []),
    loadBalancerVIPs: ofFamily(vips),
    loadBalancerSourceRanges: sourceRanges(spec.loadBalancerSourceRanges ?? [], family),
    sessionAffinity,
    stickyMaxAgeSeconds: sessionAffinity
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
      : 0,
    externalPolicyLocal,
    internalPolicyLocal: spec.internalTrafficPolicy === "Local",
    healthCheckNodePort: needsHealthCheck ? (spec.healthCheckNodePort ?? 0) : 0,
  };
  return (spec.ports ?? []).map((port) => ({ ...shared, ...portOf(port, shared) }));
}

function portOf(port: APIServicePort, of: { namespace: string; serviceName: string }) {
  const portName = port.name ?? "";
  return {
    name: servicePortName(of.namespace, of.serviceName, portName),
    portName,
    protocol: (port.protocol ?? "TCP").toLowerCase(),
    port: port.port ?? 0,
    nodePort: port.nodePort ?? 0,
  };
}

export const servicePortName = (namespace: string, service: string, port: string): string =>
  `${namespace}/${service}${port === "" ? "" : `:${port}`}`;

function clusterIPOf(service: Service, family: Family): string | undefined {
  const { clusterIP, clusterIPs } = service.spec ?? {};
  if (clusterIP === "None") return undefined;
  const all = clusterIPs === undefined || clusterIPs.length === 0 ? [clusterIP ?? ""] : clusterIPs;
  const own = all.find((ip) => ip !== "" && ip !== "None" && familyOf(ip) === family);
  return own === undefined ? undefined : canonicalIP(own);
}

function sourceRanges(texts: readonly string[], family: Family): CIDR[] {
  const cidrs = texts.flatMap((text) => {
    const cidr = parseCIDR(text.trim()); // validation lets blanks pass
    return cidr !== undefined && cidr.family === family ? [cidr] : [];
  });
  // "0.0.0.0/0" allows everything, as no range does.
  return cidrs.some((cidr) => cidr.bits === 0 && cidr.value === 0n) ? [] : cidrs;
}

export const isExternallyAccessible = (port: ServicePort): boolean =>
  port.nodePort !== 0 || port.loadBalancerVIPs.length > 0 || port.externalIPs.length > 0;

/**
 * Even a Service with the external policy Local needs them: pods of the node are let through to
 * all.
 */
export const usesClusterEndpoints = (port: ServicePort): boolean =>
  !port.internalPolicyLocal || isExternallyAccessible(port);

export const usesLocalEndpoints = (port: ServicePort): boolean =>
  port.internalPolicyLocal || (port.externalPolicyLocal && isExternallyAccessible(port));
