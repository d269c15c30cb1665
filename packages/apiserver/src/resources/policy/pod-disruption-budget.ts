/**
 * PodDisruptionBudget: how many pods an eviction must leave running.
 *
 * Source  pkg/registry/policy/poddisruptionbudget/strategy.go, pkg/apis/policy/validation
 */
import type { PodDisruptionBudget } from "@nanokube/api/policy/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { validateConditions } from "../condition.ts";
import { type FieldError, field, invalid, nonNegative, oneOf } from "../field.ts";
import { kind } from "../generic.ts";
import { notMoreThan100Percent, validatePositiveIntOrPercent } from "../int-or-percent.ts";
import { validateLabelSelector } from "../labels.ts";
import { age, columns, nameOf } from "../table.ts";

function validateBudget(budget: PodDisruptionBudget): FieldError[] {
  const spec = budget.spec ?? {};
  const path = field("spec");
  const errors: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    const why = "minAvailable and maxUnavailable cannot be both set";
    errors.push(invalid(path, spec, why));
  }
  for (const name of ["minAvailable", "maxUnavailable"] as const) {
    if (spec[name] === undefined) continue;
    errors.push(...validatePositiveIntOrPercent(spec[name], path.child(name)));
    errors.push(...notMoreThan100Percent(spec[name], path.child(name)));
  }
  errors.push(...validateLabelSelector(spec.selector, path.child("selector")));
  if (spec.unhealthyPodEvictionPolicy !== undefined) {
    const at = path.child("unhealthyPodEvictionPolicy");
    const policies = ["AlwaysAllow", "IfHealthyBudget"];
    errors.push(...oneOf(at, spec.unhealthyPodEvictionPolicy, policies));
  }
  return errors;
}

const counters = [
  "disruptionsAllowed",
  "currentHealthy",
  "desiredHealthy",
  "expectedPods",
] as const;

export const podDisruptionBudgetStrategy: ResourceStrategy = kind(
  {
    finalizers: "plain",
    wholeMeta: false,
    updateMeta: [],
    status: true,
    generation: ["spec"],
    initialStatus: () => ({
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
    }),
  },
  {
    validate: (object) => validateBudget(object as PodDisruptionBudget),
    validateUpdate(object, _old, { subresource }) {
      if (subresource !== "status") return validateBudget(object as PodDisruptionBudget);
      const { status } = object as PodDisruptionBudget;
      return [
        ...validateConditions(status?.conditions, field("status", "conditions")),
        ...counters.flatMap((name) => nonNegative(field("status", name), status?.[name])),
      ];
    },
    allowUnconditionalUpdate: false,
    columns: columns("Name, Min Available, Max Unavailable, Allowed Disruptions:integer, Age"),
    row(object, now) {
      const { spec, status } = object as PodDisruptionBudget;
      return [
        nameOf(object),
        String(spec?.minAvailable ?? "N/A"),
        String(spec?.maxUnavailable ?? "N/A"),
        status?.disruptionsAllowed ?? 0,
        age(object, now),
      ];
    },
  },
);
