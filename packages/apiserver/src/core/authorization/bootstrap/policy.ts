/**
 * Upstream's bootstrap policy: the roles and bindings that a cluster starts with.
 *
 * Source  plugin/pkg/auth/authorizer/rbac/bootstrappolicy/*policy.go
 */
import type { KubeObject } from "@nanokube/machinery";
import { bindings } from "./bindings.ts";
import { componentRoles } from "./component-roles.ts";
import { controllerRoles } from "./controller-roles.ts";
import { namespaceRoles } from "./namespace-roles.ts";
import { parseBindings, parseRoles } from "./parse.ts";
import { userRoles } from "./user-roles.ts";

const controllerPrefix = "system:controller:";

function controllerBindings(roles: readonly KubeObject[]): KubeObject[] {
  const lines = roles.map((role) => {
    const name = role.metadata?.name ?? "";
    const account = name.slice(controllerPrefix.length);
    return `${name} ClusterRole:${name} ServiceAccount:kube-system/${account}`;
  });
  return parseBindings(lines.join("\n"));
}

export interface BootstrapPolicy {
  clusterRoles: KubeObject[];
  clusterRoleBindings: KubeObject[];
  roles: KubeObject[];
  roleBindings: KubeObject[];
}

/** Fresh objects on every call: callers may change them. */
export function bootstrapPolicy(): BootstrapPolicy {
  const controllers = parseRoles(controllerRoles);
  const bound = parseBindings(bindings);
  return {
    clusterRoles: [...parseRoles(userRoles), ...parseRoles(componentRoles), ...controllers],
    clusterRoleBindings: [
      ...bound.filter((binding) => binding.kind === "ClusterRoleBinding"),
      ...controllerBindings(controllers),
    ],
    roles: parseRoles(namespaceRoles),
    roleBindings: bound.filter((binding) => binding.kind === "RoleBinding"),
  };
}
