/** Issues service-account tokens, where there is a key to sign them with. */
import { createTokenIssuer, type TokenIssuer } from "../core/authentication/token-issuer.ts";
import { usualGates } from "../core/feature-gates.ts";
import type { ObjectReader } from "../core/object-reader.ts";
import type { ApiServerOptions } from "./api-server.ts";
import type { Keys } from "./service-account-keys.ts";

export function buildIssuer(
  options: ApiServerOptions,
  { signing }: Keys,
  reader: ObjectReader,
): TokenIssuer | undefined {
  if (signing === undefined) return undefined;
  const { clock, random, serviceAccountIssuer } = options;
  return createTokenIssuer({
    issuer: serviceAccountIssuer,
    key: signing,
    audiences: options.apiAudiences ?? [serviceAccountIssuer],
    maxExpirationSeconds: options.serviceAccountTokens?.maxExpirationSeconds,
    extendExpiration: options.serviceAccountTokens?.extendExpiration,
    checksUID: (options.featureGates ?? usualGates).isOn("TokenRequestServiceAccountUIDValidation"),
    reader,
    clock,
    random,
  });
}
