/**
 * ReplicaSet: keeps so many pods of one template.
 *
 * Source  pkg/registry/apps/replicaset/strategy.go, pkg/apis/apps/validation/validation.go
 */
import type { ReplicaSet } from "@nanokube/api/apps/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { defaultPodTemplate } from "../core/pod/defaults.ts";
import { templateWarnings } from "../core/pod/warnings.ts";
import { type FieldError, field, invalid, nonNegative } from "../field.ts";
import { kind } from "../generic.ts";
import { validateImmutable } from "../object-meta.ts";
import { age, columns, containerCells, formatLabelSelector, nameOf } from "../table.ts";
import { selects, validateReplicaSetTemplate, validateSelector } from "./selector.ts";
import { validateCounts, validateWithinReplicas } from "./status-counts.ts";

function validateSpec(replicaSet: ReplicaSet): FieldError[] {
  const spec = replicaSet.spec ?? {};
  const path = field("spec");
  return [
    ...nonNegative(path.child("replicas"), spec.replicas),
    ...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds),
    // Upstream says "deployment" here too.
    ...validateSelector(spec.selector, path.child("selector"), "deployment"),
    ...(selects(spec.selector, {}) === undefined
      ? [invalid(path.child("selector"), spec.selector, "invalid label selector")]
      : validateReplicaSetTemplate(spec.selector, spec.template, path.child("template"))),
  ];
}

const counters = [
  "replicas",
  "fullyLabeledReplicas",
  "readyReplicas",
  "availableReplicas",
  "observedGeneration",
  "terminatingReplicas",
];

export const replicaSetStrategy: ResourceStrategy = kind(
  { status: true, initialStatus: () => ({ replicas: 0 }), generation: ["spec"] },
  {
    default(object) {
      const typed = object as ReplicaSet;
      typed.spec ??= {};
      const spec = typed.spec;
      spec.replicas ??= 1;
      defaultPodTemplate(spec.template);
    },
    validate: (object) => validateSpec(object as ReplicaSet),
    validateUpdate(object, old, { subresource }) {
      const [next, before] = [object as ReplicaSet, old as ReplicaSet];
      if (subresource === "status") {
        const status = next.status as Record<string, unknown> | undefined;
        const within = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
        return [
          ...validateCounts(status, counters),
          ...validateWithinReplicas(status, within, "readyReplicas"),
        ];
      }
      const at = field("spec", "selector");
      return [
        ...validateSpec(next),
        ...validateImmutable(next.spec?.selector, before.spec?.selector, at),
      ];
    },
    warnings: (object, old) => templateWarnings(object, old),
    columns: columns(
      "Name, Desired:integer, Current:integer, Ready:integer, Age, Containers*, Images*, Selector*",
    ),
    row(object, now) {
      const { spec, status } = object as ReplicaSet;
      return [
        nameOf(object),
        spec?.replicas ?? 0,
        status?.replicas ?? 0,
        status?.readyReplicas ?? 0,
        age(object, now),
        ...containerCells(spec?.template?.spec?.containers),
        formatLabelSelector(spec?.selector),
      ];
    },
  },
);
