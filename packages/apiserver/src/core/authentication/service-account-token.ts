/**
 * Is this a service account's token? Bound tokens live as long as what they are bound to; legacy
 * ones (type kubernetes.io/service-account-token secrets) as long as their secret.
 *
 * A signature is checked once and remembered; expiry and the bound objects are checked every time.
 *
 * Errors  an Error that says why the token is refused; undefined when it is no token of ours
 * Source  pkg/serviceaccount/{jwt,claims,legacy}.go
 */
import type { Clock, KubeObject } from "@nanokube/machinery";
import { compactVerify, decodeJwt, decodeProtectedHeader, type JWTPayload } from "jose";
import type { ObjectReader } from "../object-reader.ts";
import type { Authentication } from "./authenticator.ts";
import {
  type BoundClaims,
  type Reference,
  type ServiceAccountInfo,
  serviceAccountUser,
  splitServiceAccountName,
} from "./service-account.ts";
import type { PublicKey } from "./token-keys.ts";
import type { TokenUses } from "./token-uses.ts";

const legacyIssuer = "kubernetes/serviceaccount";
const leewaySeconds = 60;
const remembered = 4096;

export interface ServiceAccountTokenOptions {
  issuers: readonly string[];
  keys: readonly PublicKey[];
  /** What the server itself is called in `aud`. */
  audiences: readonly string[];
  reader: ObjectReader;
  clock: Clock;
  /** What is counted and written of uses; nothing when absent. */
  uses?: TokenUses | undefined;
}

type Claims = JWTPayload & { "kubernetes.io"?: BoundClaims; [claim: string]: unknown };

function parse(token: string): { claims: Claims; kid: string | undefined } | undefined {
  if (token.split(".").length !== 3) return undefined;
  try {
    return { claims: decodeJwt(token) as Claims, kid: decodeProtectedHeader(token).kid };
  } catch {
    return undefined;
  }
}

async function isSigned(token: string, keys: readonly PublicKey[]): Promise<boolean> {
  for (const { key, algorithm } of keys) {
    try {
      await compactVerify(token, key, { algorithms: [algorithm] });
      return true;
    } catch {
      // Another key may fit.
    }
  }
  return false;
}

function checkTimes(claims: Claims, nowSeconds: number): void {
  if (claims.exp !== undefined && nowSeconds - leewaySeconds > claims.exp) {
    throw new Error("service account token has expired");
  }
  if (claims.nbf !== undefined && nowSeconds + leewaySeconds < claims.nbf) {
    throw new Error("service account token is not valid yet");
  }
  if (claims.iat !== undefined && nowSeconds + leewaySeconds < claims.iat) {
    throw new Error("service account token is issued in the future");
  }
}

function isGone(object: KubeObject, nowSeconds: number): boolean {
  const deleted = object.metadata?.deletionTimestamp;
  return Boolean(deleted) && Date.parse(deleted!) / 1000 < nowSeconds - leewaySeconds;
}

interface Context {
  /** Gathered on the way. */
  warnings: string[];
  annotations: Record<string, string>;
  options: ServiceAccountTokenOptions;
  claims: Claims;
  token: string;
  nowSeconds: number;
}

async function checkBound(
  { options, nowSeconds }: Context,
  plural: string,
  namespace: string,
  reference: Reference,
): Promise<void> {
  const object = await options.reader.get("", plural, namespace, reference.name);
  if (object === undefined || isGone(object, nowSeconds)) {
    throw new Error("service account token has been invalidated");
  }
  if (object.metadata?.uid !== reference.uid) {
    const noun = plural.slice(0, -1);
    const title = noun[0]!.toUpperCase() + noun.slice(1);
    throw new Error(
      `${title} UID (${object.metadata?.uid}) does not match service account ${noun} ref claim ` +
        `(${reference.uid})`,
    );
  }
}

async function checkAccount(
  context: Context,
  namespace: string,
  reference: Reference,
): Promise<KubeObject> {
  const { options, nowSeconds } = context;
  const { name, uid } = reference;
  const account = await options.reader.get("", "serviceaccounts", namespace, name);
  if (account === undefined) throw new Error(`serviceaccounts "${name}" not found`);
  if (account.metadata?.uid !== uid) {
    throw new Error(`service account UID (${account.metadata?.uid}) does not match claim (${uid})`);
  }
  if (isGone(account, nowSeconds)) {
    throw new Error(`service account ${namespace}/${name} has been deleted`);
  }
  return account;
}

async function validateBound(context: Context): Promise<ServiceAccountInfo> {
  const { claims } = context;
  const own = claims["kubernetes.io"];
  if (own === undefined) throw new Error("service account token has no kubernetes.io claim");
  const { namespace, serviceaccount, pod, node, secret } = own;
  await checkAccount(context, namespace, serviceaccount);
  if (secret !== undefined) await checkBound(context, "secrets", namespace, secret);
  if (pod !== undefined) await checkBound(context, "pods", namespace, pod);
  // A pod's token only tells its node; a node's token dies with it.
  if (node !== undefined && pod === undefined) await checkBound(context, "nodes", "", node);
  if (own.warnafter) noteAge(context, own.warnafter);
  const { name, uid } = serviceaccount;
  return { namespace, name, uid, pod, node, tokenID: claims.jti };
}

