/**
 * Ingress and IngressClass: HTTP from outside to services.
 *
 * Source  pkg/registry/networking/{ingress,ingressclass}, pkg/apis/networking/validation
 */
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressClass,
} from "@nanokube/api/networking/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { validateDomainPrefixedPath } from "../domain-prefixed-path.ts";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  required,
  tooLong,
} from "../field.ts";
import { kind } from "../generic.ts";
import { parseIP, validateIP } from "../ip.ts";
import {
  dns1123Label,
  dns1123Subdomain,
  pathSegment,
  portName,
  portNumber,
  wildcardDNS1123Subdomain,
} from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import { age, columns, nameOf } from "../table.ts";

function validateReference(
  reference: { apiGroup?: string; kind?: string; name?: string } | undefined,
  path: FieldPath,
): FieldError[] {
  if (reference === undefined) return [];
  const errors: FieldError[] = [];
  if (reference.apiGroup !== undefined) {
    errors.push(...check(path.child("apiGroup"), reference.apiGroup, dns1123Subdomain));
  }
  for (const name of ["kind", "name"] as const) {
    const value = reference[name];
    if (!value) errors.push(required(path.child(name)));
    else errors.push(...check(path.child(name), value, pathSegment));
  }
  return errors;
}

function validateBackend(backend: IngressBackend, path: FieldPath): FieldError[] {
  const { resource, service } = backend;
  if (resource !== undefined && service !== undefined) {
    return [invalid(path, "", "cannot set both resource and service backends")];
  }
  if (resource !== undefined) return validateReference(resource, path.child("resource"));
  if (service === undefined) return [invalid(path, "", "resource or service backend is required")];
  const at = path.child("service", "name");
  const errors = service.name ? check(at, service.name, dns1123Label) : [required(at)];
  const { name, number } = service.port ?? {};
  const port = path.child("service", "port");
  if (name && number) errors.push(invalid(path, "", "cannot set both port name & port number"));
  else if (name) errors.push(...check(port.child("name"), name, portName));
  else if (number) {
    errors.push(...portNumber(number).map((why) => invalid(port.child("number"), number, why)));
  } else errors.push(required(path, "port name or number is required"));
  return errors;
}

const badSequences = ["//", "/./", "/../", "%2f", "%2F"];
const badSuffixes = ["/..", "/."];

function validatePath(path: HTTPIngressPath, at: FieldPath): FieldError[] {
  const { pathType, path: text = "" } = path;
  const errors: FieldError[] = [];
  if (pathType === undefined) return [required(at.child("pathType"), "pathType must be specified")];
  const where = at.child("path");
  if (pathType === "Exact" || pathType === "Prefix") {
    if (!text.startsWith("/")) errors.push(invalid(where, text, "must be an absolute path"));
    for (const bad of badSequences) {
      if (text.includes(bad)) errors.push(invalid(where, text, `must not contain '${bad}'`));
    }
    for (const bad of badSuffixes) {
      if (text.endsWith(bad)) errors.push(invalid(where, text, `cannot end with '${bad}'`));
    }
  } else if (pathType === "ImplementationSpecific") {
    if (text !== "" && !text.startsWith("/")) {
      errors.push(invalid(where, text, "must be an absolute path"));
    }
  } else {
    const types = ["Exact", "ImplementationSpecific", "Prefix"];
    errors.push(notSupported(at.child("pathType"), pathType, types));
  }
  return [...errors, ...validateBackend(path.backend ?? {}, at.child("backend"))];
}

function validateHost(host: string, path: FieldPath): FieldError[] {
  return check(path, host, host.includes("*") ? wildcardDNS1123Subdomain : dns1123Subdomain);
}

function validateRules(ingress: Ingress): FieldError[] {
  return (ingress.spec?.rules ?? []).flatMap((rule, i) => {
    const at = field("spec", "rules").index(i);
    const errors: FieldError[] = [];
    if (rule.host) {
      const host = at.child("host");
      if (parseIP(rule.host) !== undefined) {
        errors.push(invalid(host, rule.host, "must be a DNS name, not an IP address"));
      }
      errors.push(...validateHost(rule.host, host));
    }
    if (rule.http === undefined) return errors;
    const paths = at.child("http", "paths");
    const list = rule.http.paths ?? [];
    if (list.length === 0) errors.push(required(paths));
    return [...errors, ...list.flatMap((path, n) => validatePath(path, paths.index(n)))];
  });
}

function validateIngress(ingress: Ingress): FieldError[] {
  const spec = ingress.spec ?? {};
  const path = field("spec");
  const errors: FieldError[] = [];
  if ((spec.rules ?? []).length === 0 && spec.defaultBackend === undefined) {
    const why = "either `defaultBackend` or `rules` must be specified";
    errors.push(invalid(path, spec.rules ?? null, why));
  }
  if (spec.defaultBackend !== undefined) {
    errors.push(...validateBackend(spec.defaultBackend, path.child("defaultBackend")));
  }
  errors.push(...validateRules(ingress));
  for (const [i, tls] of (spec.tls ?? []).entries()) {
    const at = path.child("tls").index(i);
    for (const [n, host] of (tls.hosts ?? []).entries()) {
      errors.push(...validateHost(host, at.child("hosts").index(n)));
    }
    if (tls.secretName) {
      errors.push(...check(at.child("secretName"), tls.secretName, dns1123Subdomain));
    }
  }
  if (spec.ingressClassName !== undefined) {
    errors.push(...check(path.child("ingressClassName"), spec.ingressClassName, dns1123Subdomain));
  }
  return errors;
}

