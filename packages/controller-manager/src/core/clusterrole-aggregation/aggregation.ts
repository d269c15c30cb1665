/**
 * ClusterRole aggregation: a role with an aggregationRule has the rules of all roles that the rule
 * selects.
 *
 * Source  pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go
 */
import type { ClusterRole, PolicyRule } from "@nanokube/api/rbac/v1";
import { clusterRoles } from "@nanokube/client";
import { deepEqual, labelSelectorToSelector } from "@nanokube/machinery";
import { type Context, type Controller, watch } from "../controller.ts";
import { canonical } from "../deployment/template-hash.ts";
import { type Steps, update } from "../steps.ts";

export function createClusterRoleAggregationController(): Controller {
  return {
    name: "clusterrole-aggregation-controller",
    watches: [
      watch(clusterRoles, (_, caches) =>
        caches
          .of(clusterRoles)
          .list()
          .filter((role) => role.aggregationRule !== undefined)
          .map((role) => role.metadata?.name ?? ""),
      ),
    ],
    reconcile: reconcileAggregation,
  };
}

export function* reconcileAggregation(name: string, { caches }: Context): Steps<undefined> {
  const role = caches.of(clusterRoles).get("", name);
  if (role?.aggregationRule === undefined) return undefined;
  const rules = aggregatedRules(role, caches.of(clusterRoles).list());
  if (!deepEqual(rules, role.rules ?? [])) yield* update(clusterRoles, { ...role, rules });
  return undefined;
}

/** In the order of the selectors, of equal rules the first; roles by name. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const rules = new Map<string, PolicyRule>();
  const sorted = all.toSorted((a, b) =>
    (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1,
  );
  for (const labelSelector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = labelSelectorToSelector(labelSelector);
    for (const other of sorted) {
      if (other.metadata?.name === role.metadata?.name) continue;
      if (!selector.matches(other.metadata?.labels)) continue;
      for (const rule of other.rules ?? []) {
        const key = canonical(rule);
        if (!rules.has(key)) rules.set(key, rule);
      }
    }
  }
  return [...rules.values()];
}
