/**
 * PodSecurity: a namespace's labels say how much its pods may ask for.
 *
 * Source  staging/src/k8s.io/pod-security-admission/admission/admission.go,
 *         plugin/pkg/admission/security/podsecurity/admission.go
 */
import type { Container, Pod, PodTemplateSpec } from "@nanokube/api/core/v1";
import { internalError, invalid, type KubeObject, type ObjectMeta } from "@nanokube/machinery";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../plugin.ts";
import { isFor, refuse } from "../refuse.ts";
import { type PodToCheck, podToCheck } from "./check.ts";
import {
  detailText,
  type Policy,
  policyOf,
  type Standard,
  standardText,
  strictness,
  violations,
} from "./policy.ts";

/** Pods of one namespace that are looked at when its level rises. */
const maxPods = 3000;

const ignoredSubresources = new Set(
  "exec attach binding eviction log portforward proxy status".split(" "),
);

const templateOwners = new Set([
  "/podtemplates",
  "/replicationcontrollers",
  "apps/daemonsets",
  "apps/deployments",
  "apps/replicasets",
  "apps/statefulsets",
  "batch/cronjobs",
  "batch/jobs",
]);

interface TemplateOwner extends KubeObject {
  template?: PodTemplateSpec;
  spec?: {
    template?: PodTemplateSpec;
    jobTemplate?: { spec?: { template?: PodTemplateSpec } };
  };
}

function templateOf(object: TemplateOwner): PodTemplateSpec | undefined {
  return object.template ?? object.spec?.template ?? object.spec?.jobTemplate?.spec?.template;
}

const text = (standard: Standard, detail: string) =>
  `violate PodSecurity "${standardText(standard)}": ${detail}`;

const domain = "pod-security.kubernetes.io";

function warnOf({ warn, annotate }: AdmissionAttributes, policy: Policy, pod: PodToCheck): void {
  const audited = violations(policy.audit, pod);
  if (audited.length > 0) {
    const would = `would ${text(policy.audit, detailText(audited))}`;
    annotate?.(`${domain}/audit-violations`, would);
  }
  const found = violations(policy.warn, pod);
  if (found.length > 0) warn(`would ${text(policy.warn, detailText(found))}`);
}

const images = (containers: readonly Container[] | undefined) =>
  (containers ?? []).map((container) => container.image ?? "").join("\n");

/** Only images and ephemeral containers can change what a pod may do. */
function isSignificant(pod: Pod, old: Pod): boolean {
  if (images(pod.spec?.containers) !== images(old.spec?.containers)) return true;
  if (images(pod.spec?.initContainers) !== images(old.spec?.initContainers)) return true;
  const before = new Map((old.spec?.ephemeralContainers ?? []).map((c) => [c.name, c.image]));
  return (pod.spec?.ephemeralContainers ?? []).some(
    (c) => !before.has(c.name) || before.get(c.name) !== c.image,
  );
}

async function policyFor(attributes: AdmissionAttributes, reader: ObjectReader) {
  const namespace = await reader.get("", "namespaces", "", attributes.namespace);
  if (namespace === undefined) {
    throw internalError(`failed to lookup namespace "${attributes.namespace}"`);
  }
  return policyOf(namespace.metadata?.labels as Record<string, string> | undefined);
}

async function checkPod(attributes: AdmissionAttributes, reader: ObjectReader) {
  if (ignoredSubresources.has(attributes.subresource)) return;
  const policy = await policyFor(attributes, reader);
  const { enforce, audit, warn } = policy;
  const enforced = () => attributes.annotate?.(`${domain}/enforce-policy`, standardText(enforce));
  if (strictness(enforce) + strictness(audit) + strictness(warn) === 0) {
    enforced();
    return;
  }
  const pod = attributes.object as Pod;
  const isUpdate = attributes.operation === "UPDATE";
  if (isUpdate && !isSignificant(pod, attributes.oldObject as Pod)) return;
  enforced();
  const target = podToCheck(pod.metadata ?? {}, pod.spec ?? {});
  const found = violations(enforce, target);
  if (found.length > 0) {
    const why = `violates PodSecurity "${standardText(enforce)}": ${detailText(found)}`;
    throw refuse(attributes, why);
  }
  warnOf(attributes, policy, target);
}

