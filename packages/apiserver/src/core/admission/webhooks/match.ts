/**
 * Which requests a webhook is asked about.
 *
 * Source  apiserver pkg/admission/plugin/webhook/generic/webhook.go ShouldCallHook,
 *         …/predicates/{rules,namespace,object}
 */
import type {
  MutatingWebhook,
  RuleWithOperations,
  ValidatingWebhook,
} from "@nanokube/api/admissionregistration/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import { type KubeObject, labelSelectorToSelector, notFound } from "@nanokube/machinery";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import {
  inVersion,
  type Match,
  otherVersions,
  type ServedVersions,
  unconverted,
} from "./versions.ts";

export type Webhook = MutatingWebhook | ValidatingWebhook;

/** Who judges the judges: configurations are never sent to webhooks. */
const exempt = new Set([
  "validatingwebhookconfigurations",
  "mutatingwebhookconfigurations",
  "validatingadmissionpolicies",
  "validatingadmissionpolicybindings",
  "mutatingadmissionpolicies",
  "mutatingadmissionpolicybindings",
]);

export function isExempt({ resource }: AdmissionAttributes): boolean {
  return resource.group === "admissionregistration.k8s.io" && exempt.has(resource.plural);
}

const has = (items: readonly string[] | undefined, wanted: string): boolean =>
  (items ?? []).some((item) => item === "*" || item === wanted);

const isNamespace = ({ resource }: AdmissionAttributes): boolean =>
  resource.group === "" && resource.plural === "namespaces";

function inScope(scope: string | undefined, attributes: AdmissionAttributes): boolean {
  const isClusterWide = isNamespace(attributes) || attributes.namespace === "";
  if (scope === "Namespaced") return !isClusterWide;
  return scope === "Cluster" ? isClusterWide : true;
}

/** "pods", "pods/status", "pods/*", "*", "*\/*" */
function namesResource(pattern: string, plural: string, subresource: string): boolean {
  const slash = pattern.indexOf("/");
  const [resource, sub] =
    slash < 0 ? [pattern, ""] : [pattern.slice(0, slash), pattern.slice(slash + 1)];
  return (resource === "*" || resource === plural) && (sub === "*" || sub === subresource);
}

function isInRule(rule: RuleWithOperations, attributes: AdmissionAttributes): boolean {
  const { resource, subresource, operation } = attributes;
  if (!inScope(rule.scope, attributes)) return false;
  if (!has(rule.operations, operation) || !has(rule.apiGroups, resource.group)) return false;
  if (!has(rule.apiVersions, resource.version)) return false;
  return (rule.resources ?? []).some((each) => namesResource(each, resource.plural, subresource));
}

function selects(selector: LabelSelector | undefined, labels: Record<string, string>): boolean {
  return labelSelectorToSelector(selector ?? {}).matches(labels);
}

const isEmpty = (selector: LabelSelector | undefined): boolean =>
  !selector?.matchExpressions?.length && Object.keys(selector?.matchLabels ?? {}).length === 0;

const labelsOf = (object: KubeObject | undefined): Record<string, string> =>
  (object?.metadata?.labels ?? {}) as Record<string, string>;

export async function namespaceMatches(
  selector: LabelSelector | undefined,
  attributes: AdmissionAttributes,
  reader: ObjectReader,
): Promise<boolean> {
  const { namespace, operation, subresource, object } = attributes;
  if (isEmpty(selector)) return true;
  if (isNamespace(attributes)) {
    if (subresource === "" && (operation === "CREATE" || operation === "UPDATE")) {
      return selects(selector, labelsOf(object));
    }
  } else if (namespace === "") return true;
  const name = namespace || attributes.name;
  const found = await reader.get("", "namespaces", "", name);
  if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, name);
  return selects(selector, labelsOf(found));
}

export function objectMatches(
  selector: LabelSelector | undefined,
  { object, oldObject }: AdmissionAttributes,
): boolean {
  if (isEmpty(selector)) return true;
  return [object, oldObject].some((each) => each && selects(selector, labelsOf(each)));
}

/** The request as the webhook wants to see it; undefined when it is not asked. */
export async function matchFor(
  webhook: Webhook,
  attributes: AdmissionAttributes,
  reader: ObjectReader,
  served: ServedVersions,
): Promise<Match | undefined> {
  const rules = webhook.rules ?? [];
  const match = await matchRules(rules, webhook.matchPolicy, attributes, served);
  if (match === undefined) return undefined;
  const selector = webhook.namespaceSelector as LabelSelector | undefined;
  if (!(await namespaceMatches(selector, attributes, reader))) return undefined;
  if (!objectMatches(webhook.objectSelector as LabelSelector | undefined, attributes)) {
    return undefined;
  }
  return match;
}

/** `names` of a rule narrow it to some objects. */
export async function matchRules(
  rules: readonly (RuleWithOperations & { resourceNames?: string[] })[],
  policy: string | undefined,
  attributes: AdmissionAttributes,
  served: ServedVersions,
): Promise<Match | undefined> {
  const isNamed = ({ resourceNames = [] }: { resourceNames?: string[] }) =>
    resourceNames.length === 0 || resourceNames.includes(attributes.name);
  const named = rules.filter(isNamed);
  if (named.some((rule) => isInRule(rule, attributes))) return unconverted(attributes);
  if (policy === "Exact") return undefined;
  const others = otherVersions(served, attributes.resource);
  for (const rule of named) {
    const other = others.find(({ info }) => isInRule(rule, { ...attributes, resource: info }));
    if (other !== undefined) return inVersion(attributes, served, other);
  }
  return undefined;
}
