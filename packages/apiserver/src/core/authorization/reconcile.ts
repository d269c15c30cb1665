/**
 * At start-up the bootstrap policy is put back: what is missing is created, missing rules and
 * subjects are added, what is more is left alone. An object says "no" by the annotation
 * rbac.authorization.kubernetes.io/autoupdate: "false".
 *
 * Source  staging/src/k8s.io/component-helpers/auth/rbac/reconciliation/*.go
 */
import type { ClusterRole, PolicyRule, RoleBinding } from "@nanokube/api/rbac/v1";
import type { KubeObject } from "@nanokube/machinery";
import type { ObjectReader } from "../object-reader.ts";
import { autoUpdate } from "./bootstrap/parse.ts";
import { bootstrapPolicy } from "./bootstrap/policy.ts";
import { uncovered } from "./rules.ts";

export interface PolicyWriter extends Pick<ObjectReader, "get"> {
  create(group: string, plural: string, namespace: string, object: KubeObject): Promise<void>;
  update(group: string, plural: string, namespace: string, object: KubeObject): Promise<void>;
  delete(group: string, plural: string, namespace: string, name: string): Promise<void>;
}

export type Step = "create" | "update" | "recreate" | "none";

function merged<T>(expected: Record<string, T> | undefined, own: Record<string, T> | undefined) {
  return { ...expected, ...own };
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** `existing` with what it lacks; `changed` says whether it lacked anything. */
function withMetadata(existing: KubeObject, expected: KubeObject): [KubeObject, boolean] {
  const labels = merged(expected.metadata?.labels, existing.metadata?.labels);
  const annotations = merged(expected.metadata?.annotations, existing.metadata?.annotations);
  const missing =
    Object.keys(labels).length !== Object.keys(existing.metadata?.labels ?? {}).length ||
    Object.keys(annotations).length !== Object.keys(existing.metadata?.annotations ?? {}).length;
  return [{ ...existing, metadata: { ...existing.metadata, labels, annotations } }, missing];
}

function isProtected(existing: KubeObject): boolean {
  return existing.metadata?.annotations?.[autoUpdate] === "false";
}

export function reconcileRole(
  existing: KubeObject | undefined,
  expected: KubeObject,
): [Step, KubeObject] {
  if (existing === undefined) return ["create", expected];
  if (isProtected(existing)) return ["none", existing];
  const [role, lacked] = withMetadata(existing, expected) as [ClusterRole, boolean];
  let changed = lacked;
  const owned: PolicyRule[] = role.rules ?? [];
  const missing = uncovered(owned, (expected as ClusterRole).rules ?? []);
  if (missing.length > 0) {
    role.rules = [...owned, ...missing];
    changed = true;
  }
  const wanted = (expected as ClusterRole).aggregationRule;
  if (wanted === undefined && role.aggregationRule !== undefined) {
    delete role.aggregationRule;
    changed = true;
  } else if (wanted !== undefined) {
    const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
    const added = (wanted.clusterRoleSelectors ?? []).filter(
      (one) => !selectors.some((own) => same(own, one)),
    );
    if (added.length > 0) {
      role.aggregationRule = { clusterRoleSelectors: [...selectors, ...added] };
      changed = true;
    }
  }
  return [changed ? "update" : "none", role as KubeObject];
}

export function reconcileBinding(
  existing: KubeObject | undefined,
  expected: KubeObject,
): [Step, KubeObject] {
  if (existing === undefined) return ["create", expected];
  if (isProtected(existing)) return ["none", existing];
  // A binding's role cannot change, so that another role means another binding.
  if (!same(existing.roleRef, expected.roleRef)) return ["recreate", expected];
  const [binding, lacked] = withMetadata(existing, expected) as [RoleBinding, boolean];
  const key = (s: { kind?: string; name?: string; namespace?: string }) =>
    `${s.kind}/${s.namespace ?? ""}/${s.name}`;
  const subjects = binding.subjects ?? [];
  const added = ((expected as RoleBinding).subjects ?? []).filter(
    (one) => !subjects.some((own) => key(own) === key(one)),
  );
  if (added.length > 0) binding.subjects = [...subjects, ...added];
  return [lacked || added.length > 0 ? "update" : "none", binding as KubeObject];
}

/** Writes the whole policy; namespaces kube-system and kube-public must exist. */
export async function reconcileBootstrapPolicy(writer: PolicyWriter): Promise<void> {
  const group = "rbac.authorization.k8s.io";
  const policy = bootstrapPolicy();
  const work = [
    ["clusterroles", policy.clusterRoles, reconcileRole],
    ["clusterrolebindings", policy.clusterRoleBindings, reconcileBinding],
    ["roles", policy.roles, reconcileRole],
    ["rolebindings", policy.roleBindings, reconcileBinding],
  ] as const;
  await Promise.all(
    work.flatMap(([plural, objects, reconcile]) =>
      objects.map(async (expected) => {
        const { namespace = "", name = "" } = expected.metadata ?? {};
        const existing = await writer.get(group, plural, namespace, name);
        const [step, object] = reconcile(existing, expected);
        if (step === "recreate") await writer.delete(group, plural, namespace, name);
        if (step === "create" || step === "recreate") {
          await writer.create(group, plural, namespace, object);
        }
        if (step === "update") await writer.update(group, plural, namespace, object);
      }),
    ),
  );
}