async function checkTemplate(attributes: AdmissionAttributes, reader: ObjectReader) {
  const template = templateOf(attributes.object as TemplateOwner);
  if (template === undefined) return;
  const policy = await policyFor(attributes, reader);
  const metadata = (template.metadata ?? {}) as ObjectMeta;
  warnOf(attributes, policy, podToCheck(metadata, template.spec ?? {}));
}

function prioritized(pods: readonly KubeObject[]): Pod[] {
  const seen = new Set<string>();
  const [first, more]: [Pod[], Pod[]] = [[], []];
  for (const pod of pods as readonly Pod[]) {
    const owner = pod.metadata?.ownerReferences?.find((reference) => reference.controller)?.uid;
    if (owner !== undefined && seen.has(owner)) more.push(pod);
    else first.push(pod);
    if (owner !== undefined) seen.add(owner);
  }
  return [...first, ...more];
}

async function warnOfExistingPods(
  { name, warn }: AdmissionAttributes,
  enforce: Standard,
  reader: ObjectReader,
): Promise<void> {
  const pods = prioritized(await reader.list("", "pods", name));
  const byReason = new Map<string, string[]>();
  for (const pod of pods.slice(0, maxPods)) {
    const found = violations(enforce, podToCheck(pod.metadata ?? {}, pod.spec ?? {}));
    if (found.length === 0) continue;
    const reason = found.map((violation) => violation.reason).join(", ");
    byReason.set(reason, [...(byReason.get(reason) ?? []), pod.metadata?.name ?? ""]);
  }
  if (pods.length > maxPods) {
    const part = `the first ${maxPods} of ${pods.length} existing pods`;
    warn(`new PodSecurity enforce level only checked against ${part}`);
  }
  if (byReason.size === 0) return;
  const level = `the new PodSecurity enforce level "${standardText(enforce)}"`;
  warn(`existing pods in namespace "${name}" violate ${level}`);
  const lines = [...byReason].map(([reason, names]) => {
    const others = names.length - 1;
    const more = others === 0 ? "" : ` (and ${others} other ${others === 1 ? "pod" : "pods"})`;
    return `${names.sort()[0]}${more}: ${reason}`;
  });
  for (const line of lines.sort()) warn(line);
}

async function checkNamespace(attributes: AdmissionAttributes, reader: ObjectReader) {
  const { operation, object, oldObject, name } = attributes;
  const labelsOf = (namespace: KubeObject | undefined) =>
    policyOf(namespace?.metadata?.labels as Record<string, string> | undefined);
  const now = labelsOf(object);
  const before = labelsOf(oldObject);
  const same = JSON.stringify(now.errors) === JSON.stringify(before.errors);
  if (now.errors.length > 0 && (operation === "CREATE" || !same)) {
    throw invalid({ group: "", kind: "Namespace" }, name || (object?.metadata?.name ?? ""), [
      ...now.errors,
    ]);
  }
  if (operation !== "UPDATE" || standardText(now.enforce) === standardText(before.enforce)) return;
  if (now.enforce.level === "privileged") return;
  const sameVersion = now.enforce.version === before.enforce.version;
  if (sameVersion && strictness(now.enforce) <= strictness(before.enforce)) return;
  await warnOfExistingPods(attributes, now.enforce, reader);
}

export const podSecurity: AdmissionPlugin = {
  name: "PodSecurity",
  handles({ operation, resource, subresource }) {
    if (operation !== "CREATE" && operation !== "UPDATE") return false;
    const key = `${resource.group}/${resource.plural}`;
    if (key === "/pods") return true;
    return subresource === "" && (key === "/namespaces" || templateOwners.has(key));
  },
  validate(attributes, reader) {
    if (isFor(attributes, "", "namespaces")) return checkNamespace(attributes, reader);
    if (attributes.resource.plural === "pods") return checkPod(attributes, reader);
    return checkTemplate(attributes, reader);
  },
};
