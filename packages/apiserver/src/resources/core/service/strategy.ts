/**
 * Service: a stable name and address for pods.
 *
 * Cluster IPs and node ports are allocated by the REST storage before the strategy prepares.
 *
 * Source  pkg/registry/core/service/strategy.go, pkg/registry/core/service/storage/storage.go,
 *         pkg/apis/core/v1/defaults.go SetDefaults_Service
 */
import type { Service, ServicePort } from "@nanokube/api/core/v1";
import type { ResourceStrategy } from "../../../core/strategy.ts";
import {
  check,
  type FieldError,
  field,
  forbidden,
  invalid,
  notSupported,
  required,
} from "../../field.ts";
import { kind } from "../../generic.ts";
import { parseIP, validateIP } from "../../ip.ts";
import { dns1123Label, dns1123Subdomain } from "../../names.ts";
import { semanticEqual } from "../../semantic-equal.ts";
import { age, columns, formatLabels, nameOf } from "../../table.ts";
import { validateClusterIPUpdate } from "./cluster-ips.ts";
import { isExternal, needsClusterIP, needsHealthCheck, needsNodePort } from "./shape.ts";
import { validateLoadBalancerClass, validateService } from "./validation.ts";

function defaultPort(port: ServicePort): void {
  port.protocol ||= "TCP";
  if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "") {
    port.targetPort = port.port;
  }
}

function defaultService(service: Service): void {
  service.spec ??= {};
  const spec = service.spec;
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (
    spec.sessionAffinity === "ClientIP" &&
    spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
  ) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } };
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) defaultPort(port);
  if (isExternal(service)) spec.externalTrafficPolicy ||= "Cluster";
  if (needsClusterIP(service)) spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of service.status?.loadBalancer?.ingress ?? []) {
      if (ingress.ip) ingress.ipMode ??= "VIP";
    }
  }
}

