/** An issuer whose ID tokens are believed, and what their claims mean. */
import type { ClaimExpressions } from "./claim-expressions.ts";

export interface PrefixedClaim {
  claim: string;
  prefix: string;
}

export interface JwtIssuer {
  url: string;
  discoveryURL: string | undefined;
  audiences: readonly string[];
  /** PEM; the system's authorities when absent. */
  certificateAuthority: string | undefined;
  algorithms: readonly string[];
  requiredClaims: readonly { claim: string; requiredValue: string }[];
  /** Absent when an expression says it. */
  username: PrefixedClaim | undefined;
  groups: PrefixedClaim | undefined;
  uid: string | undefined;
  expressions?: ClaimExpressions;
}
