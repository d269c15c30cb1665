/**
 * HorizontalPodAutoscaler: as many pods as the metrics ask for. Stored as autoscaling/v2.
 *
 * Source  pkg/registry/autoscaling/horizontalpodautoscaler, pkg/apis/autoscaling/{v2/defaults.go,
 *         validation}, pkg/printers/internalversion/printers.go formatHPAMetrics
 */
import type {
  HorizontalPodAutoscaler,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "@nanokube/api/autoscaling/v2";
import type { ResourceStrategy } from "../core/strategy.ts";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  nonNegative,
  notSupported,
  oneOf,
  required,
} from "./field.ts";
import { kind } from "./generic.ts";
import { pathSegment } from "./names.ts";
import { compareQuantities } from "./resource-list.ts";
import { age, columns, nameOf } from "./table.ts";

const percentRule = { type: "Percent", value: 100, periodSeconds: 15 };
const podsRule = { type: "Pods", value: 4, periodSeconds: 15 };

function defaultRules(rules: HPAScalingRules | undefined, up: boolean): HPAScalingRules {
  const policies = up ? [podsRule, percentRule] : [percentRule];
  const usual: HPAScalingRules = { selectPolicy: "Max", policies: structuredClone(policies) };
  if (up) usual.stabilizationWindowSeconds = 0;
  return { ...usual, ...rules };
}

function defaultAutoscaler(autoscaler: HorizontalPodAutoscaler): void {
  autoscaler.spec ??= {};
  const { spec } = autoscaler;
  spec.minReplicas ??= 1;
  if (autoscaler.apiVersion === "autoscaling/v1") return;
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: "Utilization", averageUtilization: 80 };
    spec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
  }
  if (spec.behavior === undefined) return;
  spec.behavior.scaleUp = defaultRules(spec.behavior.scaleUp, true);
  spec.behavior.scaleDown = defaultRules(spec.behavior.scaleDown, false);
}

function validateReference(
  reference: { kind?: string; name?: string; apiVersion?: string } | undefined,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ["kind", "name"] as const) {
    const value = reference?.[name];
    if (!value) errors.push(required(path.child(name)));
    else errors.push(...check(path.child(name), value, pathSegment));
  }
  const { kind: wanted, apiVersion = "" } = reference ?? {};
  if (wanted !== "ReplicationController" && !apiVersion.includes("/")) {
    const why = "apiVersion must specify API group";
    errors.push(invalid(path.child("apiVersion"), apiVersion, why));
  }
  return errors;
}

function validateRules(rules: HPAScalingRules | undefined, path: FieldPath): FieldError[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [] } = rules;
  const errors: FieldError[] = [];
  const at = path.child("stabilizationWindowSeconds");
  if (window !== undefined && window < 0) {
    errors.push(invalid(at, window, "must be greater than or equal to zero"));
  }
  if (window !== undefined && window > 3600) {
    errors.push(invalid(at, window, "must be less than or equal to 3600"));
  }
  if (selectPolicy !== undefined) {
    const choices = ["Disabled", "Max", "Min"];
    errors.push(...oneOf(path.child("selectPolicy"), selectPolicy, choices));
  }
  const list = path.child("policies");
  if (policies.length === 0) errors.push(required(list, "must specify at least one Policy"));
  for (const [i, { type, value = 0, periodSeconds = 0 }] of policies.entries()) {
    const one = list.index(i);
    errors.push(...oneOf(one.child("type"), type, ["Percent", "Pods"]));
    if (value <= 0) errors.push(invalid(one.child("value"), value, "must be greater than zero"));
    const period = one.child("periodSeconds");
    if (periodSeconds <= 0)
      errors.push(invalid(period, periodSeconds, "must be greater than zero"));
    if (periodSeconds > 1800) {
      errors.push(invalid(period, periodSeconds, "must be less than or equal to 1800"));
    }
  }
  return errors;
}

const sources = {
  Object: "object",
  Pods: "pods",
  Resource: "resource",
  External: "external",
  ContainerResource: "containerResource",
} as const;

function validateTarget(target: MetricTarget | undefined, path: FieldPath): FieldError[] {
  const { type, value, averageValue, averageUtilization } = target ?? {};
  const errors: FieldError[] = [];
  if (!type) errors.push(required(path.child("type"), "must specify a metric target type"));
  else if (!["Utilization", "Value", "AverageValue"].includes(type)) {
    errors.push(
      invalid(path.child("type"), type, "must be either Utilization, Value, or AverageValue"),
    );
  }
  for (const [name, quantity] of [
    ["value", value],
    ["averageValue", averageValue],
  ] as const) {
    if (quantity === undefined || compareQuantities(String(quantity), "0") > 0) continue;
    errors.push(invalid(path.child(name), quantity, "must be positive"));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    const at = path.child("averageUtilization");
    errors.push(invalid(at, averageUtilization, "must be greater than 0"));
  }
  return errors;
}

