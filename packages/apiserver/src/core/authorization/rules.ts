/**
 * RBAC rules: what one allows, and whether some cover others (nobody may grant what they lack).
 *
 * Source  pkg/apis/rbac/v1/evaluation_helpers.go,
 *         staging/src/k8s.io/component-helpers/auth/rbac/validation/policy_comparator.go
 */
import type { PolicyRule } from "@nanokube/api/rbac/v1";
import { quoteGo } from "@nanokube/machinery";
import type { AuthorizationAttributes } from "./authorizer.ts";

function has(list: readonly string[] | undefined, ...wanted: string[]): boolean {
  return list !== undefined && wanted.some((one) => list.includes(one));
}

function resourceMatches(rule: PolicyRule, resource: string, subresource: string): boolean {
  if (subresource === "") return has(rule.resources, "*", resource);
  return has(rule.resources, "*", `${resource}/${subresource}`, `*/${subresource}`);
}

function urlCovers(owner: string, path: string): boolean {
  if (owner === path) return true;
  return owner.endsWith("*") && path.startsWith(owner.replace(/\*+$/, ""));
}

export function ruleAllows(rule: PolicyRule, attributes: AuthorizationAttributes): boolean {
  if (!has(rule.verbs, "*", attributes.verb)) return false;
  if (!attributes.resourceRequest) {
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === "*" || urlCovers(url, attributes.path),
    );
  }
  if (!has(rule.apiGroups, "*", attributes.apiGroup)) return false;
  if (!resourceMatches(rule, attributes.resource, attributes.subresource)) return false;
  const names = rule.resourceNames ?? [];
  return names.length === 0 || names.includes(attributes.name);
}

/** Rules with at most one group, resource, verb and name each. */
export function breakdown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs ?? []) {
        const one = { apiGroups: [group], resources: [resource], verbs: [verb] };
        const names = rule.resourceNames ?? [];
        if (names.length === 0) parts.push(one);
        else parts.push(...names.map((name) => ({ ...one, resourceNames: [name] })));
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) {
    for (const verb of rule.verbs ?? []) parts.push({ nonResourceURLs: [url], verbs: [verb] });
  }
  return parts;
}

function all(owner: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean {
  return (wanted ?? []).every((one) => owner?.includes(one));
}

function resourcesCover(owner: readonly string[] | undefined, wanted: readonly string[]): boolean {
  if (has(owner, "*")) return true;
  return wanted.every((path) => {
    if (has(owner, path)) return true;
    const slash = path.indexOf("/");
    return slash >= 0 && has(owner, `*/${path.slice(slash + 1)}`);
  });
}

function covers(owner: PolicyRule, part: PolicyRule): boolean {
  const ownerNames = owner.resourceNames ?? [];
  const partNames = part.resourceNames ?? [];
  const names = ownerNames.length === 0 || (partNames.length > 0 && all(ownerNames, partNames));
  return (
    names &&
    (has(owner.verbs, "*") || all(owner.verbs, part.verbs)) &&
    (has(owner.apiGroups, "*") || all(owner.apiGroups, part.apiGroups)) &&
    resourcesCover(owner.resources, part.resources ?? []) &&
    (part.nonResourceURLs ?? []).every((url) =>
      (owner.nonResourceURLs ?? []).some((own) => urlCovers(own, url)),
    )
  );
}

/** The parts of `wanted` that none of `owned` covers. */
export function uncovered(
  owned: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): PolicyRule[] {
  return wanted.flatMap(breakdown).filter((part) => !owned.some((rule) => covers(rule, part)));
}

const quoted = (list: readonly string[]) => `[${list.map(quoteGo).join(" ")}]`;

/** A rule in an error text: {APIGroups:[""], Resources:["pods"], Verbs:["get"]}. */
export function compactString(rule: PolicyRule): string {
  const parts = (
    [
      ["APIGroups", rule.apiGroups],
      ["Resources", rule.resources],
      ["NonResourceURLs", rule.nonResourceURLs],
      ["ResourceNames", rule.resourceNames],
      ["Verbs", rule.verbs],
    ] as const
  ).flatMap(([name, list]) =>
    list !== undefined && list.length > 0 ? [`${name}:${quoted(list)}`] : [],
  );
  return `{${parts.join(", ")}}`;
}
