/**
 * What a kubelet may change on its own Node: not its taints, not its owners, and only labels that
 * cannot steer work.
 *
 * Source  plugin/pkg/admission/noderestriction/admission.go admitNode,
 *         staging/src/k8s.io/kubelet/pkg/apis/well_known_labels.go
 */
import type { Node } from "@nanokube/api/core/v1";
import { quoteGo } from "@nanokube/machinery";
import { semanticEqual } from "../../../resources/semantic-equal.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import { refuse } from "../refuse.ts";

const kubeletLabels = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
]);

const within = (domain: string, suffix: string) =>
  domain === suffix || domain.endsWith(`.${suffix}`);

function isForbidden(label: string): boolean {
  const slash = label.indexOf("/");
  const domain = slash < 0 ? "" : label.slice(0, slash);
  if (within(domain, "node-restriction.kubernetes.io")) return true;
  if (!within(domain, "kubernetes.io") && !within(domain, "k8s.io")) return false;
  if (kubeletLabels.has(label)) return false;
  return !within(domain, "kubelet.kubernetes.io") && !within(domain, "node.kubernetes.io");
}

type Labels = Readonly<Record<string, string | undefined>>;

function forbiddenChanges(before: Labels, after: Labels): string {
  const labels = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...labels]
    .filter((label) => before[label] !== after[label] && isForbidden(label))
    .sort()
    .join(", ");
}

export function checkOwnNode(attributes: AdmissionAttributes, node: string): void {
  const { operation, object, oldObject } = attributes;
  const quoted = quoteGo(node);
  const name = attributes.name || (object?.metadata?.name ?? "");
  if (name !== node) {
    throw refuse(attributes, `node ${quoted} is not allowed to modify node ${quoteGo(name)}`);
  }
  const may = (what: string) => refuse(attributes, `node ${quoted} is not allowed to ${what}`);
  const after = object as Node | undefined;
  const before = oldObject as Node | undefined;
  if (operation === "CREATE") {
    if (after?.spec?.configSource) throw may("create pods with a non-nil configSource");
    const labels = forbiddenChanges({}, after?.metadata?.labels ?? {});
    if (labels !== "") throw may(`set the following labels: ${labels}`);
  }
  if (operation !== "UPDATE") return;
  const config = after?.spec?.configSource;
  if (config && !semanticEqual(config, before?.spec?.configSource)) {
    throw may("update configSource to a new non-nil configSource");
  }
  if (!semanticEqual(after?.spec?.taints, before?.spec?.taints)) throw may("modify taints");
  if (!semanticEqual(after?.metadata?.ownerReferences, before?.metadata?.ownerReferences)) {
    throw may("modify ownerReferences");
  }
  const labels = forbiddenChanges(before?.metadata?.labels ?? {}, after?.metadata?.labels ?? {});
  if (labels !== "") throw refuse(attributes, `is not allowed to modify labels: ${labels}`);
}
