/**
 * How much of a request is written down: the first rule that matches says so.
 *
 * Shapes  apiVersion audit.k8s.io/v1, kind Policy; levels None < Metadata < Request <
 *         RequestResponse; resources name subresources as "pods/log", all of them with a star
 * Errors  one line a complaint
 * Source  apiserver pkg/audit/policy/{checker,reader,validation}.go, pkg/apis/audit/validation
 */
import type { UserInfo } from "../authentication/authenticator.ts";
import type { RequestInfo } from "../request-info.ts";

export const auditLevels = ["None", "Metadata", "Request", "RequestResponse"] as const;
export type AuditLevel = (typeof auditLevels)[number];
export const auditStages = [
  "RequestReceived",
  "ResponseStarted",
  "ResponseComplete",
  "Panic",
] as const;
export type AuditStage = (typeof auditStages)[number];

interface GroupResources {
  group?: string;
  resources?: string[];
  resourceNames?: string[];
}

export interface AuditRule {
  level?: string;
  users?: string[];
  userGroups?: string[];
  verbs?: string[];
  resources?: GroupResources[];
  namespaces?: string[];
  nonResourceURLs?: string[];
  omitStages?: string[];
  omitManagedFields?: boolean;
}

export interface AuditPolicy {
  rules: readonly AuditRule[];
  omitStages: readonly string[];
  omitManagedFields: boolean;
}

export interface AuditDecision {
  level: AuditLevel;
  omitStages: ReadonlySet<string>;
  omitManagedFields: boolean;
}

export function readAuditPolicy(tree: unknown, complaints: string[]): AuditPolicy {
  const document = (tree ?? {}) as Partial<AuditPolicy> & { apiVersion?: string; kind?: string };
  const { apiVersion, kind, rules = [], omitStages = [], omitManagedFields = false } = document;
  if (apiVersion !== "audit.k8s.io/v1" || kind !== "Policy") {
    complaints.push(`unknown group version field ${apiVersion ?? ""} in policy`);
  } else if (rules.length === 0) complaints.push("loaded illegal policy with 0 rules");
  for (const [i, rule] of rules.entries()) complaints.push(...problemsOf(rule, `rules[${i}]`));
  return { rules, omitStages, omitManagedFields };
}

function problemsOf(rule: AuditRule, at: string): string[] {
  const problems: string[] = [];
  const levels: readonly string[] = auditLevels;
  if (!levels.includes(rule.level ?? "")) {
    const names = levels
      .map((level) => JSON.stringify(level))
      .toSorted()
      .join(", ");
    const value = JSON.stringify(rule.level ?? "");
    problems.push(`${at}.level: Unsupported value: ${value}: supported values: ${names}`);
  }
  const stages: readonly string[] = auditStages;
  const unknown = (rule.omitStages ?? []).filter((stage) => !stages.includes(stage));
  for (const stage of unknown) {
    problems.push(
      `${at}.omitStages: Invalid value: ${JSON.stringify(stage)}: allowed stages are ${stages.join(",")}`,
    );
  }
  const hasResources = (rule.resources ?? []).length > 0 || (rule.namespaces ?? []).length > 0;
  if (hasResources && (rule.nonResourceURLs ?? []).length > 0) {
    problems.push(
      `${at}.nonResourceURLs: Invalid value: rules cannot apply to both regular resources and non-resource URLs`,
    );
  }
  return problems;
}

export function decideAudit(policy: AuditPolicy, user: UserInfo, info: RequestInfo): AuditDecision {
  const rule = policy.rules.find((one) => matches(one, user, info));
  return {
    level: (rule?.level ?? "None") as AuditLevel,
    omitStages: new Set([...policy.omitStages, ...(rule?.omitStages ?? [])]),
    omitManagedFields: rule?.omitManagedFields ?? policy.omitManagedFields,
  };
}

const some = (values: readonly string[] | undefined): readonly string[] | undefined =>
  values !== undefined && values.length > 0 ? values : undefined;

function matches(rule: AuditRule, { name, groups }: UserInfo, info: RequestInfo): boolean {
  if (some(rule.users)?.includes(name) === false) return false;
  if (some(rule.userGroups)?.some((group) => groups.includes(group)) === false) return false;
  if (some(rule.verbs)?.includes(info.verb) === false) return false;
  const namespaces = some(rule.namespaces);
  const resources = rule.resources ?? [];
  if (namespaces !== undefined || resources.length > 0) {
    if (!info.isResourceRequest) return false;
    if (namespaces?.includes(info.namespace) === false) return false;
    return resources.length === 0 || resources.some((one) => matchesResource(one, info));
  }
  const urls = some(rule.nonResourceURLs);
  if (urls === undefined) return true;
  return !info.isResourceRequest && urls.some((url) => matchesPath(url, info.path));
}

function matchesResource(wanted: GroupResources, info: RequestInfo): boolean {
  if ((wanted.group ?? "") !== info.apiGroup) return false;
  const resources = some(wanted.resources);
  if (resources === undefined) return true;
  const { resource, subresource } = info;
  const combined = subresource === "" ? resource : `${resource}/${subresource}`;
  const names = some(wanted.resourceNames);
  if (names?.includes(info.name) === false) return false;
  return resources.some(
    (one) =>
      one === "*" ||
      one === combined ||
      // As upstream's: the resource itself is among "pods/*".
      one === `${resource}/*` ||
      (subresource !== "" && one === `*/${subresource}`),
  );
}

function matchesPath(url: string, path: string): boolean {
  return url === "*" || url === path || (url.endsWith("*") && path.startsWith(url.slice(0, -1)));
}
