/**
 * ID tokens of other issuers (OpenID Connect): signed by the issuer's keys, meant for this cluster,
 * and their claims say who it is.
 *
 * Shapes  a token of another issuer is nobody's here (undefined), so that others may know it
 * Errors  an Error that says why a token of this issuer is refused
 * Source  apiserver plugin/pkg/authenticator/token/oidc/oidc.go
 */
import type { Clock } from "@nanokube/machinery";
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import type { JwtIssuer } from "./authentication-configuration.ts";
import type { Authentication, UserInfo } from "./authenticator.ts";

/** Signature algorithms when none are configured. */
export const usualAlgorithms = ["RS256"];

export interface IssuerKeys {
  /** The issuer's keys; `renew` asks the issuer again. */
  get(renew: boolean): Promise<JSONWebKeySet>;
}

export type VerifyIDToken = (token: string) => Promise<Authentication | undefined>;

export function createOIDC(issuer: JwtIssuer, keys: IssuerKeys, clock: Clock): VerifyIDToken {
  return async (token) => {
    if (issuerOf(token) !== issuer.url) return undefined;
    const claims = await verify(token, issuer, keys, clock);
    checkAudience(claims, issuer);
    for (const { claim, requiredValue } of issuer.requiredClaims) {
      if (!Object.hasOwn(claims, claim)) {
        throw new Error(`oidc: required claim ${claim} not present in ID token`);
      }
      if (claims[claim] === requiredValue) continue;
      const is = JSON.stringify(String(claims[claim]));
      throw new Error(
        `oidc: required claim ${claim} value does not match. Got = ${is}, want = ${requiredValue}`,
      );
    }
    return { user: userOf(claims, issuer) };
  };
}

function issuerOf(token: string): string | undefined {
  try {
    return token.split(".").length === 3 ? decodeJwt(token).iss : undefined;
  } catch {
    return undefined;
  }
}

async function verify(
  token: string,
  issuer: JwtIssuer,
  keys: IssuerKeys,
  clock: Clock,
): Promise<JWTPayload> {
  const options = {
    algorithms: [...issuer.algorithms],
    issuer: issuer.url,
    currentDate: new Date(clock.now()),
  };
  const attempt = async (renew: boolean): Promise<JWTPayload> => {
    const set = createLocalJWKSet(await keys.get(renew));
    return (await jwtVerify(token, set, options)).payload;
  };
  try {
    return await attempt(false);
  } catch (error) {
    // The issuer may sign with a key that is newer than our copy of its set.
    const { code } = error as { code?: string };
    if (code !== "ERR_JWKS_NO_MATCHING_KEY") throw refused(error);
    return attempt(true).catch((again: unknown) => Promise.reject(refused(again)));
  }
}

function refused(error: unknown): Error {
  const { code, message } = error as { code?: string; message: string };
  if (code === "ERR_JWT_EXPIRED") return new Error("oidc: verify token: oidc: token is expired");
  return new Error(`oidc: verify token: ${message}`);
}

function checkAudience({ aud = [] }: JWTPayload, { audiences }: JwtIssuer): void {
  const has = typeof aud === "string" ? [aud] : aud;
  if (has.some((audience) => audiences.includes(audience))) return;
  const expected = audiences.map((one) => JSON.stringify(one)).join(" ");
  throw new Error(
    `oidc: verify token: oidc: expected audience in [${expected}] got ${JSON.stringify(has)}`,
  );
}

function userOf(claims: JWTPayload, { username, groups, uid }: JwtIssuer): UserInfo {
  const name = textClaim(claims, username.claim);
  if (username.claim === "email" && Object.hasOwn(claims, "email_verified")) {
    if (claims["email_verified"] !== true) throw new Error("oidc: email not verified");
  }
  const info: UserInfo = { name: username.prefix + name, groups: groupsOf(claims, groups) };
  return uid === undefined ? info : { ...info, uid: textClaim(claims, uid) };
}

function textClaim(claims: JWTPayload, claim: string): string {
  const value = claims[claim];
  if (value === undefined)
    throw new Error(`oidc: parse username claims ${JSON.stringify(claim)}: claim not present`);
  if (typeof value !== "string") {
    throw new Error(`oidc: parse username claims ${JSON.stringify(claim)}: claim is not a string`);
  }
  return value;
}

/** A claim that is absent is no group; a string is one. */
function groupsOf(claims: JWTPayload, mapping: JwtIssuer["groups"]): string[] {
  const value = mapping === undefined ? undefined : claims[mapping.claim];
  if (mapping === undefined || value === undefined) return [];
  const values = typeof value === "string" ? [value] : value;
  if (!Array.isArray(values) || values.some((one) => typeof one !== "string")) {
    throw new Error(`oidc: parse groups claim ${JSON.stringify(mapping.claim)}: not strings`);
  }
  return values.map((one) => mapping.prefix + String(one));
}