/** A kubelet's token lives for a year, and is told of when it is used after its time. */
function noteAge(context: Context, warnAfter: number): void {
  const { options, claims, nowSeconds, annotations } = context;
  const lateSeconds = nowSeconds - warnAfter;
  options.uses?.count(lateSeconds > 0 ? "stale" : "valid");
  if (lateSeconds <= 0) return;
  const what = `subject: ${claims.sub}, seconds after warning threshold: ${lateSeconds}`;
  annotations["authentication.k8s.io/stale-token"] = what;
}

function sameBytes(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

const legacyPrefix = "kubernetes.io/serviceaccount/";

async function validateLegacy(context: Context): Promise<ServiceAccountInfo> {
  const { claims, options, token } = context;
  const claim = (name: string, label: string): string => {
    const value = claims[legacyPrefix + name];
    if (typeof value !== "string" || value === "") throw new Error(`${label} claim is missing`);
    return value;
  };
  if (!claims.sub) throw new Error("sub claim is missing");
  const namespace = claim("namespace", "namespace");
  const secretName = claim("secret.name", "secretName");
  const name = claim("service-account.name", "serviceAccountName");
  const uid = claim("service-account.uid", "serviceAccountUID");
  const subject = splitServiceAccountName(claims.sub);
  if (subject?.namespace !== namespace || subject.name !== name) {
    throw new Error("sub claim is invalid");
  }
  const secret = await options.reader.get("", "secrets", namespace, secretName);
  if (secret === undefined || secret.metadata?.deletionTimestamp) {
    throw new Error("Token has been invalidated");
  }
  const stored = (secret.data as Record<string, string> | undefined)?.token ?? "";
  if (!sameBytes(atob(stored), token)) throw new Error("Token does not match server's copy");
  const account = await checkAccount(context, namespace, { name, uid });
  noteLegacy(context, secret, account);
  return { namespace, name, uid };
}

const invalidSince = "kubernetes.io/legacy-token-invalid-since";

/** Whoever uses a token that lives for ever is counted, warned, and found in the audit. */
function noteLegacy(context: Context, secret: KubeObject, account: KubeObject): void {
  const { options, warnings, annotations } = context;
  const { name = "", namespace = "", labels } = secret.metadata ?? {};
  const { uses } = options;
  uses?.usedToday(secret);
  if (labels?.[invalidSince]) {
    annotations["authentication.k8s.io/legacy-token-invalidated"] = `${name}/${namespace}`;
    uses?.count("invalid");
    throw new Error(
      `the token in secret ${namespace}/${name} for service account ` +
        `${namespace}/${account.metadata?.name} has been marked invalid. Use tokens from the ` +
        "TokenRequest API or manually created secret-based tokens, or remove the " +
        `'${invalidSince}' label from the secret to temporarily allow use of this token`,
    );
  }
  uses?.count("legacy");
  const made = (account as { secrets?: { name?: string }[] }).secrets ?? [];
  if (made.some((one) => one.name === name)) {
    uses?.count("automatic");
    annotations["authentication.k8s.io/legacy-token-autogenerated-secret"] = name;
    warnings.push(
      "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.",
    );
  } else {
    uses?.count("manual");
    annotations["authentication.k8s.io/legacy-token-manual-secret"] = name;
  }
}

export type VerifyToken = (
  token: string,
  audiences?: readonly string[],
) => Promise<Authentication | undefined>;

/** `audiences`: what the caller (a TokenReview) accepts; the server's own by default. */
export function createServiceAccountTokens(options: ServiceAccountTokenOptions): VerifyToken {
  const signed = new Map<string, boolean>();

  const verify = async (token: string, kid: string | undefined): Promise<boolean> => {
    const known = signed.get(token);
    if (known !== undefined) return known;
    const byID = options.keys.filter((key) => key.kid === kid);
    const good = await isSigned(token, byID.length > 0 ? byID : options.keys);
    if (signed.size >= remembered) signed.delete(signed.keys().next().value!);
    signed.set(token, good);
    return good;
  };

  return async (token, wanted = options.audiences) => {
    const parsed = parse(token);
    if (parsed === undefined) return undefined;
    const { claims, kid } = parsed;
    const legacy = claims.iss === legacyIssuer;
    if (!legacy && !options.issuers.includes(claims.iss ?? "")) return undefined;
    if (!(await verify(token, kid))) throw new Error("invalid signature");
    const given = claims.aud === undefined ? [] : [claims.aud].flat();
    // A legacy token names no audience: it is for the server itself.
    const audiences = (given.length === 0 ? options.audiences : given).filter((audience) =>
      wanted.includes(audience),
    );
    if (wanted.length > 0 && audiences.length === 0) {
      throw new Error(
        `token audiences ${JSON.stringify(given)} is invalid for the target audiences ` +
          JSON.stringify(wanted),
      );
    }
    const nowSeconds = Math.floor(options.clock.now() / 1000);
    const remarks = { warnings: [], annotations: {} };
    const context: Context = { options, claims, token, nowSeconds, ...remarks };
    if (!legacy) checkTimes(claims, nowSeconds);
    const info = await (legacy ? validateLegacy(context) : validateBound(context));
    const { warnings, annotations } = context;
    const isSilent = warnings.length === 0 && Object.keys(annotations).length === 0;
    const said = isSilent ? undefined : { warnings, annotations };
    return { user: serviceAccountUser(info), audiences, remarks: said };
  };
}
