/**
 * ResourceQuota: how much a namespace may hold together.
 *
 * Source  pkg/registry/core/resourcequota/strategy.go, pkg/apis/core/validation/validation.go
 */
import type { ResourceQuota, ResourceQuotaSpec } from "@nanokube/api/core/v1";
import { GoText, internalTree, marshalGo, parseQuantity } from "@nanokube/machinery";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { type FieldError, type FieldPath, field, invalid, required } from "../field.ts";
import { kind } from "../generic.ts";
import { immutableError } from "../names.ts";
import type { ResourceList } from "../resource-list.ts";
import {
  isStandardQuotaResource,
  validateQuotaResourceName,
  validateResourceQuantity,
} from "../resource-names.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, nameOf } from "../table.ts";

const scopes = [
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "PriorityClass",
  "CrossNamespacePodAffinity",
  "VolumeAttributesClass",
];

const podCompute = /^(pods|cpu|memory|requests\.(cpu|memory)|limits\.(cpu|memory))$/;

function fits(scope: string, resource: string): boolean {
  if (resource.includes("/") || resource.startsWith("count/")) return true;
  if (scope === "BestEffort") return resource === "pods";
  if (scope === "VolumeAttributesClass") return /storage|persistentvolumeclaims/.test(resource);
  return podCompute.test(resource) || resource.includes("hugepages-");
}

function validateHard(list: unknown, path: FieldPath): FieldError[] {
  return Object.entries((list ?? {}) as ResourceList).flatMap(([name, value]) => [
    ...validateQuotaResourceName(name, path.key(name)),
    ...validateResourceQuantity(name, value, path.key(name)),
  ]);
}

function validateScopes(spec: ResourceQuotaSpec, path: FieldPath): FieldError[] {
  const given = spec.scopes ?? [];
  const errors: FieldError[] = [];
  for (const scope of given) {
    const isKnown = scopes.includes(scope);
    if (!isKnown) errors.push(invalid(path, given, "unsupported scope"));
    for (const name of Object.keys(spec.hard ?? {}).sort()) {
      if (!isKnown || !isStandardQuotaResource(name) || fits(scope, name)) continue;
      errors.push(invalid(path, given, "unsupported scope applied to resource"));
    }
  }
  for (const scope of ["BestEffort", "Terminating"]) {
    if (given.includes(scope) && given.includes(`Not${scope}`)) {
      errors.push(invalid(path, given, "conflicting scopes"));
    }
  }
  return errors;
}

const selectorType = "io.k8s.api.core.v1.ScopeSelector";

const shownSelector = ({ scopeSelector = {} }: ResourceQuotaSpec): GoText =>
  new GoText(marshalGo(internalTree(selectorType, scopeSelector)));

function validateSelector(spec: ResourceQuotaSpec, path: FieldPath): FieldError[] {
  const at = path.child("matchExpressions");
  return (spec.scopeSelector?.matchExpressions ?? []).flatMap((requirement) => {
    const { scopeName = "", operator = "", values = [] } = requirement;
    const errors: FieldError[] = [];
    if (!scopes.includes(scopeName)) {
      errors.push(invalid(at.child("scopeName"), scopeName, "unsupported scope"));
    }
    for (const name of Object.keys(spec.hard ?? {}).sort()) {
      if (!scopes.includes(scopeName) || !isStandardQuotaResource(name)) continue;
      if (fits(scopeName, name)) continue;
      errors.push(invalid(at, shownSelector(spec), "unsupported scope applied to resource"));
    }
    const exists =
      scopes.includes(scopeName) &&
      scopeName !== "PriorityClass" &&
      scopeName !== "VolumeAttributesClass";
    if (exists && operator !== "Exists") {
      const why =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, " +
        "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, " +
        "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(invalid(at.child("operator"), operator, why));
    }
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        const why =
          "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
        errors.push(required(at.child("values"), why));
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        const why =
          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
        errors.push(invalid(at.child("values"), values, why));
      }
    } else {
      errors.push(invalid(at.child("operator"), operator, "not a valid selector operator"));
    }
    return errors;
  });
}

function validateQuota(quota: ResourceQuota): FieldError[] {
  const spec = quota.spec ?? {};
  return [
    ...validateHard(spec.hard, field("spec", "hard")),
    ...validateScopes(spec, field("spec", "scopes")),
    ...validateSelector(spec, field("spec", "scopeSelector")),
    ...validateHard(quota.status?.hard, field("status", "hard")),
    ...validateHard(quota.status?.used, field("status", "used")),
  ];
}

/** One cell for what is asked, one for limits.*: "pods: 1/10, secrets: 2/5". */
function usage(quota: ResourceQuota): [string, string] {
  const hard = (quota.status?.hard ?? {}) as ResourceList;
  const used = (quota.status?.used ?? {}) as ResourceList;
  const text = (value: string | undefined) => parseQuantity(value ?? "0").toString();
  const cell = (limits: boolean) =>
    Object.keys(hard)
      .filter((name) => name.startsWith("limits.") === limits)
      .sort()
      .map((name) => `${name}: ${text(used[name])}/${text(hard[name])}`)
      .join(", ");
  return [cell(false), cell(true)];
}

export const resourceQuotaStrategy: ResourceStrategy = kind(
  { status: true },
  {
    validate: (object) => validateQuota(object as ResourceQuota),
    validateUpdate(object, old, { subresource }) {
      const [quota, before] = [object as ResourceQuota, old as ResourceQuota];
      if (subresource === "status") {
        return [
          ...validateHard(quota.status?.hard, field("status", "hard")),
          ...validateHard(quota.status?.used, field("status", "used")),
        ];
      }
      const at = field("spec", "scopes");
      const sorted = ({ spec }: ResourceQuota) => [...(spec?.scopes ?? [])].sort();
      const isKept = semanticEqual(sorted(quota), sorted(before));
      const kept = isKept ? [] : [invalid(at, quota.spec?.scopes ?? null, immutableError)];
      return [...validateQuota(quota), ...kept];
    },
    columns: columns("Name, Request, Limit, Age"),
    row: (object, now) => [nameOf(object), ...usage(object as ResourceQuota), age(object, now)],
  },
);