/** clusterIP and clusterIPs[0] are the same; a client may know only one of them. */
export function normalizeClusterIPs(service: Service, old?: Service): void {
  service.spec ??= {};
  const spec = service.spec;
  const before = old?.spec;
  if (before === undefined) {
    if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  if (spec.clusterIP !== before.clusterIP && semanticEqual(spec.clusterIPs, before.clusterIPs)) {
    if (!spec.clusterIP) delete spec.clusterIPs;
    else spec.clusterIPs = [spec.clusterIP];
  }
}

/** Changing to a type that does not have a field clears it, unless the client changed it itself. */
function dropTypeDependent(service: Service, old: Service): void {
  const [spec, before] = [service.spec ?? {}, old.spec ?? {}];
  const same = (name: keyof typeof spec) => semanticEqual(spec[name], before[name]);
  if (needsClusterIP(old) && !needsClusterIP(service)) {
    if (same("clusterIP") && same("clusterIPs")) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (same("ipFamilies")) delete spec.ipFamilies;
    if (same("ipFamilyPolicy")) delete spec.ipFamilyPolicy;
    if (same("internalTrafficPolicy")) delete spec.internalTrafficPolicy;
  }
  const ports = (list: readonly ServicePort[] | undefined) =>
    (list ?? []).map((port) => port.nodePort ?? 0).filter((port) => port !== 0);
  if (needsNodePort(old) && !needsNodePort(service)) {
    if (semanticEqual(ports(spec.ports), ports(before.ports))) {
      for (const port of spec.ports ?? []) delete port.nodePort;
    }
  }
  if (needsHealthCheck(old) && !needsHealthCheck(service) && same("healthCheckNodePort")) {
    delete spec.healthCheckNodePort;
  }
  if (before.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    if (same("allocateLoadBalancerNodePorts")) delete spec.allocateLoadBalancerNodePorts;
    if (same("loadBalancerClass")) delete spec.loadBalancerClass;
    service.status = {};
  }
  if (isExternal(old) && !isExternal(service) && same("externalTrafficPolicy")) {
    delete spec.externalTrafficPolicy;
  }
}

function validateUpdate(service: Service, old: Service): FieldError[] {
  const errors = validateClusterIPUpdate(service, old);
  const [spec, before] = [service.spec ?? {}, old.spec ?? {}];
  const balanced = spec.type === "LoadBalancer" && before.type === "LoadBalancer";
  if (balanced && spec.loadBalancerClass !== before.loadBalancerClass) {
    const at = field("spec", "loadBalancerClass");
    errors.push(invalid(at, spec.loadBalancerClass ?? null, "may not change once set"));
  } else errors.push(...validateLoadBalancerClass(service)); // And again with all the rest.
  if (needsHealthCheck(old) && needsHealthCheck(service)) {
    if (spec.healthCheckNodePort !== before.healthCheckNodePort) {
      errors.push(forbidden(field("spec", "healthCheckNodePort"), "field is immutable"));
    }
  }
  return [...errors, ...validateService(service, old)];
}

function validateStatus(service: Service, old: Service): FieldError[] {
  const path = field("status", "loadBalancer", "ingress");
  const list = service.status?.loadBalancer?.ingress ?? [];
  if (service.spec?.type !== "LoadBalancer" && list.length > 0) {
    return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  const known = (old.status?.loadBalancer?.ingress ?? []).map((one) => one.ip ?? "");
  return list.flatMap(({ ip, ipMode, hostname }, i) => {
    const at = path.index(i);
    const errors = ip ? validateIP(at.child("ip"), ip, known) : [];
    if (ipMode === undefined) {
      if (ip) errors.push(required(at.child("ipMode"), "must be specified when `ip` is set"));
    } else if (!ip) {
      errors.push(forbidden(at.child("ipMode"), "may not be specified when `ip` is not set"));
    } else if (ipMode !== "VIP" && ipMode !== "Proxy") {
      errors.push(notSupported(at.child("ipMode"), ipMode, ["Proxy", "VIP"]));
    }
    if (hostname) {
      errors.push(...check(at.child("hostname"), hostname, dns1123Subdomain));
      if (parseIP(hostname) !== undefined) {
        errors.push(
          invalid(at.child("hostname"), hostname, "must be a DNS name, not an IP address"),
        );
      }
    }
    return errors;
  });
}

const oldHints = "service.kubernetes.io/topology-aware-hints";

/** What a Service says in vain, or in words that are going. */
function serviceWarnings(service: Service): string[] {
  const spec = service.spec ?? {};
  const isHeadless = spec.type === "ClusterIP" && spec.clusterIP === "None";
  const isName = spec.type === "ExternalName";
  const hasExternalIPs = (spec.externalIPs ?? []).length > 0;
  const warnings: string[] = [];
  const warn = (when: boolean, text: string): void => {
    if (when) warnings.push(text);
  };
  warn(
    service.metadata?.annotations?.[oldHints] !== undefined,
    `annotation ${oldHints} is deprecated, please use service.kubernetes.io/topology-mode instead`,
  );
  if (isHeadless) {
    warn(Boolean(spec.loadBalancerIP), "spec.loadBalancerIP is ignored for headless services");
    warn(hasExternalIPs, "spec.externalIPs is ignored for headless services");
    warn(spec.sessionAffinity !== "None", "spec.SessionAffinity is ignored for headless services");
  }
  warn(
    hasExternalIPs && !isHeadless && !isName,
    "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
  );
  warn(isName && hasExternalIPs, 'spec.externalIPs is ignored when spec.type is "ExternalName"');
  warn(
    !isName && Boolean(spec.externalName),
    'spec.externalName is ignored when spec.type is not "ExternalName"',
  );
  warn(
    spec.trafficDistribution === "PreferClose",
    'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
  );
  return warnings;
}

function balancerText(service: Service): string {
  const names = (service.status?.loadBalancer?.ingress ?? []).map(
    (one) => one.ip || one.hostname || "",
  );
  return [...new Set(names.filter((name) => name !== ""))].sort().join(",");
}

function externalText(service: Service): string {
  const { type, externalIPs = [], externalName } = service.spec ?? {};
  if (type === "ClusterIP" || type === "NodePort") return externalIPs.join(",") || "<none>";
  if (type === "ExternalName") return externalName ?? "";
  if (type !== "LoadBalancer") return "<unknown>";
  const balancers = balancerText(service);
  const all = [...(balancers === "" ? [] : [balancers]), ...externalIPs];
  return all.join(",") || "<pending>";
}

function portText(port: ServicePort): string {
  const middle = port.nodePort ? `:${port.nodePort}` : "";
  return `${port.port ?? 0}${middle}/${port.protocol ?? ""}`;
}

export const serviceStrategy: ResourceStrategy = kind(
  { status: true, initialStatus: () => ({ loadBalancer: {} }), name: dns1123Label },
  {
    default: (object) => defaultService(object as Service),
    prepareForCreate: (object) => normalizeClusterIPs(object as Service),
    prepareForUpdate(object, old, { subresource }) {
      if (subresource !== "") return;
      normalizeClusterIPs(object as Service, old as Service);
      dropTypeDependent(object as Service, old as Service);
    },
    validate: (object) => validateService(object as Service),
    validateUpdate: (object, old, { subresource }) =>
      subresource === "status"
        ? validateStatus(object as Service, old as Service)
        : validateUpdate(object as Service, old as Service),
    warnings: (object) => serviceWarnings(object as Service),
    allowCreateOnUpdate: true,
    selectableFields: (object) => ({
      "spec.clusterIP": (object as Service).spec?.clusterIP ?? "",
      "spec.type": (object as Service).spec?.type ?? "",
    }),
    columns: columns("Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*"),
    row(object, now) {
      const service = object as Service;
      return [
        nameOf(service),
        service.spec?.type ?? "",
        service.spec?.clusterIPs?.[0] ?? "<none>",
        externalText(service),
        (service.spec?.ports ?? []).map(portText).join(",") || "<none>",
        age(service, now),
        formatLabels(service.spec?.selector),
      ];
    },
  },
);
