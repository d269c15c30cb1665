/**
 * Tells the author of a ValidatingAdmissionPolicy what its expressions get wrong of the kinds that
 * it is about: `status.typeChecking`. Nothing but a hint: it changes no decision.
 *
 * Source  pkg/controller/validatingadmissionpolicystatus/controller.go
 */
import type {
  ExpressionWarning,
  ValidatingAdmissionPolicy,
} from "@nanokube/api/admissionregistration/v1";
import { validatingAdmissionPolicies } from "@nanokube/client";
import { type Context, type Controller, watchOwn } from "../controller.ts";
import { attempt, type Steps } from "../steps.ts";

const fieldManager = "validatingadmissionpolicy-status";

/** To whoever knows the kinds of the cluster; the answer is a list of warnings. */
export interface TypeQuestion {
  policy: ValidatingAdmissionPolicy;
}

export function createAdmissionPolicyStatusController(): Controller {
  return {
    name: "validatingadmissionpolicy-status-controller",
    watches: [watchOwn(validatingAdmissionPolicies)],
    reconcile: reconcilePolicyStatus,
  };
}

export function* reconcilePolicyStatus(
  name: string,
  { caches }: Context,
): Steps<number | undefined> {
  const policy = caches.of(validatingAdmissionPolicies).get("", name);
  const generation = policy?.metadata?.generation ?? 0;
  if (policy === undefined || generation <= (policy.status?.observedGeneration ?? 0)) {
    return undefined;
  }
  const question: TypeQuestion = { policy };
  const { answer, error } = yield* attempt({ do: "ask", question });
  if (error !== undefined) throw error;
  const expressionWarnings = answer as ExpressionWarning[];
  const written = yield* attempt({
    do: "patch",
    resource: validatingAdmissionPolicies,
    namespace: "",
    name,
    type: "apply",
    subresource: "status",
    fieldManager,
    patch: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: { name },
      status: {
        observedGeneration: generation,
        typeChecking: expressionWarnings.length > 0 ? { expressionWarnings } : {},
      },
    },
  });
  if (written.error !== undefined) throw written.error;
  return undefined;
}
