/**
 * The bootstrap policy's compact text, read into RBAC objects.
 *
 * Shapes  role:  `name [to=X] [from=Y]`       to: aggregated into ClusterRole X; from: aggregates Y
 *         rule:  `  verbs groups:resources[#names]` or `  verbs /url,…`; commas separate, the core
 *                group is empty; four spaces continue the line before
 *         bind:  `[namespace/]name RoleKind:role Kind:[namespace/]subject …`
 * Source  plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go (addClusterRoleLabel)
 */
import type { PolicyRule, Subject } from "@nanokube/api/rbac/v1";
import type { KubeObject } from "@nanokube/machinery";

const apiVersion = "rbac.authorization.k8s.io/v1";
const apiGroup = "rbac.authorization.k8s.io";
const aggregatePrefix = "rbac.authorization.k8s.io/aggregate-to-";
export const autoUpdate = "rbac.authorization.kubernetes.io/autoupdate";

function metadata(name: string, namespace: string, labels: Record<string, string> = {}) {
  return {
    name,
    ...(namespace === "" ? {} : { namespace }),
    labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels },
    annotations: { [autoUpdate]: "true" },
  };
}

export function parseRule(line: string): PolicyRule {
  const space = line.indexOf(" ");
  const verbs = line.slice(0, space).split(",");
  const target = line.slice(space + 1);
  const colon = target.indexOf(":");
  if (colon < 0) return { verbs, nonResourceURLs: target.split(",") };
  const [resources = "", names] = target.slice(colon + 1).split("#");
  const rule: PolicyRule = {
    verbs,
    apiGroups: target.slice(0, colon).split(","),
    resources: resources.split(","),
  };
  if (names !== undefined) rule.resourceNames = names.split(",");
  return rule;
}

function splitName(full: string): [string, string] {
  const slash = full.indexOf("/");
  return slash < 0 ? ["", full] : [full.slice(0, slash), full.slice(slash + 1)];
}

function newRole(line: string): KubeObject & { rules?: PolicyRule[] } {
  const [full = "", ...options] = line.split(" ");
  const [namespace, name] = splitName(full);
  const labels: Record<string, string> = {};
  const role: KubeObject & { rules?: PolicyRule[] } = { apiVersion, kind: "ClusterRole" };
  for (const option of options) {
    const [key, value = ""] = option.split("=");
    if (key === "to") labels[aggregatePrefix + value] = "true";
    else {
      const matchLabels = { [aggregatePrefix + value]: "true" };
      role.aggregationRule = { clusterRoleSelectors: [{ matchLabels }] };
    }
  }
  if (namespace !== "") role.kind = "Role";
  role.metadata = metadata(name, namespace, labels);
  return role;
}

export function parseRoles(text: string): KubeObject[] {
  const roles: (KubeObject & { rules?: PolicyRule[] })[] = [];
  const lines = text.replaceAll("\n    ", "").split("\n");
  for (const line of lines) {
    if (line === "") continue;
    if (!line.startsWith("  ")) roles.push(newRole(line));
    else {
      const role = roles.at(-1);
      if (role !== undefined) role.rules = [...(role.rules ?? []), parseRule(line.trim())];
    }
  }
  return roles;
}

function parseSubject(text: string): Subject {
  const colon = text.indexOf(":");
  const kind = text.slice(0, colon);
  const rest = text.slice(colon + 1);
  if (kind !== "ServiceAccount") return { apiGroup, kind, name: rest };
  const [namespace, name] = splitName(rest);
  return { kind, name, namespace };
}

export function parseBindings(text: string): KubeObject[] {
  return text
    .replaceAll("\n  ", " ")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [full = "", role = "", ...subjects] = line.trim().split(" ");
      const [namespace, name] = splitName(full);
      const colon = role.indexOf(":");
      const roleRef = { apiGroup, kind: role.slice(0, colon), name: role.slice(colon + 1) };
      const kind = namespace === "" ? "ClusterRoleBinding" : "RoleBinding";
      const binding: KubeObject = {
        apiVersion,
        kind,
        metadata: metadata(name, namespace),
        roleRef,
      };
      if (subjects.length > 0) binding.subjects = subjects.map(parseSubject);
      return binding;
    });
}
