/** What scenarios about admission policies are made of. */
import type { Scenario, Step } from "./scenario.ts";

export type Tree = Record<string, unknown>;

export const registration = "/apis/admissionregistration.k8s.io/v1";
export const configMaps = "/api/v1/namespaces/default/configmaps";
export const dry = "?dryRun=All";

const apiVersion = "admissionregistration.k8s.io/v1";

export const onConfigMaps = (label: string, operations = ["CREATE", "UPDATE"]): Tree => ({
  objectSelector: { matchLabels: { case: label } },
  resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations }],
});

export const configMap = (label: string, name: string, rest: Tree = {}): Tree => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default", labels: { case: label } },
  ...rest,
});

/** A mutation that applies the object its expression makes. */
export const applying = (expression: string): Tree => ({
  patchType: "ApplyConfiguration",
  applyConfiguration: { expression },
});

/** One by the patch its expression makes. */
export const patching = (expression: string): Tree => ({
  patchType: "JSONPatch",
  jsonPatch: { expression },
});

export interface PolicyParts {
  label: string;
  spec: Tree;
  binding?: Tree;
  isMutating?: boolean;
}

const plurals = (isMutating: boolean) =>
  isMutating ? "mutatingadmissionpolicies" : "validatingadmissionpolicies";
const bindingPlurals = (isMutating: boolean) =>
  isMutating ? "mutatingadmissionpolicybindings" : "validatingadmissionpolicybindings";

export function policyBody({ label, spec, isMutating = false }: PolicyParts): Tree {
  const more = isMutating ? { reinvocationPolicy: "Never" } : {};
  return {
    apiVersion,
    kind: isMutating ? "MutatingAdmissionPolicy" : "ValidatingAdmissionPolicy",
    metadata: { name: label },
    spec: { matchConstraints: onConfigMaps(label), ...more, ...spec },
  };
}

export function bindingBody({ label, binding, isMutating = false }: PolicyParts): Tree {
  const actions = isMutating ? {} : { validationActions: ["Deny"] };
  return {
    apiVersion,
    kind: isMutating ? "MutatingAdmissionPolicyBinding" : "ValidatingAdmissionPolicyBinding",
    metadata: { name: `${label}-binding` },
    spec: { policyName: label, ...actions, ...binding },
  };
}

/** Sets the policy up, plays the steps, takes it away. */
export function withPolicy(name: string, parts: PolicyParts, steps: readonly Step[]): Scenario {
  const { label, isMutating = false } = parts;
  const policies = `${registration}/${plurals(isMutating)}`;
  const bindings = `${registration}/${bindingPlurals(isMutating)}`;
  return {
    name: `policy: ${name}`,
    steps: [
      { method: "POST", path: policies, body: policyBody(parts), quiet: true },
      { method: "POST", path: bindings, body: bindingBody(parts), quiet: true },
      ...steps,
      { method: "DELETE", path: `${bindings}/${label}-binding`, quiet: true },
      { method: "DELETE", path: `${policies}/${label}`, quiet: true },
    ],
  };
}

/** One that is only defined, or refused. */
export function defined(name: string, body: Tree, plural: string): Scenario {
  const path = `${registration}/${plural}${dry}`;
  return { name: `policy definition: ${name}`, steps: [{ method: "POST", path, body }] };
}
