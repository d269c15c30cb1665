/**
 * MutatingAdmissionPolicy: changes what comes in, as the expressions say.
 *
 * Source  apiserver pkg/admission/plugin/policy/{mutating/dispatcher,generic/policy_dispatcher}.go
 */
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from "@nanokube/api/admissionregistration/v1";
import {
  applySchemaOf,
  deepEqual,
  type Status,
  StatusError,
  untypedSchema,
} from "@nanokube/machinery";
import type { AdmissionAttributes, AdmissionPass, AdmissionPlugin } from "../plugin.ts";
import { refuse } from "../refuse.ts";
import { become } from "../webhooks/become.ts";
import { converted, type Match, servedAs } from "../webhooks/versions.ts";
import { type CompiledMutations, compileMutations } from "./compiled-policy.ts";
import { type Input, Questions } from "./evaluation.ts";
import { type Asked, type Invocation, invocationsOf, namespaceFor } from "./invocations.ts";
import { meetsConditions } from "./match-conditions.ts";
import { MutationError, mutated } from "./mutation.ts";
import { isPolicyExempt, type PolicyTools } from "./tools.ts";

const group = "admissionregistration.k8s.io";

interface Failure {
  message: string;
  reason?: string;
}

function denialOf(attributes: AdmissionAttributes, failures: readonly Failure[]): StatusError {
  const { status } = refuse(attributes, "admission request denied by policy");
  const [worst] = failures as [Failure, ...Failure[]];
  return new StatusError({
    ...status,
    ...(worst.reason === undefined ? {} : { reason: worst.reason }),
    message: worst.message,
    details: { ...status.details, causes: failures.map(({ message }) => ({ message })) },
  } as Status);
}

type Policy = MutatingAdmissionPolicy;
type Binding = MutatingAdmissionPolicyBinding;
type Invoked = Invocation<Policy, Binding>;

function keyOf({ policy, binding, params }: Invoked): string {
  const param = `${params?.metadata?.namespace ?? ""}/${params?.metadata?.name ?? ""}`;
  return `policy/${policy.metadata?.name}/${binding.metadata?.name}/${param}`;
}

/** All policies that look at one request, one after the other. */
class Mutations {
  readonly failures: Failure[] = [];
  readonly #invocations: Invoked[] = [];
  readonly #asked: Asked;
  readonly #questions: Questions;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#questions = new Questions(asked.tools.authorizer, asked.attributes);
  }

  get #attributes(): AdmissionAttributes {
    return this.#asked.attributes;
  }

  #fail({ metadata, spec }: Policy, binding: string | undefined, failure: Failure): void {
    if (spec?.failurePolicy === "Ignore") return;
    const by =
      binding === undefined
        ? `policy "${metadata?.name}"`
        : `policy '${metadata?.name}' with binding '${binding}'`;
    this.failures.push({ ...failure, message: `${by} denied request: ${failure.message}` });
  }

  /** All are known before the first changes anything. */
  async collect(policies: readonly Policy[], bindings: readonly Binding[]): Promise<void> {
    for await (const found of invocationsOf(this.#asked, policies, bindings)) {
      if ("mistake" in found) this.#fail(found.policy, found.binding, { message: found.mistake });
      else this.#invocations.push(found);
    }
  }

  async run(pass: AdmissionPass): Promise<void> {
    const namespace = await namespaceFor(this.#attributes, this.#asked.reader);
    for (const invocation of this.#invocations) {
      const key = keyOf(invocation);
      const { policy, params } = invocation;
      const compiled = compileMutations(policy);
      const { variables } = compiled;
      const input = ({ attributes }: Match, authorize: Input["authorize"]): Input => ({
        attributes,
        params,
        namespace,
        authorize,
        variables,
      });
      const current = await this.#current(invocation);
      const isMet = await this.#questions.settle((authorize) =>
        meetsConditions(compiled.conditions, input(current, authorize), policy.spec?.failurePolicy),
      );
      if (isMet === false) continue;
      const binding = invocation.binding.metadata?.name ?? "";
      if (isMet !== true) {
        this.#fail(policy, binding, { message: isMet.error, reason: "Invalid" });
        continue;
      }
      if (pass.isSecond && !pass.toReinvoke.has(key)) continue;
      if (await this.#mutate(invocation, compiled, input)) {
        for (const id of pass.reinvocable) pass.toReinvoke.add(id);
        pass.reinvocable.clear();
        pass.needsSecond = true;
      }
      if (policy.spec?.reinvocationPolicy === "IfNeeded") pass.reinvocable.add(key);
    }
  }

  /** The request as it is now, in the version of the policy. */
  async #current({ match }: Invoked): Promise<Match> {
    const { object } = this.#attributes;
    const { served } = this.#asked.tools;
    if (match.attributes === this.#attributes || object === undefined) return match;
    const info = match.attributes.resource;
    const to = servedAs(served, info);
    const from = servedAs(served, this.#attributes.resource);
    if (to === undefined || from === undefined) return match;
    const now = await converted(object, from, to);
    return { ...match, attributes: { ...match.attributes, object: now } };
  }

  /** @returns whether anything changed */
  async #mutate(
    invocation: Invoked,
    compiled: CompiledMutations,
    input: (current: Match, authorize: Input["authorize"]) => Input,
  ): Promise<boolean> {
    const { object: original } = this.#attributes;
    if (original === undefined) return false;
    let changed = false;
    for (const mutation of compiled.mutations) {
      const current = await this.#current(invocation);
      const { object, resource } = current.attributes;
      if (object === undefined) continue;
      const served = servedAs(this.#asked.tools.served, resource);
      const { group: of, version, kind } = resource;
      const apiVersion = of === "" ? version : `${of}/${version}`;
      const whole = { apiVersion, kind, ...object };
      const schema =
        served?.typeName === undefined
          ? (served?.custom?.applySchema ?? untypedSchema)
          : applySchemaOf(served.typeName);
      try {
        const result = await this.#questions.settle((authorize) =>
          mutated(mutation, input(current, authorize), whole, schema),
        );
        served?.strategy.default?.(result);
        if (deepEqual(result, whole)) continue;
        become(original, await current.back(result));
        changed = true;
      } catch (error) {
        if (!(error instanceof MutationError)) throw error;
        const failure = { message: error.message, reason: "Invalid" };
        this.#fail(invocation.policy, invocation.binding.metadata?.name ?? "", failure);
      }
    }
    return changed;
  }
}

export function createMutatingPolicies(tools: PolicyTools): AdmissionPlugin {
  return {
    name: "MutatingAdmissionPolicy",
    handles: (attributes) => !isPolicyExempt(attributes),
    async admit(attributes, reader, pass) {
      const policies = (await reader.list(
        group,
        "mutatingadmissionpolicies",
      )) as MutatingAdmissionPolicy[];
      if (policies.length === 0) return;
      const bindings = (await reader.list(
        group,
        "mutatingadmissionpolicybindings",
      )) as MutatingAdmissionPolicyBinding[];
      const mutations = new Mutations({ attributes, reader, tools });
      await mutations.collect(policies, bindings);
      await mutations.run(pass);
      if (mutations.failures.length > 0) throw denialOf(attributes, mutations.failures);
    },
  };
}
