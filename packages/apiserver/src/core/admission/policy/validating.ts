/**
 * ValidatingAdmissionPolicy: refuses, warns about or notes what the expressions do not allow.
 *
 * Source  apiserver pkg/admission/plugin/policy/validating/dispatcher.go
 */
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "@nanokube/api/admissionregistration/v1";
import { type Status, StatusError } from "@nanokube/machinery";
import type { AdmissionAttributes, AdmissionPlugin } from "../plugin.ts";
import { refuse } from "../refuse.ts";
import { compileValidations } from "./compiled-policy.ts";
import { type Decision, decide } from "./decide.ts";
import { Questions } from "./evaluation.ts";
import {
  type Asked,
  type Invocation,
  invocationsOf,
  type Mistake,
  namespaceFor,
} from "./invocations.ts";
import { isPolicyExempt, type PolicyTools } from "./tools.ts";

const group = "admissionregistration.k8s.io";
const failureKey = "validation.policy.admission.k8s.io/validation_failure";

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

type Policy = ValidatingAdmissionPolicy;
type Binding = ValidatingAdmissionPolicyBinding;

/** One request before all policies that look at it. */
class Trial {
  readonly denied: Denied[] = [];
  readonly #asked: Asked;
  readonly #questions: Questions;
  /** By policy and key; told together when all bindings have been looked at. */
  readonly #annotations = new Map<string, string[]>();

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#questions = new Questions(asked.tools.authorizer, asked.attributes);
  }

  async hear(policies: readonly Policy[], bindings: readonly Binding[]): Promise<void> {
    for await (const found of invocationsOf(this.#asked, policies, bindings)) {
      if ("mistake" in found) this.#mistaken(found);
      else this.#act(found, await this.#decide(found));
    }
    const { annotate } = this.#asked.attributes;
    for (const [key, values] of this.#annotations) {
      annotate?.(key, [...new Set(values)].join(", "));
    }
  }

  #mistaken({ policy, binding, mistake }: Mistake<Policy>): void {
    if (policy.spec?.failurePolicy === "Ignore") return;
    this.denied.push({
      policy: policy.metadata?.name ?? "",
      binding,
      message: mistake,
      reason: "",
    });
  }

  async #decide({ policy, params, match }: Invocation<Policy, Binding>): Promise<Decision> {
    const namespace = await namespaceFor(this.#asked.attributes, this.#asked.reader);
    const { attributes } = match;
    return this.#questions.settle((authorize) =>
      decide(policy, compileValidations(policy), { attributes, params, namespace, authorize }),
    );
  }

  #act({ policy, binding }: Invocation<Policy, Binding>, decision: Decision): void {
    const name = policy.metadata?.name ?? "";
    const own = binding.metadata?.name ?? "";
    const actions = binding.spec?.validationActions ?? [];
    const by = `ValidatingAdmissionPolicy '${name}' with binding '${own}'`;
    for (const { index, message, reason } of decision.denials) {
      if (actions.includes("Deny")) {
        this.denied.push({ policy: name, binding: own, message, reason });
      }
      if (actions.includes("Warn")) {
        this.#asked.attributes.warn(`Validation failed for ${by}: ${message}`);
      }
      if (actions.includes("Audit")) {
        const failure = {
          message,
          policy: binding.spec?.policyName,
          binding: own,
          expressionIndex: index,
          validationActions: actions,
        };
        // What has been said under a key stands: the log has the first failure of all.
        this.#asked.attributes.annotate?.(failureKey, JSON.stringify([failure]));
      }
    }
    for (const { key, value } of decision.annotations) {
      const whole = `${name}/${key}`;
      this.#annotations.set(whole, [...(this.#annotations.get(whole) ?? []), value]);
    }
    for (const message of decision.failures) {
      this.denied.push({ policy: name, binding: own, message, reason: "" });
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
      const trial = new Trial({ attributes, reader, tools });
      await trial.hear(policies, bindings);
      const first = trial.denied[0];
      if (first !== undefined) throw denialOf(attributes, first);
    },
  };
}
