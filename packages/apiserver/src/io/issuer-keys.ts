/**
 * The keys of an OpenID Connect issuer, as it publishes them: asked for at first use, again when a
 * token is signed with one that is not among them (at most every ten seconds).
 *
 * Source  apiserver plugin/pkg/authenticator/token/oidc/oidc.go; OpenID Connect Discovery 1.0
 */
import { urlToHttpOptions } from "node:url";
import type { Clock } from "@nanokube/machinery";
import type { JSONWebKeySet } from "jose";
import type { JwtIssuer } from "../core/authentication/jwt-issuer.ts";
import type { IssuerKeys } from "../core/authentication/oidc.ts";
import { wholeAnswer } from "./whole-answer.ts";

const renewAtMostEveryMs = 10_000;
const timeoutMs = 30_000;

export function createIssuerKeys(issuer: JwtIssuer, clock: Clock): IssuerKeys {
  let known: Promise<JSONWebKeySet> | undefined;
  let askedAtMs = 0;
  return {
    get(renew) {
      const isOld = clock.monotonic() - askedAtMs > renewAtMostEveryMs;
      if (known !== undefined && !(renew && isOld)) return known;
      askedAtMs = clock.monotonic();
      const asked = fetchKeys(issuer);
      // A failure is not kept: the next token asks again.
      asked.catch(() => {
        if (known === asked) known = undefined;
      });
      known = asked;
      return asked;
    },
  };
}

async function fetchKeys(issuer: JwtIssuer): Promise<JSONWebKeySet> {
  const { url, discoveryURL, certificateAuthority: ca } = issuer;
  const document = discoveryURL ?? `${url.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const found = (await fetchJSON(document, ca)) as { issuer?: string; jwks_uri?: string };
  if (found.issuer !== url) {
    const is = JSON.stringify(found.issuer);
    throw new Error(
      `oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(url)} got ${is}`,
    );
  }
  return (await fetchJSON(found.jwks_uri ?? "", ca)) as JSONWebKeySet;
}

async function fetchJSON(url: string, ca: string | undefined): Promise<unknown> {
  const options = { ...urlToHttpOptions(new URL(url)), ...(ca ? { ca } : {}) };
  const { status, text } = await wholeAnswer(options, { timeoutMs });
  if (status !== 200) throw new Error(`${url}: ${status}`);
  return JSON.parse(text);
}
