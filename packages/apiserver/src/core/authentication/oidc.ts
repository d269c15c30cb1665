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
import type { Authentication, UserInfo } from "./authenticator.ts";
import type { ClaimMapper } from "./claim-expressions.ts";
import type { JwtIssuer } from "./jwt-issuer.ts";

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
    const mapper = await mapperOf(claims, issuer);
    const user = userOf(claims, issuer, mapper);
    checkRequired(claims, issuer);
    mapper?.check(user);
    return { user };
  };
}

/** Expressions are evaluated by what is loaded where there are some. */
async function mapperOf(
  claims: JWTPayload,
  { expressions }: JwtIssuer,
): Promise<ClaimMapper | undefined> {
  if (expressions === undefined) return undefined;
  const { ClaimMapper } = await import("./claim-expressions.ts");
  return new ClaimMapper(expressions, claims);
}

function checkRequired(claims: JWTPayload, { requiredClaims }: JwtIssuer): void {
  for (const { claim, requiredValue } of requiredClaims) {
    if (!Object.hasOwn(claims, claim)) {
      throw new Error(`oidc: required claim ${claim} not present in ID token`);
    }
    const value = claims[claim];
    if (typeof value !== "string" && value !== null) {
      throw new Error(`oidc: parse claim ${claim}: ${notText(value)}`);
    }
    if ((value ?? "") === requiredValue) continue;
    const values = `Got = ${value ?? ""}, want = ${requiredValue}`;
    throw new Error(`oidc: required claim ${claim} value does not match. ${values}`);
  }
}

/** As Go's JSON decoder says it. */
function notText(value: unknown): string {
  const kind = Array.isArray(value) ? "array" : typeof value;
  const name = kind === "boolean" ? "bool" : kind;
  return `json: cannot unmarshal ${name} into Go value of type string`;
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

function userOf(claims: JWTPayload, issuer: JwtIssuer, mapper: ClaimMapper | undefined): UserInfo {
  const name = mapper?.username() ?? nameOf(claims, issuer);
  const groups = groupsOf(claims, issuer) ?? mapper?.groups() ?? [];
  const uid = issuer.uid === undefined ? mapper?.uid() : textClaim(claims, issuer.uid, "uid claim");
  const extra = Object.fromEntries([...credentialOf(claims), ...(mapper?.extra() ?? [])]);
  return {
    name,
    groups,
    ...(uid ? { uid } : {}),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

function nameOf(claims: JWTPayload, { username }: JwtIssuer): string {
  if (username === undefined) throw new Error("oidc: no claim says the username");
  const name = textClaim(claims, username.claim, "username claims");
  if (username.claim === "email" && Object.hasOwn(claims, "email_verified")) {
    if (claims["email_verified"] !== true) throw new Error("oidc: email not verified");
  }
  return username.prefix + name;
}

/** Which token it was, for the audit log. */
function credentialOf({ jti }: JWTPayload): [string, string[]][] {
  return jti ? [["authentication.kubernetes.io/credential-id", [`JTI=${jti}`]]] : [];
}

function textClaim(claims: JWTPayload, claim: string, what: string): string {
  const value = claims[claim];
  const refuse = (why: string) => new Error(`oidc: parse ${what} ${JSON.stringify(claim)}: ${why}`);
  if (value === undefined) throw refuse("claim not present");
  if (typeof value !== "string" && value !== null) throw refuse(notText(value));
  return value ?? "";
}

/** Undefined without such a claim; a string is one group. */
function groupsOf(claims: JWTPayload, { groups }: JwtIssuer): string[] | undefined {
  const value = groups === undefined ? undefined : claims[groups.claim];
  if (groups === undefined || value === undefined) return undefined;
  const values = typeof value === "string" ? [value] : (value ?? []);
  if (!Array.isArray(values) || values.some((one) => typeof one !== "string")) {
    throw new Error(`oidc: parse groups claim ${JSON.stringify(groups.claim)}: ${notText(value)}`);
  }
  return values.map((one) => groups.prefix + String(one));
}
