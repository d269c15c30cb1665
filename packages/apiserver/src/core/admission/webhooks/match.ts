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
import {
  internalError,
  type KubeObject,
  labelSelectorToSelector,
  notFound,
} from "@nanokube/machinery";
import type { AdmissionAttributes, AdmissionReader } from "../plugin.ts";
import { find } from "../refuse.ts";

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

/** "other": the rule speaks of the same resource in another version. */
function ruleMatch(rule: RuleWithOperations, attributes: AdmissionAttributes) {
  const { resource, subresource, operation } = attributes;
  if (!inScope(rule.scope, attributes)) return "no";
  if (!has(rule.operations, operation) || !has(rule.apiGroups, resource.group)) return "no";
  if (!(rule.resources ?? []).some((p) => namesResource(p, resource.plural, subresource))) {
    return "no";
  }
  return has(rule.apiVersions, resource.version) ? "yes" : "other";
}

function selects(selector: LabelSelector | undefined, labels: Record<string, string>): boolean {
  return labelSelectorToSelector(selector ?? {}).matches(labels);
}

const isEmpty = (selector: LabelSelector | undefined): boolean =>
  !selector?.matchExpressions?.length && Object.keys(selector?.matchLabels ?? {}).length === 0;

const labelsOf = (object: KubeObject | undefined): Record<string, string> =>
  (object?.metadata?.labels ?? {}) as Record<string, string>;

async function namespaceMatches(
  selector: LabelSelector | undefined,
  attributes: AdmissionAttributes,
  reader: AdmissionReader,
): Promise<boolean> {
  const { namespace, operation, subresource, object } = attributes;
  if (isEmpty(selector)) return true;
  if (isNamespace(attributes)) {
    if (subresource === "" && (operation === "CREATE" || operation === "UPDATE")) {
      return selects(selector, labelsOf(object));
    }
  } else if (namespace === "") return true;
  const name = namespace || attributes.name;
  const found = await find(reader, "", "namespaces", "", name);
  if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, name);
  return selects(selector, labelsOf(found));
}

function objectMatches(
  selector: LabelSelector | undefined,
  { object, oldObject }: AdmissionAttributes,
): boolean {
  if (isEmpty(selector)) return true;
  return [object, oldObject].some((each) => each && selects(selector, labelsOf(each)));
}

/** @throws when the webhook wants the object in a version that it does not have here */
export async function isAskedAbout(
  webhook: Webhook,
  attributes: AdmissionAttributes,
  reader: AdmissionReader,
): Promise<boolean> {
  const matches = (webhook.rules ?? []).map((rule) => ruleMatch(rule, attributes));
  const isExact = webhook.matchPolicy === "Exact";
  if (!matches.includes("yes") && (isExact || !matches.includes("other"))) return false;
  if (!objectMatches(webhook.objectSelector as LabelSelector | undefined, attributes)) return false;
  const selector = webhook.namespaceSelector as LabelSelector | undefined;
  if (!(await namespaceMatches(selector, attributes, reader))) return false;
  if (matches.includes("yes")) return true;
  const { group, version, plural } = attributes.resource;
  const what = `${plural}.${version}.${group}`;
  throw internalError(`webhook "${webhook.name}" wants another version of ${what}: not converted`);
}
