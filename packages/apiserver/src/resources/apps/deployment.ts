/**
 * Deployment: rolls ReplicaSets from one template to the next.
 *
 * Its annotations raise the generation too, for the controller copies them to ReplicaSets.
 *
 * Source  pkg/registry/apps/deployment/strategy.go, pkg/apis/apps/v1/defaults.go,
 *         pkg/apis/apps/validation/validation.go
 */
import type { Deployment, DeploymentStrategy } from "@nanokube/api/apps/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { defaultPodTemplate } from "../core/pod/defaults.ts";
import { templateWarnings } from "../core/pod/warnings.ts";
import {
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  nonNegative,
  notSupported,
} from "../field.ts";
import { kind } from "../generic.ts";
import {
  notMoreThan100Percent,
  plainValue,
  validatePositiveIntOrPercent,
} from "../int-or-percent.ts";
import { validateImmutable } from "../object-meta.ts";
import { age, columns, containerCells, labelSelectorText, nameOf } from "../table.ts";
import { selects, validateReplicaSetTemplate, validateSelector } from "./selector.ts";
import { validateCollisions, validateCounts, validateWithinReplicas } from "./status-counts.ts";

function defaultDeployment(deployment: Deployment): void {
  deployment.spec ??= {};
  const spec = deployment.spec;
  spec.replicas ??= 1;
  spec.strategy ??= {};
  const strategy = spec.strategy;
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    strategy.rollingUpdate ??= {};
    const rolling = strategy.rollingUpdate;
    rolling.maxUnavailable ??= "25%";
    rolling.maxSurge ??= "25%";
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  defaultPodTemplate(spec.template);
}

function validateStrategy(strategy: DeploymentStrategy, path: FieldPath): FieldError[] {
  const rolling = strategy.rollingUpdate;
  const at = path.child("rollingUpdate");
  if (strategy.type === "Recreate") {
    if (rolling === undefined) return [];
    return [forbidden(at, "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (strategy.type !== "RollingUpdate") {
    return [notSupported(path, strategy, ["Recreate", "RollingUpdate"])];
  }
  const { maxUnavailable, maxSurge } = rolling ?? {};
  const errors = [
    ...validatePositiveIntOrPercent(maxUnavailable, at.child("maxUnavailable")),
    ...validatePositiveIntOrPercent(maxSurge, at.child("maxSurge")),
  ];
  if (plainValue(maxUnavailable) === 0 && plainValue(maxSurge) === 0) {
    const why = "may not be 0 when `maxSurge` is 0";
    errors.push(invalid(at.child("maxUnavailable"), maxUnavailable, why));
  }
  return [...errors, ...notMoreThan100Percent(maxUnavailable, at.child("maxUnavailable"))];
}

function validateSpec(deployment: Deployment): FieldError[] {
  const spec = deployment.spec ?? {};
  const path = field("spec");
  const errors = [
    ...nonNegative(path.child("replicas"), spec.replicas),
    ...validateSelector(spec.selector, path.child("selector"), "deployment"),
    ...(selects(spec.selector, {}) === undefined
      ? [invalid(path.child("selector"), spec.selector, "invalid label selector")]
      : validateReplicaSetTemplate(spec.selector, spec.template, path.child("template"))),
    ...validateStrategy(spec.strategy ?? {}, path.child("strategy")),
    ...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds),
    ...nonNegative(path.child("revisionHistoryLimit"), spec.revisionHistoryLimit),
    ...nonNegative(path.child("progressDeadlineSeconds"), spec.progressDeadlineSeconds),
  ];
  const deadline = spec.progressDeadlineSeconds;
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    const why = "must be greater than minReadySeconds";
    errors.push(invalid(path.child("progressDeadlineSeconds"), deadline, why));
  }
  return errors;
}

const counters = [
  "observedGeneration",
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "unavailableReplicas",
  "terminatingReplicas",
  "collisionCount",
];

export const deploymentStrategy: ResourceStrategy = kind(
  { status: true, generation: ["spec", "annotations"], statusKeeps: ["labels"] },
  {
    default: (object) => defaultDeployment(object as Deployment),
    validate: (object) => validateSpec(object as Deployment),
    validateUpdate(object, old, { subresource }) {
      const [next, before] = [object as Deployment, old as Deployment];
      if (subresource === "status") {
        const status = next.status as Record<string, unknown> | undefined;
        const within = ["updatedReplicas", "readyReplicas", "availableReplicas"];
        return [
          ...validateCounts(status, counters),
          ...validateWithinReplicas(status, within, "readyReplicas"),
          ...validateCollisions(status, before.status as Record<string, unknown> | undefined),
        ];
      }
      const at = field("spec", "selector");
      return [
        ...validateSpec(next),
        ...validateImmutable(next.spec?.selector, before.spec?.selector, at),
      ];
    },
    warnings: (object, old) => templateWarnings(object, old),
    columns: columns("Name, Ready, Up-to-date, Available, Age, Containers*, Images*, Selector*"),
    row(object, now) {
      const { spec, status } = object as Deployment;
      return [
        nameOf(object),
        `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
        status?.updatedReplicas ?? 0,
        status?.availableReplicas ?? 0,
        age(object, now),
        ...containerCells(spec?.template?.spec?.containers),
        labelSelectorText(spec?.selector),
      ];
    },
  },
);