const classAnnotation = "kubernetes.io/ingress.class";

function validateNewIngress(ingress: Ingress): FieldError[] {
  const errors = validateIngress(ingress);
  const annotation = ingress.metadata?.annotations?.[classAnnotation];
  const name = ingress.spec?.ingressClassName;
  if (annotation !== undefined && name !== undefined && annotation !== name) {
    const why = "must match `ingressClassName` when both are specified";
    errors.push(invalid(field("annotations", classAnnotation), annotation, why));
  }
  return errors;
}

function validateStatus(ingress: Ingress): FieldError[] {
  return (ingress.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, i) => {
    const at = field("status", "loadBalancer", "ingress").index(i);
    const errors = ip ? validateIP(at.child("ip"), ip) : [];
    if (!hostname) return errors;
    errors.push(...check(at.child("hostname"), hostname, dns1123Subdomain));
    if (parseIP(hostname) !== undefined) {
      errors.push(invalid(at.child("hostname"), hostname, "must be a DNS name, not an IP address"));
    }
    return errors;
  });
}

function hostsText(ingress: Ingress): string {
  const rules = ingress.spec?.rules ?? [];
  const hosts = rules.slice(0, 3).flatMap((rule) => (rule.host ? [rule.host] : []));
  if (hosts.length === 0) return "*";
  const more = rules.length > 3 && hosts.length === 3;
  return more ? `${hosts.join(",")} + ${rules.length - 3} more...` : hosts.join(",");
}

export const ingressStrategy: ResourceStrategy = kind(
  {
    updateMeta: ["update", "whole"],
    status: true,
    initialStatus: () => ({ loadBalancer: {} }),
    generation: ["spec"],
  },
  {
    validate: (object) => validateNewIngress(object as Ingress),
    validateUpdate: (object, _old, { subresource }) =>
      subresource === "status"
        ? validateStatus(object as Ingress)
        : validateIngress(object as Ingress),
    columns: columns("Name, Class, Hosts, Address, Ports, Age"),
    row(object, now) {
      const { spec, status } = object as Ingress;
      const addresses = (status?.loadBalancer?.ingress ?? []).map((one) => one.ip || one.hostname);
      return [
        nameOf(object),
        spec?.ingressClassName ?? "<none>",
        hostsText(object as Ingress),
        [...new Set(addresses)].sort().join(","),
        (spec?.tls ?? []).length > 0 ? "80, 443" : "80",
        age(object, now),
      ];
    },
  },
);

function validateController(name: string): FieldError[] {
  const path = field("spec", "controller");
  const errors = name.length > 250 ? [tooLong(path, "", 250)] : [];
  return [...errors, ...validateDomainPrefixedPath(name, path)];
}

function validateClass(ingressClass: IngressClass): FieldError[] {
  const { controller = "", parameters } = ingressClass.spec ?? {};
  const errors = validateController(controller);
  if (parameters === undefined) return errors;
  const path = field("spec", "parameters");
  errors.push(...validateReference(parameters, path));
  const { scope, namespace } = parameters;
  if (scope === undefined) return [...errors, required(path.child("scope"))];
  errors.push(...oneOf(path.child("scope"), scope, ["Cluster", "Namespace"]));
  const at = path.child("namespace");
  if (scope === "Namespace") {
    if (namespace === undefined) {
      errors.push(required(at, "`parameters.scope` is set to 'Namespace'"));
    } else errors.push(...check(at, namespace, dns1123Label));
  } else if (scope === "Cluster" && namespace !== undefined) {
    errors.push(forbidden(at, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}

export const ingressClassStrategy: ResourceStrategy = kind(
  { updateMeta: ["update", "whole"], generation: ["spec"] },
  {
    default(object) {
      const parameters = (object as IngressClass).spec?.parameters;
      if (parameters !== undefined) parameters.scope ??= "Cluster";
    },
    validate: (object) => validateClass(object as IngressClass),
    validateUpdate(object, old) {
      const [now, before] = [object as IngressClass, old as IngressClass];
      const at = field("spec", "controller");
      return [
        ...validateImmutable(now.spec?.controller ?? "", before.spec?.controller, at),
        ...validateClass(now),
      ];
    },
    columns: columns("Name, Controller, Parameters, Age"),
    row(object, now) {
      const { spec, metadata } = object as IngressClass;
      const isDefault =
        metadata?.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true";
      const { kind: kindName, apiGroup, name } = spec?.parameters ?? {};
      const group = apiGroup === undefined ? "" : `.${apiGroup}`;
      return [
        isDefault ? `${nameOf(object)} (default)` : nameOf(object),
        spec?.controller ?? "",
        spec?.parameters === undefined ? "<none>" : `${kindName}${group}/${name}`,
        age(object, now),
      ];
    },
  },
);
