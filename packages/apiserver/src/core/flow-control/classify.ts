/**
 * Which flow does a request belong to? The matching FlowSchema of the least precedence number; of
 * equal ones the first by name.
 *
 * Source  apiserver pkg/util/flowcontrol/{rule,format}.go, pkg/apis/flowcontrol
 */
import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from "@nanokube/api/flowcontrol/v1";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { RequestInfo } from "../request-info.ts";

export function inOrder(schemas: readonly FlowSchema[]): FlowSchema[] {
  return schemas.toSorted((a, b) => {
    const first = (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0);
    return first !== 0 ? first : (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
  });
}

export function matchesSchema(schema: FlowSchema, user: UserInfo, info: RequestInfo): boolean {
  return (schema.spec?.rules ?? []).some((rule) => matchesRule(rule, user, info));
}

/** What flows of one schema are told apart by. */
export function distinguisher(schema: FlowSchema, user: UserInfo, info: RequestInfo): string {
  const type = schema.spec?.distinguisherMethod?.type;
  if (type === "ByUser") return user.name;
  return type === "ByNamespace" ? info.namespace : "";
}

function matchesRule(rule: PolicyRulesWithSubjects, user: UserInfo, info: RequestInfo): boolean {
  if (!(rule.subjects ?? []).some((subject) => matchesSubject(subject, user))) return false;
  return info.isResourceRequest
    ? (rule.resourceRules ?? []).some((one) => matchesResource(one, info))
    : (rule.nonResourceRules ?? []).some((one) => matchesPath(one, info));
}

function matchesSubject({ kind, ...subject }: Subject, { name, groups }: UserInfo): boolean {
  if (kind === "User") return ["*", name].includes(subject.user?.name ?? "");
  if (kind === "Group") {
    const wanted = subject.group?.name ?? "";
    return wanted === "*" || groups.includes(wanted);
  }
  const { namespace = "", name: account = "" } = subject.serviceAccount ?? {};
  const prefix = `system:serviceaccount:${namespace}:`;
  return account === "*" ? name.startsWith(prefix) : name === prefix + account;
}

function has(values: readonly string[] | undefined, value: string): boolean {
  return values?.some((one) => one === "*" || one === value) ?? false;
}

function matchesResource(rule: ResourcePolicyRule, info: RequestInfo): boolean {
  const { resource, subresource, namespace } = info;
  const name = subresource === "" ? resource : `${resource}/${subresource}`;
  if (!has(rule.verbs, info.verb) || !has(rule.apiGroups, info.apiGroup)) return false;
  if (!has(rule.resources, name)) return false;
  return namespace === "" ? rule.clusterScope === true : has(rule.namespaces, namespace);
}

/** "/healthz/*" is everything below, "/healthz" itself only. */
function matchesPath(rule: NonResourcePolicyRule, { verb, path }: RequestInfo): boolean {
  if (!has(rule.verbs, verb)) return false;
  return (rule.nonResourceURLs ?? []).some(
    (url) =>
      url === "*" || url === path || (url.endsWith("/*") && path.startsWith(url.slice(0, -1))),
  );
}
