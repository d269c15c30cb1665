/**
 * May they? Authorizers are asked in order; the first opinion holds.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/authorization/authorizer/interfaces.go
 */
import type { PolicyRule } from "@nanokube/api/rbac/v1";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { Narrowed } from "./selectors.ts";

export interface AuthorizationAttributes {
  user: UserInfo;
  verb: string;
  /** Set when the request is for a resource. */
  resourceRequest: boolean;
  namespace: string;
  apiGroup: string;
  apiVersion: string;
  resource: string;
  subresource: string;
  name: string;
  /** Set when it is not. */
  path: string;
  /** What a list or watch is narrowed to (metadata.name=…, spec.nodeName=…), parsed; Node asks. */
  fieldSelector?: Readonly<Record<string, string>>;
  /** The same whole, with labels; for whom else is asked. */
  narrowed?: Narrowed;
}

export interface AuthorizationResult {
  decision: "allow" | "deny" | "noOpinion";
  reason: string;
}

export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Promise<AuthorizationResult>;
  /** What a user may do in a namespace, for SelfSubjectRulesReview. */
  rulesFor?(user: UserInfo, namespace: string): Promise<RulesForUser>;
}

export interface RulesForUser {
  resourceRules: PolicyRule[];
  nonResourceRules: PolicyRule[];
  /** Some authorizer cannot list what it allows. */
  incomplete: boolean;
  evaluationError?: string;
}