function validateMetric(metric: MetricSpec, path: FieldPath): FieldError[] {
  const { type } = metric;
  if (!type) return [required(path.child("type"), "must specify a metric source type")];
  const source = sources[type as keyof typeof sources];
  const types = ["ContainerResource", "External", "Object", "Pods", "Resource"];
  if (source === undefined) return [notSupported(path.child("type"), type, types)];
  const own = metric[source];
  if (own === undefined) {
    const why = "must populate information for the given metric source";
    return [required(path.child(source), why)];
  }
  const extra = Object.values(sources).filter(
    (name) => name !== source && metric[name] !== undefined,
  );
  const only = "must populate the given metric source only";
  return [
    ...extra.map((name) => forbidden(path.child(name), only)),
    ...validateTarget(own.target, path.child(source).child("target")),
  ];
}

function validateAutoscaler(autoscaler: HorizontalPodAutoscaler): FieldError[] {
  const spec = autoscaler.spec ?? {};
  const { minReplicas, maxReplicas = 0, metrics = [] } = spec;
  const path = field("spec");
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < 1) {
    const why = "must be greater than or equal to 1";
    errors.push(invalid(path.child("minReplicas"), minReplicas, why));
  }
  const most = path.child("maxReplicas");
  if (maxReplicas === 0) errors.push(required(most, "must be set and greater than 0"));
  else if (maxReplicas < 0) {
    errors.push(invalid(most, maxReplicas, "must be greater than or equal to 1"));
  }
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid(most, maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  return [
    ...errors,
    ...validateReference(spec.scaleTargetRef, path.child("scaleTargetRef")),
    ...metrics.flatMap((metric, i) => validateMetric(metric, path.child("metrics").index(i))),
    ...validateRules(spec.behavior?.scaleUp, path.child("behavior", "scaleUp")),
    ...validateRules(spec.behavior?.scaleDown, path.child("behavior", "scaleDown")),
  ];
}

function metricText(metric: MetricSpec, status: MetricStatus | undefined): string {
  const source = sources[metric.type as keyof typeof sources];
  if (source === undefined) return "<unknown type>";
  const target: MetricTarget = metric[source]?.target ?? {};
  const current: MetricValueStatus | undefined = status?.[source]?.current;
  const unknown = "<unknown>";
  if (source === "resource" || source === "containerResource") {
    const { name } = metric[source] ?? {};
    if (target.averageValue !== undefined) {
      return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
    }
    const percent = (value: number | undefined, none: string) =>
      value === undefined ? none : `${value}%`;
    const now = percent(current?.averageUtilization, unknown);
    return `${name}: ${now}/${percent(target.averageUtilization, "<auto>")}`;
  }
  if (source === "pods") return `${current?.averageValue ?? unknown}/${target.averageValue ?? "0"}`;
  if (target.averageValue !== undefined) {
    return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  }
  return `${current?.value ?? unknown}/${target.value ?? "0"}`;
}

function targetsText(autoscaler: HorizontalPodAutoscaler): string {
  const metrics = autoscaler.spec?.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const list = metrics.map((metric, i) =>
    metricText(metric, autoscaler.status?.currentMetrics?.[i]),
  );
  const shown = list.slice(0, 2).join(", ");
  return list.length > 2 ? `${shown} + ${list.length - 2} more...` : shown;
}

export const horizontalPodAutoscalerStrategy: ResourceStrategy = kind(
  { status: true, initialStatus: () => ({ desiredReplicas: 0 }) },
  {
    default: (object) => defaultAutoscaler(object as HorizontalPodAutoscaler),
    validate: (object) => validateAutoscaler(object as HorizontalPodAutoscaler),
    validateUpdate(object, _old, { subresource }) {
      const autoscaler = object as HorizontalPodAutoscaler;
      if (subresource !== "status") return validateAutoscaler(autoscaler);
      const { currentReplicas, desiredReplicas } = autoscaler.status ?? {};
      return [
        ...nonNegative(field("status", "currentReplicas"), currentReplicas),
        ...nonNegative(field("status", "desiredReplicas"), desiredReplicas),
      ];
    },
    columns: columns("Name, Reference, Targets, MinPods, MaxPods, Replicas, Age"),
    row(object, now) {
      const { spec, status } = object as HorizontalPodAutoscaler;
      return [
        nameOf(object),
        `${spec?.scaleTargetRef?.kind ?? ""}/${spec?.scaleTargetRef?.name ?? ""}`,
        targetsText(object as HorizontalPodAutoscaler),
        String(spec?.minReplicas ?? "<unset>"),
        spec?.maxReplicas ?? 0,
        status?.currentReplicas ?? 0,
        age(object, now),
      ];
    },
  },
);
