/** The ways in that need the network: webhooks and the keys of other issuers. */
import type { AuthenticatorOptions } from "../core/authentication/create-authenticator.ts";
import { createOIDC } from "../core/authentication/oidc.ts";
import { createTokenWebhook } from "../core/authentication/webhook-token.ts";
import type { Authorizer } from "../core/authorization/authorizer.ts";
import { createAuthorizationWebhook } from "../core/authorization/webhook.ts";
import type { ApiServerOptions } from "./api-server.ts";
import { createIssuerKeys } from "./issuer-keys.ts";
import { createReviewWebhook } from "./review-webhook.ts";

const tokenReviewTimeoutMs = 30_000;

export function accessWays(
  options: ApiServerOptions,
): Pick<AuthenticatorOptions, "idTokens" | "webhook" | "anonymous" | "anonymousPaths"> {
  const { access, clock } = options;
  const webhook = access?.tokenWebhook;
  return {
    anonymous: access?.anonymous?.enabled ?? options.anonymous ?? true,
    anonymousPaths: access?.anonymous?.paths,
    idTokens: (access?.jwtIssuers ?? []).map((issuer) =>
      createOIDC(issuer, createIssuerKeys(issuer, clock), clock),
    ),
    ...(webhook === undefined
      ? {}
      : {
          webhook: createTokenWebhook({
            ask: createReviewWebhook(webhook.kubeconfig, tokenReviewTimeoutMs),
            cacheTTLMs: webhook.cacheTTLMs,
            clock,
          }),
        }),
  };
}

export function authorizationWebhooks({ access, clock, log }: ApiServerOptions): Authorizer[] {
  const webhooks: Authorizer[] = [];
  for (const settings of access?.authorizers ?? []) {
    if (!("kubeConfigFile" in settings)) continue;
    const ask = createReviewWebhook(settings.kubeConfigFile, settings.timeoutMs);
    webhooks.push(createAuthorizationWebhook({ ...settings, ask, clock, log }));
  }
  return webhooks;
}
