/**
 * DaemonSet: one pod on each node that qualifies.
 *
 * Source  pkg/registry/apps/daemonset/strategy.go, pkg/apis/apps/validation/validation.go
 */
import type { DaemonSet, DaemonSetUpdateStrategy } from "@nanokube/api/apps/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { defaultPodTemplate } from "../core/pod/defaults.ts";
import { validatePodTemplate } from "../core/pod/template.ts";
import { templateWarnings } from "../core/pod/warnings.ts";
import {
  type FieldError,
  type FieldPath,
  field,
  invalid,
  nonNegative,
  notSupported,
  required,
} from "../field.ts";
import { kind } from "../generic.ts";
import {
  notMoreThan100Percent,
  plainValue,
  validatePositiveIntOrPercent,
} from "../int-or-percent.ts";
import { validateLabelSelector } from "../labels.ts";
import { validateImmutable } from "../object-meta.ts";
import { semanticEqual } from "../semantic-equal.ts";
import {
  age,
  columns,
  containerCells,
  formatLabelSelector,
  formatLabels,
  nameOf,
} from "../table.ts";
import { isEmptySelector, selects, validateAlwaysRestarts } from "./selector.ts";
import { validateCollisions, validateCounts } from "./status-counts.ts";

/** Kept for apps/v1beta1; in apps/v1 it travels in this annotation. */
const templateGeneration = "deprecated.daemonset.template.generation";

function defaultDaemonSet(set: DaemonSet): void {
  set.spec ??= {};
  const spec = set.spec;
  spec.updateStrategy ??= {};
  const strategy = spec.updateStrategy;
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    strategy.rollingUpdate ??= {};
    const rolling = strategy.rollingUpdate;
    rolling.maxUnavailable ??= 1;
    rolling.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  defaultPodTemplate(spec.template);
}

function setTemplateGeneration(set: DaemonSet, value: string): void {
  set.metadata ??= {};
  const metadata = set.metadata;
  metadata.annotations = { ...metadata.annotations, [templateGeneration]: value };
}

function validateStrategy(strategy: DaemonSetUpdateStrategy, path: FieldPath): FieldError[] {
  if (strategy.type === "OnDelete") return [];
  if (strategy.type !== "RollingUpdate") {
    return [notSupported(path, strategy, ["RollingUpdate", "OnDelete"])];
  }
  const at = path.child("rollingUpdate");
  if (strategy.rollingUpdate === undefined) return [required(at)];
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate;
  const errors = [
    ...validatePositiveIntOrPercent(maxUnavailable, at.child("maxUnavailable")),
    ...validatePositiveIntOrPercent(maxSurge, at.child("maxSurge")),
    ...notMoreThan100Percent(maxUnavailable, at.child("maxUnavailable")),
    ...notMoreThan100Percent(maxSurge, at.child("maxSurge")),
  ];
  const [unavailable, surge] = [plainValue(maxUnavailable) !== 0, plainValue(maxSurge) !== 0];
  if (unavailable && surge) {
    const why = "may not be set when maxUnavailable is non-zero";
    errors.push(invalid(at.child("maxSurge"), maxSurge, why));
  } else if (!unavailable && !surge) {
    errors.push(required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"));
  }
  return errors;
}

function validateSpec(set: DaemonSet): FieldError[] {
  const spec = set.spec ?? {};
  const template = spec.template ?? {};
  const path = field("spec");
  const errors = validateLabelSelector(spec.selector, path.child("selector"));
  if (selects(spec.selector, template.metadata?.labels) === false) {
    const at = path.child("template", "metadata", "labels");
    const why = "`selector` does not match template `labels`";
    errors.push(invalid(at, template.metadata?.labels ?? null, why));
  }
  if (spec.selector && isEmptySelector(spec.selector)) {
    const why = "empty selector is invalid for daemonset";
    errors.push(invalid(path.child("selector"), spec.selector, why));
  }
  return [
    ...errors,
    ...validatePodTemplate(template, path.child("template")),
    ...validateAlwaysRestarts(template, path.child("template"), "DaemonSet"),
    ...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds),
    ...validateStrategy(spec.updateStrategy ?? {}, path.child("updateStrategy")),
    ...nonNegative(path.child("revisionHistoryLimit"), spec.revisionHistoryLimit),
  ];
}

/** The internal type has a number in place of the annotation, so that every object has it. */
function keepTemplateGeneration(set: DaemonSet): void {
  set.metadata ??= {};
  set.metadata.annotations = { [templateGeneration]: "0", ...set.metadata.annotations };
}

const counters = [
  "currentNumberScheduled",
  "numberMisscheduled",
  "desiredNumberScheduled",
  "numberReady",
  "observedGeneration",
  "updatedNumberScheduled",
  "numberAvailable",
  "numberUnavailable",
  "collisionCount",
];

function daemonSetRow(set: DaemonSet, now: number): unknown[] {
  const { spec, status } = set;
  return [
    nameOf(set),
    status?.desiredNumberScheduled ?? 0,
    status?.currentNumberScheduled ?? 0,
    status?.numberReady ?? 0,
    status?.updatedNumberScheduled ?? 0,
    status?.numberAvailable ?? 0,
    formatLabels(spec?.template?.spec?.nodeSelector),
    age(set, now),
    ...containerCells(spec?.template?.spec?.containers),
    formatLabelSelector(spec?.selector),
  ];
}

export const daemonSetStrategy: ResourceStrategy = kind(
  {
    status: true,
    initialStatus: () => ({
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      desiredNumberScheduled: 0,
      numberReady: 0,
    }),
    generation: ["spec"],
  },
  {
    default(object) {
      defaultDaemonSet(object as DaemonSet);
      keepTemplateGeneration(object as DaemonSet);
    },
    prepareForCreate: (object) => setTemplateGeneration(object as DaemonSet, "1"),
    prepareForUpdate(object, old, { subresource }) {
      const [next, before] = [object as DaemonSet, old as DaemonSet];
      const count = Number(before.metadata?.annotations?.[templateGeneration] ?? 1);
      if (subresource !== "") {
        setTemplateGeneration(next, String(count));
        return;
      }
      const changed = !semanticEqual(next.spec?.template, before.spec?.template);
      setTemplateGeneration(next, String(changed ? count + 1 : count));
    },
    validate: (object) => validateSpec(object as DaemonSet),
    validateUpdate(object, old, { subresource }) {
      const [next, before] = [object as DaemonSet, old as DaemonSet];
      if (subresource === "status") {
        const status = next.status as Record<string, unknown> | undefined;
        return [
          ...validateCounts(status, counters),
          ...validateCollisions(status, before.status as Record<string, unknown> | undefined),
        ];
      }
      const at = field("spec", "selector");
      return [
        ...validateImmutable(next.spec?.selector, before.spec?.selector, at),
        ...validateSpec(next),
      ];
    },
    warnings: (object, old) => templateWarnings(object, old),
    columns: columns(
      "Name, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, " +
        "Available:integer, Node Selector, Age, Containers*, Images*, Selector*",
    ),
    row: (object, now) => daemonSetRow(object as DaemonSet, now),
  },
);
