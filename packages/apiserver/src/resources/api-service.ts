/**
 * APIService: which server answers for a group and version; this one, when it names no Service.
 *
 * Source  kube-aggregator pkg/registry/apiservice/strategy.go, pkg/apis/apiregistration/validation
 */
import { type KubeObject, quoteGo } from "@nanokube/machinery";
import type { ResourceStrategy } from "../core/strategy.ts";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  invalid,
  oneOf,
  required,
} from "./field.ts";
import { allMetadata, kind } from "./generic.ts";
import { dns1035Label, dns1123Subdomain, type NameRule, pathSegment, portNumber } from "./names.ts";
import { age, columns, nameOf } from "./table.ts";

interface Condition {
  type?: string;
  status?: string;
  reason?: string;
}

interface Spec {
  group?: string;
  version?: string;
  service?: { namespace?: string; name?: string; port?: number };
  groupPriorityMinimum?: number;
  versionPriority?: number;
  insecureSkipTLSVerify?: boolean;
  /** Base64. */
  caBundle?: string;
}

interface APIService extends KubeObject {
  spec?: Spec;
  status?: { conditions?: Condition[] };
}

const available = "Available";

function localStatus(object: KubeObject): unknown {
  if ((object as APIService).spec?.service) return {};
  const condition = {
    type: available,
    status: "True",
    lastTransitionTime: object.metadata?.creationTimestamp,
    reason: "Local",
    message: "Local APIServices are always available",
  };
  return { conditions: [condition] };
}

const wantedName = ({ spec }: APIService): string => `${spec?.version ?? ""}.${spec?.group ?? ""}`;

const nameOfService = (service: APIService): NameRule => {
  const wanted = wantedName(service);
  return (name, prefix) => {
    const problems = pathSegment(name, prefix);
    if (problems.length > 0 || name === wanted) return problems;
    return [`must be \`spec.version+"."+spec.group\`: ${quoteGo(wanted)}`];
  };
};

function validateGroupVersion({ group = "", version = "" }: Spec, path: FieldPath): FieldError[] {
  const at = path.child("group");
  const errors = group === "" ? [] : check(at, group, dns1123Subdomain);
  if (group === "" && version !== "v1") {
    errors.push(required(at, "only v1 may have an empty group and it better be legacy kube"));
  }
  return [...errors, ...check(path.child("version"), version, dns1035Label)];
}

function validatePriorities(spec: Spec, path: FieldPath): FieldError[] {
  const numbers = [
    ["groupPriorityMinimum", 20_000],
    ["versionPriority", 1000],
  ] as const;
  return numbers.flatMap(([name, max]) => {
    const value = spec[name] ?? 0;
    if (value > 0 && value <= max) return [];
    return [invalid(path.child(name), value, `must be positive and less than ${max}`)];
  });
}

/** Who is asked, and whether it is known by its certificate; this server needs neither. */
function validateService(spec: Spec, path: FieldPath): FieldError[] {
  const { service, caBundle = "", insecureSkipTLSVerify = false } = spec;
  const skipAt = path.child("insecureSkipTLSVerify");
  const errors: FieldError[] = [];
  if (service === undefined) {
    if (caBundle !== "") {
      const shown = `${base64Bytes(caBundle)} bytes`;
      const why = "local APIServices may not have a caBundle";
      errors.push(invalid(path.child("caBundle"), shown, why));
    }
    if (insecureSkipTLSVerify) {
      const why = "local APIServices may not have insecureSkipTLSVerify";
      errors.push(invalid(skipAt, true, why));
    }
    return errors;
  }
  const at = path.child("service");
  if (!service.namespace) errors.push(required(at.child("namespace")));
  if (!service.name) errors.push(required(at.child("name")));
  const port = service.port ?? 0;
  for (const why of portNumber(port)) {
    errors.push(invalid(at.child("port"), port, `port is not valid: ${why}`));
  }
  if (insecureSkipTLSVerify && caBundle !== "") {
    errors.push(invalid(skipAt, true, "may not be true if caBundle is present"));
  }
  return errors;
}

const base64Bytes = (text: string): number =>
  (text.length / 4) * 3 - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);

function validate(object: KubeObject): FieldError[] {
  const { spec = {} } = object as APIService;
  const path = field("spec");
  return [
    ...validateGroupVersion(spec, path),
    ...validatePriorities(spec, path),
    ...validateService(spec, path),
  ];
}

function validateStatus({ status }: APIService): FieldError[] {
  const path = field("status", "conditions");
  const statuses = ["True", "False", "Unknown"];
  return (status?.conditions ?? []).flatMap((condition, i) =>
    oneOf(path.index(i).child("status"), condition.status, statuses),
  );
}

export const apiServiceStrategy: ResourceStrategy = kind(
  {
    finalizers: "plain",
    status: true,
    statusKeeps: allMetadata,
    initialStatus: localStatus,
    nameFor: (object) => nameOfService(object as APIService),
    updateMeta: ["update", "whole"],
  },
  {
    default(object) {
      const { service } = (object as APIService).spec ?? {};
      if (service !== undefined) service.port ??= 443;
    },
    validate,
    validateUpdate: (object, _old, { subresource }) =>
      subresource === "status" ? validateStatus(object as APIService) : validate(object),
    allowUnconditionalUpdate: false,
    columns: columns("Name, Service, Available, Age"),
    row(object, now) {
      const { spec, status } = object as APIService;
      const service = spec?.service
        ? `${spec.service.namespace ?? ""}/${spec.service.name ?? ""}`
        : "Local";
      const condition = status?.conditions?.find((one) => one.type === available);
      const text =
        condition === undefined
          ? "Unknown"
          : condition.status === "True"
            ? "True"
            : `${condition.status} (${condition.reason})`;
      return [nameOf(object), service, text, age(object, now)];
    },
  },
);
