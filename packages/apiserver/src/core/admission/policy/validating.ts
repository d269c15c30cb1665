/**
 * ValidatingAdmissionPolicy: refuses, warns about or notes what the expressions do not allow.
 *
 * Source  apiserver pkg/admission/plugin/policy/validating/dispatcher.go
 */
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "@nanokube/api/admissionregistration/v1";
import { type KubeObject, notFound, type Status, StatusError } from "@nanokube/machinery";
import type { AdmissionAttributes, AdmissionPlugin, AdmissionReader } from "../plugin.ts";
import { find, refuse } from "../refuse.ts";
import type { Match } from "../webhooks/versions.ts";
import { compileValidations } from "./compiled-policy.ts";
import { type Decision, decide } from "./decide.ts";
import { Questions } from "./evaluation.ts";
import { ConfigurationError, collectParams, policyMistake } from "./params.ts";
import { policyMatch } from "./policy-match.ts";
import { byName, isPolicyExempt, type PolicyTools, paramSource } from "./tools.ts";

const group = "admissionregistration.k8s.io";

interface Denied {
  policy: string;
  binding: string | undefined;
  message: string;
  reason: string;
}

const codes: Record<string, number> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
};

function denialOf(attributes: AdmissionAttributes, denied: Denied): StatusError {
  const { policy, binding, message } = denied;
  const by = binding === undefined ? "" : ` with binding '${binding}'`;
  const text = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${message}`;
  const { status } = refuse(attributes, text);
  const reason = denied.reason || "Invalid";
  return new StatusError({
    ...status,
    reason,
    code: codes[reason] ?? 422,
    details: { ...status.details, causes: [{ message: text }] },
  } as Status);
}

export async function namespaceFor(
  { namespace, resource }: AdmissionAttributes,
  reader: AdmissionReader,
): Promise<KubeObject | undefined> {
  const isNamespace = resource.group === "" && resource.kind === "Namespace";
  if (namespace === "" || isNamespace) return undefined;
  const found = await find(reader, "", "namespaces", "", namespace);
  if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
  return found;
}

class Dispatch {
  readonly denied: Denied[] = [];
  readonly #attributes: AdmissionAttributes;
  readonly #reader: AdmissionReader;
  readonly #tools: PolicyTools;
  readonly #questions: Questions;

  constructor(attributes: AdmissionAttributes, reader: AdmissionReader, tools: PolicyTools) {
    this.#attributes = attributes;
    this.#reader = reader;
    this.#tools = tools;
    this.#questions = new Questions(tools.authorizer, attributes);
  }

  async policy(
    policy: ValidatingAdmissionPolicy,
    bindings: readonly ValidatingAdmissionPolicyBinding[],
  ): Promise<void> {
    const { spec } = policy;
    const { served } = this.#tools;
    const of = this.#attributes;
    const match = await policyMatch(spec?.matchConstraints, of, this.#reader, served);
    if (match === undefined) return;
    const wrong = policyMistake(paramSource(this.#tools, this.#reader), spec?.paramKind);
    if (wrong !== undefined) {
      if (spec?.failurePolicy === "Ignore") return;
      const name = policy.metadata?.name ?? "";
      this.denied.push({ policy: name, binding: undefined, message: wrong, reason: "" });
      return;
    }
    const annotations = new Map<string, string[]>();
    for (const binding of bindings) {
      const own = binding.spec?.matchResources;
      if (!(await policyMatch(own, of, this.#reader, served))) continue;
      for (const decision of await this.#decide(policy, binding, match)) {
        this.#act(policy, binding, decision);
        for (const { key, value } of decision.annotations) {
          annotations.set(key, [...(annotations.get(key) ?? []), value]);
        }
      }
    }
    for (const [key, values] of annotations) {
      of.annotate?.(`${policy.metadata?.name}/${key}`, [...new Set(values)].join(", "));
    }
  }

  async #decide(
    policy: ValidatingAdmissionPolicy,
    binding: ValidatingAdmissionPolicyBinding,
    { attributes }: Match,
  ): Promise<Decision[]> {
    const { paramKind, failurePolicy } = policy.spec ?? {};
    const source = paramSource(this.#tools, this.#reader);
    let params: (KubeObject | undefined)[];
    try {
      params = await collectParams(
        source,
        paramKind,
        binding.spec?.paramRef,
        this.#attributes.namespace,
      );
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const failures = [`failed to configure binding: ${error.message}`];
      return failurePolicy === "Ignore" ? [] : [{ denials: [], annotations: [], failures }];
    }
    const namespace = await namespaceFor(this.#attributes, this.#reader);
    const compiled = compileValidations(policy);
    const decisions: Decision[] = [];
    for (const each of params) {
      const decision = await this.#questions.settle((authorize) =>
        decide(policy, compiled, { attributes, params: each, namespace, authorize }),
      );
      decisions.push(decision);
    }
    return decisions;
  }

  #act(
    { metadata }: ValidatingAdmissionPolicy,
    binding: ValidatingAdmissionPolicyBinding,
    decision: Decision,
  ): void {
    const policy = metadata?.name ?? "";
    const name = binding.metadata?.name ?? "";
    const actions = binding.spec?.validationActions ?? [];
    const by = `ValidatingAdmissionPolicy '${policy}' with binding '${name}'`;
    for (const { index, message, reason } of decision.denials) {
      if (actions.includes("Deny")) this.denied.push({ policy, binding: name, message, reason });
      if (actions.includes("Warn")) {
        this.#attributes.warn(`Validation failed for ${by}: ${message}`);
      }
      if (actions.includes("Audit")) {
        const failure = {
          message,
          policy: binding.spec?.policyName,
          binding: name,
          expressionIndex: index,
          validationActions: actions,
        };
        const key = "validation.policy.admission.k8s.io/validation_failure";
        this.#attributes.annotate?.(key, JSON.stringify([failure]));
      }
    }
    for (const message of decision.failures) {
      this.denied.push({ policy, binding: name, message, reason: "" });
    }
  }
}

export function createValidatingPolicies(tools: PolicyTools): AdmissionPlugin {
  return {
    name: "ValidatingAdmissionPolicy",
    handles: (attributes) => !isPolicyExempt(attributes),
    async validate(attributes, reader) {
      const policies = (await reader.list(
        group,
        "validatingadmissionpolicies",
      )) as ValidatingAdmissionPolicy[];
      if (policies.length === 0) return;
      const bindings = (await reader.list(
        group,
        "validatingadmissionpolicybindings",
      )) as ValidatingAdmissionPolicyBinding[];
      const dispatch = new Dispatch(attributes, reader, tools);
      for (const policy of byName(policies)) {
        const name = policy.metadata?.name;
        const own = byName(bindings).filter(({ spec }) => spec?.policyName === name);
        if (own.length > 0) await dispatch.policy(policy, own);
      }
      const first = dispatch.denied[0];
      if (first !== undefined) throw denialOf(attributes, first);
    },
  };
}
