/**
 * APIService: which server answers for a group and version; this one, when it names no Service.
 *
 * Source  kube-aggregator pkg/registry/apiservice/strategy.go, pkg/apis/apiregistration/validation
 */
import { type FieldError, FieldPath, invalidValue, type KubeObject } from "@nanokube/machinery";
import type { ResourceStrategy } from "../core/strategy.ts";
import { allMetadata, kind } from "./generic.ts";
import { pathSegment } from "./names.ts";
import { age, columns, nameOf } from "./table.ts";

interface Condition {
  type?: string;
  status?: string;
  reason?: string;
}

interface APIService extends KubeObject {
  spec?: {
    group?: string;
    version?: string;
    service?: { namespace?: string; name?: string };
    groupPriorityMinimum?: number;
    versionPriority?: number;
  };
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

function validate(object: KubeObject): FieldError[] {
  const { spec = {} } = object as APIService;
  const required = `${spec.version ?? ""}.${spec.group ?? ""}`;
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  if (nameOf(object) !== required) {
    const why = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(required)}`;
    errors.push(invalidValue(FieldPath.root("metadata", "name"), nameOf(object), why));
  }
  const numbers = [
    ["groupPriorityMinimum", spec.groupPriorityMinimum ?? 0, 20_000],
    ["versionPriority", spec.versionPriority ?? 0, 1000],
  ] as const;
  for (const [name, value, max] of numbers) {
    if (value > 0 && value <= max) continue;
    errors.push(invalidValue(path.child(name), value, `must be positive and less than ${max}`));
  }
  return errors;
}

export const apiServiceStrategy: ResourceStrategy = kind(
  {
    finalizers: "plain",
    status: true,
    statusKeeps: allMetadata,
    initialStatus: localStatus,
    name: pathSegment,
  },
  {
    validate,
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
