/**
 * Service validation.
 *
 * Source  pkg/apis/core/validation/validation.go validateService
 */
import type { Service, ServicePort } from "@nanokube/api/core/v1";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  required,
} from "../../field.ts";
import { validateCIDR, validateIP } from "../../ip.ts";
import { validateLabels } from "../../labels.ts";
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from "../../names.ts";
import { validateEndpointIP } from "../endpoint-ip.ts";
import { validatePort } from "../pod/probe.ts";
import { validateClusterIPs } from "./cluster-ips.ts";
import { isExternal, isHeadless, needsHealthCheck } from "./shape.ts";

const path = field("spec");

function validateType(service: Service): FieldError[] {
  const spec = service.spec ?? {};
  const { type = "" } = spec;
  if ((type === "LoadBalancer" || type === "NodePort") && isHeadless(service)) {
    const at = path.child("clusterIPs").index(0);
    return [invalid(at, "None", `may not be set to 'None' for ${type} services`)];
  }
  if (type !== "ExternalName") return [];
  const errors: FieldError[] = [];
  const why = "may not be set for ExternalName services";
  if ((spec.clusterIPs ?? []).length > 0) errors.push(forbidden(path.child("clusterIPs"), why));
  if ((spec.ipFamilies ?? []).length > 0) errors.push(forbidden(path.child("ipFamilies"), why));
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden(path.child("ipFamilyPolicy"), why));
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  const at = path.child("externalName");
  return [...errors, ...(name === "" ? [required(at)] : check(at, name, dns1123Subdomain))];
}

function validatePortEntry(port: ServicePort, names: Set<string>, many: boolean, at: FieldPath) {
  const { name = "", port: number = 0, protocol = "" } = port;
  const errors: FieldError[] = [];
  if (many && name === "") errors.push(required(at.child("name")));
  else if (name !== "") {
    errors.push(...check(at.child("name"), name, dns1123Label));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    names.add(name);
  }
  errors.push(...portNumber(number).map((why) => invalid(at.child("port"), number, why)));
  if (protocol === "") errors.push(required(at.child("protocol")));
  else errors.push(...oneOf(at.child("protocol"), protocol, ["SCTP", "TCP", "UDP"]));
  errors.push(...validatePort(port.targetPort, at.child("targetPort")));
  if (port.appProtocol === undefined) return errors;
  return [...errors, ...check(at.child("appProtocol"), port.appProtocol, qualifiedName)];
}

function validatePorts(service: Service): FieldError[] {
  const ports = service.spec?.ports ?? [];
  const names = new Set<string>();
  return ports.flatMap((port, i) =>
    validatePortEntry(port, names, ports.length > 1, path.child("ports").index(i)),
  );
}

function validateAffinity(service: Service): FieldError[] {
  const { sessionAffinity, sessionAffinityConfig: config } = service.spec ?? {};
  const at = path.child("sessionAffinityConfig");
  const affinity = path.child("sessionAffinity");
  if (!sessionAffinity) return [required(affinity)];
  if (sessionAffinity === "None") {
    if (config === undefined) return [];
    return [forbidden(at, "must not be set when session affinity is None")];
  }
  if (sessionAffinity !== "ClientIP") {
    return [notSupported(affinity, sessionAffinity, ["ClientIP", "None"])];
  }
  const why = "when session affinity type is ClientIP";
  if (config === undefined) return [required(at, why)];
  if (config.clientIP === undefined) return [required(at.child("clientIP"), why)];
  const seconds = config.clientIP.timeoutSeconds;
  const timeout = at.child("clientIP", "timeoutSeconds");
  if (seconds === undefined) return [required(timeout, why)];
  if (seconds > 0 && seconds <= 86400) return [];
  return [invalid(timeout, seconds, "must be greater than 0 and less than 86400")];
}

function validatePortRepetition(service: Service): FieldError[] {
  const { ports = [], type } = service.spec ?? {};
  const errors: FieldError[] = [];
  const at = path.child("ports");
  if (type === "ClusterIP") {
    for (const [i, port] of ports.entries()) {
      if (!port.nodePort) continue;
      const why = "may not be used when `type` is 'ClusterIP'";
      errors.push(forbidden(at.index(i).child("nodePort"), why));
    }
  }
  const nodePorts = new Set<string>();
  for (const [i, { protocol, nodePort }] of ports.entries()) {
    if (!nodePort) continue;
    if (nodePorts.has(`${protocol}/${nodePort}`)) {
      errors.push(duplicate(at.index(i).child("nodePort"), nodePort));
    }
    nodePorts.add(`${protocol}/${nodePort}`);
  }
  const seen = new Set<string>();
  for (const [i, { protocol = "", port = 0 }] of ports.entries()) {
    if (seen.has(`${protocol}/${port}`))
      errors.push(duplicate(at.index(i), internalPort(protocol, port)));
    seen.add(`${protocol}/${port}`);
  }
  return errors;
}

