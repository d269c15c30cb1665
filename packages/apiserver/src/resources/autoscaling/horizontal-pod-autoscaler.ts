/**
 * HorizontalPodAutoscaler: as many pods as the metrics ask for. Stored as autoscaling/v2.
 *
 * Source  pkg/registry/autoscaling/horizontalpodautoscaler, pkg/apis/autoscaling/{v2/defaults.go,
 *         validation}, pkg/printers/internalversion/printers.go formatHPAMetrics
 */
import type { HorizontalPodAutoscaler, HPAScalingRules } from "@nanokube/api/autoscaling/v2";
import type { KubeObject } from "@nanokube/machinery";
import { autoscalerToV2 } from "../../core/conversion/autoscaler.ts";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  nonNegative,
  oneOf,
  required,
} from "../field.ts";
import { kind } from "../generic.ts";
import { validateResourceQuantity } from "../resource-names.ts";
import { age, columns, nameOf } from "../table.ts";
import { metricText, validateMetric, validateReference } from "./metrics.ts";

const percentRule = { type: "Percent", value: 100, periodSeconds: 15 };
const podsRule = { type: "Pods", value: 4, periodSeconds: 15 };

function defaultRules(rules: HPAScalingRules | undefined, up: boolean): HPAScalingRules {
  const policies = up ? [podsRule, percentRule] : [percentRule];
  const usual: HPAScalingRules = { selectPolicy: "Max", policies: structuredClone(policies) };
  if (up) usual.stabilizationWindowSeconds = 0;
  return { ...usual, ...rules };
}

interface V1Spec {
  targetCPUUtilizationPercentage?: number;
}

const usualUtilization = 80;
const isV1 = ({ apiVersion }: HorizontalPodAutoscaler): boolean => apiVersion === "autoscaling/v1";

/** v1 tells of the metrics only what they are without its own. */
function defaultTarget(autoscaler: HorizontalPodAutoscaler): void {
  const spec = autoscaler.spec as V1Spec;
  if (spec.targetCPUUtilizationPercentage !== undefined) return;
  const { metrics = [] } = asV2(autoscaler).spec ?? {};
  if (metrics.length === 0) spec.targetCPUUtilizationPercentage = usualUtilization;
}

/** What is checked and shown is v2, whatever version it came in. */
const asV2 = (autoscaler: HorizontalPodAutoscaler): HorizontalPodAutoscaler =>
  isV1(autoscaler)
    ? (autoscalerToV2(autoscaler as KubeObject) as HorizontalPodAutoscaler)
    : autoscaler;

function defaultAutoscaler(autoscaler: HorizontalPodAutoscaler): void {
  autoscaler.spec ??= {};
  const { spec } = autoscaler;
  spec.minReplicas ??= 1;
  if (isV1(autoscaler)) {
    defaultTarget(autoscaler);
    return;
  }
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: "Utilization", averageUtilization: usualUtilization };
    spec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
  }
  if (spec.behavior === undefined) return;
  spec.behavior.scaleUp = defaultRules(spec.behavior.scaleUp, true);
  spec.behavior.scaleDown = defaultRules(spec.behavior.scaleDown, false);
}

function validateRules(rules: HPAScalingRules | undefined, path: FieldPath): FieldError[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
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
  if (tolerance === undefined) return errors;
  return [...errors, ...validateResourceQuantity("", tolerance, path.child("tolerance"))];
}

/** The gate that lets all pods go. */
const toZero = "HPAScaleToZero";
const needsOutside =
  "must specify at least one Object or External metric to support scaling to zero replicas";

function validateAutoscaler(autoscaler: HorizontalPodAutoscaler, least: 0 | 1): FieldError[] {
  const spec = asV2(autoscaler).spec ?? {};
  const { minReplicas, maxReplicas = 0, metrics = [] } = spec;
  const path = field("spec");
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < least) {
    const why = `must be greater than or equal to ${least}`;
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
    ...validateReference(
      spec.scaleTargetRef ?? {},
      path.child("scaleTargetRef"),
      spec.scaleTargetRef?.kind === "ReplicationController",
    ),
    ...metrics.flatMap((metric, i) => validateMetric(metric, path.child("metrics").index(i))),
    ...(minReplicas === 0 && !metrics.some(({ type }) => type === "Object" || type === "External")
      ? [forbidden(path.child("metrics"), needsOutside)]
      : []),
    ...validateRules(spec.behavior?.scaleUp, path.child("behavior", "scaleUp")),
    ...validateRules(spec.behavior?.scaleDown, path.child("behavior", "scaleDown")),
  ];
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
    validate: (object, { isOn }) =>
      validateAutoscaler(object as HorizontalPodAutoscaler, isOn?.(toZero) ? 0 : 1),
    validateUpdate(object, old, { subresource, isOn }) {
      const autoscaler = object as HorizontalPodAutoscaler;
      if (subresource !== "status") {
        const hadZero = (old as HorizontalPodAutoscaler).spec?.minReplicas === 0;
        return validateAutoscaler(autoscaler, isOn?.(toZero) || hadZero ? 0 : 1);
      }
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
        targetsText(asV2(object as HorizontalPodAutoscaler)),
        String(spec?.minReplicas ?? "<unset>"),
        spec?.maxReplicas ?? 0,
        status?.currentReplicas ?? 0,
        age(object, now),
      ];
    },
  },
);
