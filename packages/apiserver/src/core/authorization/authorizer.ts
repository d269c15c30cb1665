/**
 * May they? Authorizers are asked in order; the first opinion holds.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/authorization/authorizer/interfaces.go
 */
import type { UserInfo } from "../authentication/authenticator.ts";

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
}

export interface AuthorizationResult {
  decision: "allow" | "deny" | "noOpinion";
  reason: string;
}

export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Promise<AuthorizationResult>;
}