/** Upstream shows its internal struct, all fields in its order. */
function internalPort(protocol: string, port: number): unknown {
  return {
    Name: "",
    Protocol: protocol,
    AppProtocol: null,
    Port: port,
    TargetPort: 0,
    NodePort: 0,
  };
}

const rangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";

function validateSourceRanges(service: Service, old: Service | undefined): FieldError[] {
  const { loadBalancerSourceRanges: ranges = [], type } = service.spec ?? {};
  const why = "may only be used when `type` is 'LoadBalancer'";
  if (ranges.length > 0) {
    const at = path.child("LoadBalancerSourceRanges");
    const known = (old?.spec?.loadBalancerSourceRanges ?? []).map((one) => one.trim());
    const errors = type === "LoadBalancer" ? [] : [forbidden(at, why)];
    return [...errors, ...ranges.flatMap((one, i) => validateCIDR(at.index(i), one.trim(), known))];
  }
  const text = service.metadata?.annotations?.[rangesAnnotation];
  if (text === undefined) return [];
  const at = field("metadata", "annotations").key(rangesAnnotation);
  const errors = type === "LoadBalancer" ? [] : [forbidden(at, why)];
  const list = text.trim() === "" ? [] : text.split(",");
  return [...errors, ...list.flatMap((one) => validateCIDR(at, one.trim()))];
}

function validateLoadBalancer(service: Service, old: Service | undefined): FieldError[] {
  const spec = service.spec ?? {};
  const balanced = spec.type === "LoadBalancer";
  const why = "may only be used when `type` is 'LoadBalancer'";
  const errors = validateSourceRanges(service, old);
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced) {
    errors.push(forbidden(path.child("allocateLoadBalancerNodePorts"), why));
  }
  if (balanced && spec.allocateLoadBalancerNodePorts === undefined) {
    errors.push(required(field("allocateLoadBalancerNodePorts")));
  }
  return [...errors, ...validateLoadBalancerClass(service)];
}

export function validateLoadBalancerClass({ spec = {} }: Service): FieldError[] {
  const { type, loadBalancerClass } = spec;
  const at = path.child("loadBalancerClass");
  if (loadBalancerClass === undefined) return [];
  if (type === "LoadBalancer") return check(at, loadBalancerClass, qualifiedName);
  return [forbidden(at, "may only be used when `type` is 'LoadBalancer'")];
}

function validateTraffic(service: Service): FieldError[] {
  const spec = service.spec ?? {};
  const errors: FieldError[] = [];
  const at = path.child("externalTrafficPolicy");
  const policy = spec.externalTrafficPolicy ?? "";
  if (!isExternal(service)) {
    if (policy !== "") {
      errors.push(invalid(at, policy, "may only be set for externally-accessible services"));
    }
  } else if (policy === "") errors.push(required(at));
  else errors.push(...oneOf(at, policy, ["Cluster", "Local"]));
  const health = path.child("healthCheckNodePort");
  const port = spec.healthCheckNodePort ?? 0;
  if (needsHealthCheck(service)) {
    if (port === 0) errors.push(required(health));
    else errors.push(...portNumber(port).map((why) => invalid(health, port, why)));
  } else if (port !== 0) {
    const why =
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalid(health, port, why));
  }
  const internal = path.child("internalTrafficPolicy");
  const within = spec.internalTrafficPolicy;
  if (within !== undefined) errors.push(...oneOf(internal, within, ["Cluster", "Local"]));
  else if (["ClusterIP", "NodePort", "LoadBalancer"].includes(spec.type ?? "")) {
    errors.push(required(internal));
  }
  if (spec.trafficDistribution !== undefined) {
    const kinds = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    errors.push(...oneOf(path.child("trafficDistribution"), spec.trafficDistribution, kinds));
  }
  return errors;
}

export function validateService(service: Service, old?: Service): FieldError[] {
  const spec = service.spec ?? {};
  const errors: FieldError[] = [];
  const noPorts = (spec.ports ?? []).length === 0;
  if (noPorts && !isHeadless(service) && spec.type !== "ExternalName") {
    errors.push(required(path.child("ports")));
  }
  errors.push(
    ...validateType(service),
    ...validatePorts(service),
    ...validateLabels(spec.selector, path.child("selector")),
    ...validateAffinity(service),
    ...validateClusterIPs(service, old),
  );
  const external = path.child("externalIPs");
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) {
    const problems = validateIP(external.index(i), ip, old?.spec?.externalIPs ?? []);
    errors.push(...(problems.length > 0 ? problems : validateEndpointIP(ip, external.index(i))));
  }
  const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
  if (!spec.type) errors.push(required(path.child("type")));
  else errors.push(...oneOf(path.child("type"), spec.type, types));
  return [
    ...errors,
    ...validatePortRepetition(service),
    ...validateLoadBalancer(service, old),
    ...validateTraffic(service),
  ];
}
