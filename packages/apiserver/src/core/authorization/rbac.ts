/**
 * RBAC: rules that roles hold and bindings give to users, groups and service accounts.
 *
 * Bindings are indexed by subject: a request looks only at its own user's and groups' rules.
 * The index is thrown away when a role or binding changes (ObjectReader.generation).
 *
 * Source  plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go
 */
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RoleBinding,
  Subject,
} from "@nanokube/api/rbac/v1";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { ObjectReader } from "../object-reader.ts";
import type {
  AuthorizationAttributes,
  AuthorizationResult,
  Authorizer,
  RulesForUser,
} from "./authorizer.ts";
import { ruleAllows } from "./rules.ts";

const group = "rbac.authorization.k8s.io";
const plurals = ["clusterroles", "clusterrolebindings", "roles", "rolebindings"] as const;

interface Grant {
  /** "" holds everywhere. */
  namespace: string;
  rules: readonly PolicyRule[];
  /** The binding in the words of the audit log. */
  source: string;
}

interface Index {
  generation: number;
  grants: Map<string, Grant[]>;
  rulesOf: Map<string, readonly PolicyRule[]>;
}

export interface RBAC extends Authorizer {
  rulesFor(user: UserInfo, namespace: string): Promise<RulesForUser>;
  /** Rules a user holds in a namespace ("" for cluster-wide ones only). */
  rulesHeld(user: UserInfo, namespace: string): Promise<PolicyRule[]>;
  /** Rules of the role a binding refers to; undefined when there is no such role. */
  rulesOfRole(
    kind: string,
    name: string,
    namespace: string,
  ): Promise<readonly PolicyRule[] | undefined>;
}

function subjectKeys(subject: Subject, namespace: string): string[] {
  if (subject.kind === "User") return [`u:${subject.name}`];
  if (subject.kind === "Group") return [`g:${subject.name}`];
  const own = subject.namespace || namespace;
  if (subject.kind !== "ServiceAccount" || own === "") return [];
  return [`u:system:serviceaccount:${own}:${subject.name}`];
}

function describe(binding: RoleBinding | ClusterRoleBinding, subject: Subject): string {
  const { name = "", namespace = "" } = binding.metadata ?? {};
  const [kind, full] =
    namespace === "" ? ["ClusterRoleBinding", name] : ["RoleBinding", `${name}/${namespace}`];
  const who =
    subject.kind === "ServiceAccount"
      ? `${subject.name}/${subject.namespace || namespace}`
      : (subject.name ?? "");
  const { roleRef } = binding;
  return `${kind} "${full}" of ${roleRef?.kind} "${roleRef?.name}" to ${subject.kind} "${who}"`;
}

const roleKey = (kind: string, namespace: string, name: string) =>
  kind === "Role" ? `Role/${namespace}/${name}` : `${kind}//${name}`;

async function buildIndex(reader: ObjectReader, generation: number): Promise<Index> {
  const [clusterRoles, clusterBindings, roles, bindings] = await Promise.all(
    plurals.map((plural) => reader.list(group, plural)),
  );
  const rulesOf = new Map<string, readonly PolicyRule[]>();
  for (const role of (clusterRoles ?? []) as ClusterRole[]) {
    rulesOf.set(roleKey("ClusterRole", "", role.metadata?.name ?? ""), role.rules ?? []);
  }
  for (const role of (roles ?? []) as ClusterRole[]) {
    const { namespace = "", name = "" } = role.metadata ?? {};
    rulesOf.set(roleKey("Role", namespace, name), role.rules ?? []);
  }
  const grants = new Map<string, Grant[]>();
  for (const binding of [...(clusterBindings ?? []), ...(bindings ?? [])] as RoleBinding[]) {
    const namespace = binding.metadata?.namespace ?? "";
    const { kind = "", name = "" } = binding.roleRef ?? {};
    const rules = rulesOf.get(roleKey(kind, namespace, name));
    if (rules === undefined) continue;
    for (const subject of binding.subjects ?? []) {
      for (const key of subjectKeys(subject, namespace)) {
        const grant = { namespace, rules, source: describe(binding, subject) };
        const list = grants.get(key);
        if (list === undefined) grants.set(key, [grant]);
        else list.push(grant);
      }
    }
  }
  return { generation, grants, rulesOf };
}

function* grantsOf(index: Index, user: UserInfo, namespace: string): Generator<Grant> {
  const keys = [`u:${user.name}`, ...user.groups.map((name) => `g:${name}`)];
  for (const key of keys) {
    for (const grant of index.grants.get(key) ?? []) {
      if (grant.namespace === "" || grant.namespace === namespace) yield grant;
    }
  }
}

export function createRBAC(reader: ObjectReader): RBAC {
  let current: Promise<Index> | undefined;
  let currentGeneration = -1;

  /** A stale index is dropped; concurrent requests share the one that is being built. */
  const index = (): Promise<Index> => {
    const generation = plurals.reduce((sum, plural) => sum + reader.generation(group, plural), 0);
    if (current === undefined || generation !== currentGeneration) {
      currentGeneration = generation;
      current = buildIndex(reader, generation);
      current.catch(() => {
        current = undefined;
      });
    }
    return current;
  };

  const rulesHeld = async (user: UserInfo, namespace: string): Promise<PolicyRule[]> =>
    [...grantsOf(await index(), user, namespace)].flatMap((grant) => [...grant.rules]);

  return {
    rulesHeld,
    async authorize(attributes: AuthorizationAttributes): Promise<AuthorizationResult> {
      const built = await index();
      for (const grant of grantsOf(built, attributes.user, attributes.namespace)) {
        if (grant.rules.some((rule) => ruleAllows(rule, attributes))) {
          return { decision: "allow", reason: `RBAC: allowed by ${grant.source}` };
        }
      }
      return { decision: "noOpinion", reason: "" };
    },
    async rulesFor(user, namespace) {
      const rules = await rulesHeld(user, namespace);
      return {
        resourceRules: rules.filter((rule) => (rule.resources ?? []).length > 0),
        nonResourceRules: rules.filter((rule) => (rule.nonResourceURLs ?? []).length > 0),
        incomplete: false,
      };
    },
    async rulesOfRole(kind, name, namespace) {
      return (await index()).rulesOf.get(roleKey(kind, namespace, name));
    },
  };
}
