/**
 * Nobody may give away, by a role or a binding, what they do not hold themselves.
 *
 * Members of system:masters may; so may who is allowed to "escalate" the role, or to "bind" it.
 *
 * Source  pkg/registry/rbac/escalation_check.go, pkg/registry/rbac/<kind>/policybased/storage.go,
 *         pkg/registry/rbac/validation/rule.go ConfirmNoEscalation
 */
import type { ClusterRole, PolicyRule, RoleBinding } from "@nanokube/api/rbac/v1";
import { forbidden, type KubeObject, notFound } from "@nanokube/machinery";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { Authorizer } from "./authorizer.ts";
import type { RBAC } from "./rbac.ts";
import { compactString, uncovered } from "./rules.ts";

const group = "rbac.authorization.k8s.io";

export interface RoleWrite {
  user: UserInfo;
  plural: "roles" | "clusterroles" | "rolebindings" | "clusterrolebindings";
  namespace: string;
  object: KubeObject;
  old?: KubeObject;
}

export interface EscalationDeps {
  authorizer: Authorizer;
  rbac: RBAC;
}

async function isAllowed(
  deps: EscalationDeps,
  write: RoleWrite,
  verb: string,
  resource: string,
  name: string,
): Promise<boolean> {
  const { decision } = await deps.authorizer.authorize({
    user: write.user,
    verb,
    resourceRequest: true,
    namespace: write.namespace,
    apiGroup: group,
    apiVersion: "*",
    resource,
    subresource: "",
    name,
    path: "",
  });
  return decision === "allow";
}

async function confirm(
  deps: EscalationDeps,
  write: RoleWrite,
  rules: readonly PolicyRule[],
): Promise<void> {
  const held = await deps.rbac.rulesHeld(write.user, write.namespace);
  const missing = uncovered(held, rules);
  if (missing.length === 0) return;
  const { user } = write;
  const texts = [...new Set(missing.map(compactString))].sort().join("\n");
  const groups = user.groups.map((name) => JSON.stringify(name)).join(" ");
  const why =
    `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC ` +
    `permissions not currently held:\n${texts}`;
  throw forbidden({ group, resource: write.plural }, write.object.metadata?.name ?? "", why);
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

async function checkRole(deps: EscalationDeps, write: RoleWrite): Promise<void> {
  const role = write.object as ClusterRole;
  const old = write.old as ClusterRole | undefined;
  const unchanged =
    old !== undefined &&
    same(role.rules, old.rules) &&
    same(role.aggregationRule, old.aggregationRule);
  if (unchanged) return;
  const name = old === undefined ? "" : (role.metadata?.name ?? "");
  if (await isAllowed(deps, write, "escalate", write.plural, name)) return;
  const rules = [...(role.rules ?? [])];
  // Whoever aggregates may collect every rule there is.
  if (role.aggregationRule !== undefined && role.aggregationRule !== null) {
    const all = [
      { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
      { verbs: ["*"], nonResourceURLs: ["*"] },
    ];
    const held = await deps.rbac.rulesHeld(write.user, "");
    if (uncovered(held, all).length > 0) {
      const why = "must have cluster-admin privileges to use an aggregationRule";
      throw forbidden({ group, resource: write.plural }, role.metadata?.name ?? "", why);
    }
  }
  await confirm(deps, write, rules);
}

async function checkBinding(deps: EscalationDeps, write: RoleWrite): Promise<void> {
  const binding = write.object as RoleBinding;
  const old = write.old as RoleBinding | undefined;
  if (
    old !== undefined &&
    same(binding.roleRef, old.roleRef) &&
    same(binding.subjects, old.subjects)
  ) {
    return;
  }
  const { kind = "", name = "" } = binding.roleRef ?? {};
  const resource = kind === "Role" ? "roles" : "clusterroles";
  if (await isAllowed(deps, write, "bind", resource, name)) return;
  const rules = await deps.rbac.rulesOfRole(kind, name, write.namespace);
  if (rules === undefined) throw notFound({ group, resource }, name);
  await confirm(deps, write, rules);
}

/** Throws the 403 (or the 404 of an unknown role) when the write would escalate. */
export async function checkEscalation(deps: EscalationDeps, write: RoleWrite): Promise<void> {
  if (write.user.groups.includes("system:masters")) return;
  if (write.plural.endsWith("bindings")) await checkBinding(deps, write);
  else await checkRole(deps, write);
}
