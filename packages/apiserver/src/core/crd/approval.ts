/**
 * Groups under k8s.io and kubernetes.io are Kubernetes' own: an annotation says who approved a kind
 * in them, and a condition repeats it.
 *
 * Source  apiextensions-apiserver pkg/apihelpers/helpers.go (GetAPIApprovalState),
 *         pkg/controller/apiapproval/apiapproval_controller.go
 */
import type { CustomResourceDefinition } from "@nanokube/api/apiextensions/v1";
import type { Clock } from "@nanokube/machinery";
import { type Condition, setCondition } from "./accepted-names.ts";

const protectedGroup = /(?:^|\.)(?:k8s\.io|kubernetes\.io)$/u;
export const approvalKey = "api-approved.kubernetes.io";
const link = "https://github.com/kubernetes/enhancements/pull/1111";
const lead = `protected groups must have approval annotation "${approvalKey}"`;

export type ApprovalState = Pick<Condition, "status" | "reason" | "message">;

export function isProtected(crd: CustomResourceDefinition): boolean {
  return protectedGroup.test(crd.spec?.group ?? "");
}

export function approvalState(crd: CustomResourceDefinition): ApprovalState {
  const approval = crd.metadata?.annotations?.[approvalKey] ?? "";
  if (approval === "") {
    return { status: "False", reason: "MissingAnnotation", message: `${lead}, see ${link}` };
  }
  if (approval.startsWith("unapproved")) {
    const message = `not approved: ${JSON.stringify(approval)}`;
    return { status: "False", reason: "UnapprovedAnnotation", message };
  }
  if (URL.canParse(approval) && new URL(approval).host !== "") {
    return { status: "True", reason: "ApprovedAnnotation", message: `approved in ${approval}` };
  }
  const message = `${lead} with either a URL or a reason starting with "unapproved", see ${link}`;
  return { status: "False", reason: "InvalidAnnotation", message };
}

/** @returns whether the definition changed */
export function noteApproval(crd: CustomResourceDefinition, clock: Clock): boolean {
  if (!isProtected(crd)) return false;
  const type = "KubernetesAPIApprovalPolicyConformant";
  return setCondition(crd, clock, { type, ...approvalState(crd) });
}
