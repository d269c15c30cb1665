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
  type KubeObject,
  type Status,
  StatusError,
  untypedSchema,
} from "@nanokube/machinery";
import type {
  AdmissionAttributes,
  AdmissionPass,
  AdmissionPlugin,
  AdmissionReader,
} from "../plugin.ts";
import { refuse } from "../refuse.ts";
import { become } from "../webhooks/become.ts";
import { type Match, servedAs } from "../webhooks/versions.ts";
import { type CompiledMutations, compileMutations } from "./compiled-policy.ts";
import { type Input, Questions } from "./evaluation.ts";
import { meetsConditions } from "./match-conditions.ts";
import { MutationError, mutated } from "./mutation.ts";
import { ConfigurationError, collectParams, policyMistake } from "./params.ts";
import { policyMatch } from "./policy-match.ts";
import { byName, isPolicyExempt, type PolicyTools, paramSource } from "./tools.ts";
import { namespaceFor } from "./validating.ts";

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

interface Invocation {
  policy: MutatingAdmissionPolicy;
  binding: MutatingAdmissionPolicyBinding;
  params: KubeObject | undefined;
  match: Match;
}

function keyOf({ policy, binding, params }: Invocation): string {
  const param = `${params?.metadata?.namespace ?? ""}/${params?.metadata?.name ?? ""}`;
  return `policy/${policy.metadata?.name}/${binding.metadata?.name}/${param}`;
}

class Dispatch {
  readonly failures: Failure[] = [];
  readonly invocations: Invocation[] = [];
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

  #fail(
    { metadata, spec }: MutatingAdmissionPolicy,
    binding: string | undefined,
    failure: Failure,
  ) {
    if (spec?.failurePolicy === "Ignore") return;
    const by =
      binding === undefined
        ? `policy "${metadata?.name}"`
        : `policy '${metadata?.name}' with binding '${binding}'`;
    this.failures.push({ ...failure, message: `${by} denied request: ${failure.message}` });
  }

  async collect(
    policy: MutatingAdmissionPolicy,
    bindings: readonly MutatingAdmissionPolicyBinding[],
  ): Promise<void> {
    const { served } = this.#tools;
    const of = this.#attributes;
    const constraints = policy.spec?.matchConstraints;
    if (!(await policyMatch(constraints, of, this.#reader, served))) return;
    const source = paramSource(this.#tools, this.#reader);
    const wrong = policyMistake(source, policy.spec?.paramKind);
    if (wrong !== undefined) {
      this.#fail(policy, undefined, { message: wrong });
      return;
    }
    for (const binding of bindings) {
      const { matchResources, paramRef } = binding.spec ?? {};
      if (!(await policyMatch(matchResources, of, this.#reader, served))) continue;
      try {
        const kind = policy.spec?.paramKind;
        for (const params of await collectParams(source, kind, paramRef, of.namespace)) {
          // Matched again: those before may have changed the object.
          const match = await policyMatch(constraints, of, this.#reader, served);
          if (match !== undefined) this.invocations.push({ policy, binding, params, match });
        }
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        const message = `failed to configure binding: ${error.message}`;
        this.#fail(policy, binding.metadata?.name ?? "", { message });
      }
    }
  }

  async run(pass: AdmissionPass): Promise<void> {
    const namespace = await namespaceFor(this.#attributes, this.#reader);
    for (const invocation of this.invocations) {
      const key = keyOf(invocation);
      const { policy, params } = invocation;
      const compiled = compileMutations(policy);
      const input = (authorize: Input["authorize"]): Input => ({
        attributes: this.#current(invocation).attributes,
        params,
        namespace,
        authorize,
        variables: compiled.variables,
      });
      const isMet = await this.#questions.settle((authorize) =>
        meetsConditions(compiled.conditions, input(authorize), policy.spec?.failurePolicy),
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
  #current({ match }: Invocation): Match {
    const { object } = this.#attributes;
    if (match.attributes === this.#attributes || object === undefined) return match;
    const info = match.attributes.resource;
    const to = servedAs(this.#tools.served, info);
    const from = servedAs(this.#tools.served, this.#attributes.resource);
    if (to === undefined || from === undefined) return match;
    const now = { ...to.fromStorage(from.toStorage(object)), apiVersion: to.apiVersion };
    return { ...match, attributes: { ...match.attributes, object: now } };
  }

  /** @returns whether anything changed */
  async #mutate(
    invocation: Invocation,
    compiled: CompiledMutations,
    input: (authorize: Input["authorize"]) => Input,
  ): Promise<boolean> {
    const { object: original } = this.#attributes;
    if (original === undefined) return false;
    let changed = false;
    for (const mutation of compiled.mutations) {
      const { attributes, back } = this.#current(invocation);
      const { object, resource } = attributes;
      if (object === undefined) continue;
      const served = servedAs(this.#tools.served, resource);
      const { group: of, version, kind } = resource;
      const apiVersion = of === "" ? version : `${of}/${version}`;
      const whole = { apiVersion, kind, ...object };
      const schema =
        served?.typeName === undefined
          ? (served?.custom?.applySchema ?? untypedSchema)
          : applySchemaOf(served.typeName);
      try {
        const result = await this.#questions.settle((authorize) =>
          mutated(mutation, input(authorize), whole, schema),
        );
        served?.strategy.default?.(result);
        if (deepEqual(result, whole)) continue;
        become(original, back(result));
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
      const dispatch = new Dispatch(attributes, reader, tools);
      for (const policy of byName(policies)) {
        const own = byName(bindings).filter(
          ({ spec }) => spec?.policyName === policy.metadata?.name,
        );
        await dispatch.collect(policy, own);
      }
      await dispatch.run(pass);
      if (dispatch.failures.length > 0) throw denialOf(attributes, dispatch.failures);
    },
  };
}
