/** Operations that need more than the store: reviews, tokens, kubelets. */
import type { ServerAuthenticator } from "../core/authentication/create-authenticator.ts";
import type { TokenIssuer } from "../core/authentication/token-issuer.ts";
import type { ServerAuthorizer } from "../core/authorization/create-authorizer.ts";
import type { RestContext } from "../core/rest/context.ts";
import type { Operation } from "../core/rest/dispatch.ts";
import { methodNotAllowed } from "../core/rest/method-not-allowed.ts";
import { componentStatuses } from "../core/virtual/component-statuses.ts";
import { reviewOperation } from "../core/virtual/reviews.ts";
import { requestToken } from "../core/virtual/token-request.ts";
import type { BackendCredentials } from "./backend.ts";
import { connectOperation } from "./connect-operations.ts";

export interface OutsideDeps {
  authenticator: ServerAuthenticator;
  authorizer: ServerAuthorizer;
  apiAudiences: readonly string[];
  issuer: TokenIssuer | undefined;
  credentials: BackendCredentials;
}

export function outsideOperations(
  deps: OutsideDeps,
): (context: RestContext) => Operation | undefined {
  return (context) => {
    const { info } = context;
    const review = reviewOperation(context, deps);
    if (review !== undefined) return review;
    if (info.apiGroup !== "") return undefined;
    if (info.resource === "componentstatuses") {
      if (!["get", "list", "watch"].includes(info.verb)) throw methodNotAllowed();
      return componentStatuses;
    }
    if (
      info.resource === "serviceaccounts" &&
      info.subresource === "token" &&
      info.verb === "create"
    ) {
      return (asked) => requestToken(asked, deps.issuer);
    }
    return connectOperation(context, deps.credentials);
  };
}
