/**
 * Which policies look at a request, with which binding and which parameters; in upstream's order.
 *
 * Source  apiserver pkg/admission/plugin/policy/generic/policy_dispatcher.go,
 *         pkg/admission/plugin/policy/validating/dispatcher.go
 */
import type { MatchResources, ParamKind, ParamRef } from "@nanokube/api/admissionregistration/v1";
import { type KubeObject, notFound } from "@nanokube/machinery";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import type { Match } from "../webhooks/versions.ts";
import { ConfigurationError, collectParams, policyMistake } from "./params.ts";
import { policyMatch } from "./policy-match.ts";
import { byName, type PolicyTools, paramSource } from "./tools.ts";

export interface AnyPolicy {
  metadata?: { name?: string };
  spec?: { matchConstraints?: MatchResources; paramKind?: ParamKind; failurePolicy?: string };
}

export interface AnyBinding {
  metadata?: { name?: string };
  spec?: { policyName?: string; matchResources?: MatchResources; paramRef?: ParamRef };
}

export interface Invocation<P extends AnyPolicy, B extends AnyBinding> {
  policy: P;
  binding: B;
  params: KubeObject | undefined;
  match: Match;
}

/** A policy, or one of its bindings, that cannot be used as it is. */
export interface Mistake<P extends AnyPolicy> {
  policy: P;
  /** Absent when it is the policy's own. */
  binding: string | undefined;
  mistake: string;
}

export interface Asked {
  attributes: AdmissionAttributes;
  reader: ObjectReader;
  tools: PolicyTools;
}

export async function* invocationsOf<P extends AnyPolicy, B extends AnyBinding>(
  asked: Asked,
  policies: readonly P[],
  bindings: readonly B[],
): AsyncGenerator<Invocation<P, B> | Mistake<P>> {
  const sorted = byName(bindings);
  for (const policy of byName(policies)) {
    const own = sorted.filter(({ spec }) => spec?.policyName === policy.metadata?.name);
    if (own.length > 0) yield* invocationsOfPolicy(asked, policy, own);
  }
}

async function* invocationsOfPolicy<P extends AnyPolicy, B extends AnyBinding>(
  { attributes, reader, tools }: Asked,
  policy: P,
  bindings: readonly B[],
): AsyncGenerator<Invocation<P, B> | Mistake<P>> {
  const { matchConstraints, paramKind } = policy.spec ?? {};
  const match = await policyMatch(matchConstraints, attributes, reader, tools.served);
  if (match === undefined) return;
  const source = paramSource(tools, reader);
  const wrong = policyMistake(source, paramKind);
  if (wrong !== undefined) {
    yield { policy, binding: undefined, mistake: wrong };
    return;
  }
  for (const binding of bindings) {
    const { matchResources, paramRef } = binding.spec ?? {};
    if (!(await policyMatch(matchResources, attributes, reader, tools.served))) continue;
    try {
      const found = await collectParams(source, paramKind, paramRef, attributes.namespace);
      for (const params of found) yield { policy, binding, params, match };
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const mistake = `failed to configure binding: ${error.message}`;
      yield { policy, binding: binding.metadata?.name ?? "", mistake };
    }
  }
}

/** The `namespaceObject` of expressions. */
export async function namespaceFor(
  { namespace, resource }: AdmissionAttributes,
  reader: ObjectReader,
): Promise<KubeObject | undefined> {
  const isNamespace = resource.group === "" && resource.kind === "Namespace";
  if (namespace === "" || isNamespace) return undefined;
  const found = await reader.get("", "namespaces", "", namespace);
  if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
  return found;
}
