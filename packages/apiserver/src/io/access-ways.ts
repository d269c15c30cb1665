/** The ways in that need the network: webhooks and the keys of other issuers. */
import type { AuthenticatorOptions } from "../core/authentication/create-authenticator.ts";
import type { JwtIssuer } from "../core/authentication/jwt-issuer.ts";
import { createOIDC, type VerifyIDToken } from "../core/authentication/oidc.ts";
import { createTokenWebhook } from "../core/authentication/webhook-token.ts";
import type { AuthorizationAttributes, Authorizer } from "../core/authorization/authorizer.ts";
import type { AuthorizerSettings } from "../core/authorization/authorizer-settings.ts";
import type { ServerAuthorizer } from "../core/authorization/create-authorizer.ts";
import { createAuthorizationWebhook } from "../core/authorization/webhook.ts";
import type { ApiServerOptions } from "./api-server.ts";
import { createIssuerKeys } from "./issuer-keys.ts";
import { createReviewWebhook } from "./review-webhook.ts";

const tokenReviewTimeoutMs = 30_000;

export function accessWays(
  options: ApiServerOptions,
  signal: AbortSignal,
): Pick<AuthenticatorOptions, "idTokens" | "webhook" | "anonymous" | "anonymousPaths"> {
  const { access, clock } = options;
  const webhook = access?.tokenWebhook;
  return {
    anonymous: access?.anonymous?.enabled ?? options.anonymous ?? true,
    anonymousPaths: access?.anonymous?.paths,
    idTokens: idTokensOf(options, signal),
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

/** A token is of one issuer at most. */
function idTokensOf(options: ApiServerOptions, signal: AbortSignal): VerifyIDToken | undefined {
  const { access, clock, log } = options;
  const file = access?.authenticationFile;
  const known = access?.jwtIssuers ?? [];
  if (known.length === 0 && file === undefined) return undefined;
  const verifiers = (issuers: readonly JwtIssuer[]) =>
    issuers.map((issuer) => {
      const keys = createIssuerKeys(issuer, clock);
      return { keys, verify: createOIDC(issuer, keys, clock) };
    });
  let current = verifiers(known);
  const follow = async (): Promise<void> => {
    const { followAuthenticationFile } = await import("./authentication-file.ts");
    const use = async (issuers: readonly JwtIssuer[]): Promise<void> => {
      const next = verifiers(issuers);
      await Promise.all(next.map(({ keys }) => keys.get(false)));
      current = next;
    };
    followAuthenticationFile(file!, use, { log, signal });
  };
  if (file !== undefined) void follow();
  return async (token) => {
    for (const { verify } of current) {
      const found = await verify(token);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

export function authorizationWebhooks(
  { clock, log }: Pick<ApiServerOptions, "clock" | "log">,
  authorizers: readonly AuthorizerSettings[],
): Authorizer[] {
  const webhooks: Authorizer[] = [];
  for (const settings of authorizers) {
    if (!("kubeConfigFile" in settings)) continue;
    const { matchConditions: conditions } = settings;
    const ask = createReviewWebhook(settings.kubeConfigFile, settings.timeoutMs);
    const isMeant =
      conditions &&
      (async (attributes: AuthorizationAttributes) => {
        const { meetsAll } = await import("../core/authorization/match-conditions.ts");
        return meetsAll(conditions, attributes);
      });
    webhooks.push(createAuthorizationWebhook({ ...settings, ask, isMeant, clock, log }));
  }
  return webhooks;
}

/** Those of the configuration file, again when it changes. */
export async function followAuthorizers(
  options: ApiServerOptions,
  authorizer: ServerAuthorizer,
  signal: AbortSignal,
): Promise<void> {
  const path = options.access?.authorizationFile;
  if (path === undefined) return;
  const { followAuthorizationFile } = await import("./authorization-file.ts");
  const use = (authorizers: readonly AuthorizerSettings[]): void => {
    const modes = authorizers.map(({ type }) => type);
    authorizer.renew({ modes, webhooks: authorizationWebhooks(options, authorizers) });
  };
  followAuthorizationFile(path, use, { log: options.log, signal });
}
