/**
 * StatefulSet: numbered pods that keep their name and their volumes.
 *
 * Source  pkg/registry/apps/statefulset/strategy.go, pkg/apis/apps/v1/defaults.go,
 *         pkg/apis/apps/validation/validation.go
 */
import type { StatefulSet, StatefulSetSpec } from "@nanokube/api/apps/v1";
import type { PodTemplateSpec } from "@nanokube/api/core/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { validateClaimSpec } from "../core/claim-validation.ts";
import { defaultClaim } from "../core/persistent-volume-claim.ts";
import { defaultPodTemplate } from "../core/pod/defaults.ts";
import { validatePodTemplate } from "../core/pod/template.ts";
import { templateWarnings } from "../core/pod/warnings.ts";
import {
  check,
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
import {
  notMoreThan100Percent,
  plainValue,
  validatePositiveIntOrPercent,
} from "../int-or-percent.ts";
import { dns1123Label } from "../names.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, containerCells, nameOf } from "../table.ts";
import {
  selects,
  validateAlwaysRestarts,
  validateSelector,
  validateTemplateMatches,
} from "./selector.ts";
import { validateCollisions, validateCounts, validateWithinReplicas } from "./status-counts.ts";

function defaultStatefulSet(set: StatefulSet): void {
  set.spec ??= {};
  const spec = set.spec;
  spec.podManagementPolicy ||= "OrderedReady";
  spec.updateStrategy ??= {};
  const strategy = spec.updateStrategy;
  if (!strategy.type) {
    strategy.type = "RollingUpdate";
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === "RollingUpdate" && strategy.rollingUpdate !== undefined) {
    strategy.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  const retention = spec.persistentVolumeClaimRetentionPolicy;
  retention.whenDeleted ||= "Retain";
  retention.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  defaultPodTemplate(spec.template);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    defaultClaim(claim);
    claim.apiVersion = "v1";
    claim.kind = "PersistentVolumeClaim";
  }
}

function validateUpdateStrategy(spec: StatefulSetSpec, path: FieldPath): FieldError[] {
  const strategy = spec.updateStrategy ?? {};
  const rolling = strategy.rollingUpdate;
  if (!strategy.type) return [required(path)];
  if (strategy.type === "OnDelete") {
    if (rolling === undefined) return [];
    const why = "only allowed for updateStrategy 'RollingUpdate'";
    return [invalid(path.child("rollingUpdate"), rolling, why)];
  }
  if (strategy.type !== "RollingUpdate") {
    return [invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")];
  }
  if (rolling === undefined) return [];
  const at = path.child("rollingUpdate");
  const errors = nonNegative(at.child("partition"), rolling.partition);
  if (rolling.maxUnavailable === undefined) return errors;
  const most = at.child("maxUnavailable");
  errors.push(...validatePositiveIntOrPercent(rolling.maxUnavailable, most));
  if (plainValue(rolling.maxUnavailable) === 0) {
    errors.push(invalid(most, rolling.maxUnavailable, "cannot be 0"));
  }
  return [...errors, ...notMoreThan100Percent(rolling.maxUnavailable, most)];
}

/** The template as the pods will have it: the controller sets names and adds the claims. */
function effectiveTemplate(spec: StatefulSetSpec): PodTemplateSpec {
  const template = spec.template ?? {};
  const { subdomain: _s, hostname: _h, ...pod } = template.spec ?? {};
  const claims = (spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata?.name ?? "");
  if (claims.length === 0) return { ...template, spec: pod };
  const volumes = [
    ...claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
    ...(pod.volumes ?? []).filter((volume) => !claims.includes(volume.name ?? "")),
  ];
  return { ...template, spec: { ...pod, volumes } };
}

function validateTemplate(spec: StatefulSetSpec, path: FieldPath): FieldError[] {
  const template = effectiveTemplate(spec);
  return [
    ...(selects(spec.selector, {}) === undefined
      ? [invalid(field("spec", "selector"), spec.selector, "")]
      : validateTemplateMatches(spec.selector, template, path)),
    ...validatePodTemplate(template, path),
    ...validateAlwaysRestarts(spec.template ?? {}, path, "StatefulSet"),
  ];
}

function validateSpec(set: StatefulSet, creating: boolean): FieldError[] {
  const spec = set.spec ?? {};
  const path = field("spec");
  const errors: FieldError[] = [];
  const policy = spec.podManagementPolicy;
  if (!policy) {
    errors.push(required(path.child("podManagementPolicy")));
  } else if (policy !== "OrderedReady" && policy !== "Parallel") {
    const why = "must be 'OrderedReady' or 'Parallel'";
    errors.push(invalid(path.child("podManagementPolicy"), policy, why));
  }
  errors.push(...validateUpdateStrategy(spec, path.child("updateStrategy")));
  const retention = path.child("persistentVolumeClaimRetentionPolicy");
  for (const when of ["whenDeleted", "whenScaled"] as const) {
    const value = spec.persistentVolumeClaimRetentionPolicy?.[when];
    errors.push(...oneOf(retention.child(when), value, ["Retain", "Delete"]));
  }
  if (creating) {
    for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
      const at = path.child("volumeClaimTemplates").index(i).child("spec");
      errors.push(...validateClaimSpec(claim.spec ?? {}, at));
    }
  }
  errors.push(...nonNegative(path.child("replicas"), spec.replicas));
  errors.push(...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds));
  errors.push(...nonNegative(path.child("ordinals.start"), spec.ordinals?.start));
  if (creating && spec.serviceName) {
    errors.push(...check(path.child("serviceName"), spec.serviceName, dns1123Label));
  }
  errors.push(...validateSelector(spec.selector, path.child("selector"), "statefulset"));
  return [...errors, ...validateTemplate(spec, path.child("template"))];
}

const mutable = [
  "replicas",
  "template",
  "updateStrategy",
  "minReadySeconds",
  "ordinals",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
];

function withoutMutable(set: StatefulSet): unknown {
  return Object.fromEntries(
    Object.entries(set.spec ?? {}).filter(([name]) => !mutable.includes(name)),
  );
}

function validateUpdate(set: StatefulSet, old: StatefulSet): FieldError[] {
  const errors = validateSpec(set, false);
  if (!semanticEqual(withoutMutable(set), withoutMutable(old))) {
    const why =
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
      "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and " +
      "'minReadySeconds' are forbidden";
    errors.push(forbidden(field("spec"), why));
  }
  return errors;
}

const within = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];

export const statefulSetStrategy: ResourceStrategy = kind(
  {
    status: true,
    initialStatus: () => ({ replicas: 0, availableReplicas: 0 }),
    generation: ["spec"],
    name: dns1123Label,
  },
  {
    default: (object) => defaultStatefulSet(object as StatefulSet),
    validate: (object) => validateSpec(object as StatefulSet, true),
    validateUpdate(object, old, { subresource }) {
      const [next, before] = [object as StatefulSet, old as StatefulSet];
      if (subresource !== "status") return validateUpdate(next, before);
      const status = next.status as Record<string, unknown> | undefined;
      return [
        ...validateCounts(status, ["replicas", ...within, "observedGeneration", "collisionCount"]),
        ...validateWithinReplicas(status, within, "status.readyReplicas"),
        ...validateCollisions(status, before.status as Record<string, unknown> | undefined),
      ];
    },
    warnings: (object, old) => templateWarnings(object, old),
    columns: columns("Name, Ready, Age, Containers*, Images*"),
    row(object, now) {
      const { spec, status } = object as StatefulSet;
      return [
        nameOf(object),
        `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
        age(object, now),
        ...containerCells(spec?.template?.spec?.containers),
      ];
    },
  },
);
