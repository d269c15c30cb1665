/**
 * TokenRequest: a signed token for a service account, bound to a pod, secret or node if asked.
 *
 * Units   expirationSeconds, at least 600; a kubelet's 3607 is stretched to a year that only warns
 * Errors  StatusError as upstream's token subresource
 * Source  pkg/registry/core/serviceaccount/storage/token.go, pkg/serviceaccount/claims.go
 */
import type { TokenRequest } from "@nanokube/api/authentication/v1";
import {
  badRequest,
  type Clock,
  conflict,
  FieldPath,
  invalid,
  invalidValue,
  type KubeObject,
  notFound,
  type Random,
} from "@nanokube/machinery";
import { SignJWT } from "jose";
import type { ObjectReader } from "../object-reader.ts";
import { type BoundClaims, type Reference, serviceAccountUserName } from "./service-account.ts";
import type { SigningKey } from "./token-keys.ts";

export interface TokenIssuerOptions {
  issuer: string;
  key: SigningKey;
  /** Audiences of a request that names none. */
  audiences: readonly string[];
  maxExpirationSeconds?: number | undefined;
  /** Stretch kubelet's tokens (--service-account-extend-token-expiration); true unless told. */
  extendExpiration?: boolean | undefined;
  /** A request for an account that was made anew is refused; true unless told. */
  checksUID?: boolean | undefined;
  reader: ObjectReader;
  clock: Clock;
  random: Random;
}

/** Where what is to be said goes: to the caller, and to the audit. */
export interface TokenRemarks {
  warn(text: string): void;
  annotate: ((key: string, value: string) => void) | undefined;
}

export interface TokenIssuer {
  /** The request with its status filled in. */
  issue(
    request: TokenRequest,
    namespace: string,
    name: string,
    heard?: Partial<TokenRemarks>,
  ): Promise<TokenRequest>;
}

const kubeletSeconds = 60 * 60 + 7;
const yearSeconds = 365 * 24 * 60 * 60;
const requestKind = { group: "authentication.k8s.io", kind: "TokenRequest" };

function validate(seconds: number): void {
  const at = FieldPath.root("spec", "expirationSeconds");
  if (seconds < 600) {
    const why = "may not specify a duration less than 10 minutes";
    throw invalid(requestKind, "", [invalidValue(at, seconds, why)]);
  }
  if (seconds > 2 ** 32) {
    const why = "may not specify a duration larger than 2^32 seconds";
    throw invalid(requestKind, "", [invalidValue(at, seconds, why)]);
  }
}

function referTo(object: KubeObject): Reference {
  return { name: object.metadata?.name ?? "", uid: object.metadata?.uid ?? "" };
}

type Bound = Pick<BoundClaims, "pod" | "node" | "secret">;

async function bindToPod(reader: ObjectReader, pod: KubeObject, account: string): Promise<Bound> {
  const spec = pod.spec as { serviceAccountName?: string; nodeName?: string } | undefined;
  if (spec?.serviceAccountName !== account) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with ` +
        "different serviceaccount name.",
    );
  }
  const bound: Bound = { pod: referTo(pod) };
  if (spec.nodeName) {
    const node = await reader.get("", "nodes", "", spec.nodeName);
    bound.node = node === undefined ? { name: spec.nodeName, uid: "" } : referTo(node);
  }
  return bound;
}

const plurals: Record<string, string> = { Pod: "pods", Node: "nodes", Secret: "secrets" };

async function bind(
  reader: ObjectReader,
  request: TokenRequest,
  namespace: string,
  account: string,
): Promise<Bound> {
  const reference = request.spec?.boundObjectRef;
  if (reference === undefined || reference === null) return {};
  const { apiVersion = "", kind = "", name = "", uid = "" } = reference;
  const plural = apiVersion.includes("/") ? undefined : plurals[kind];
  if (plural === undefined) {
    const [version = "", group = ""] = apiVersion.split("/").reverse();
    const text = `${group}/${version}, Kind=${kind}`;
    throw badRequest(`cannot bind token to object of type ${text}`);
  }
  const object = await reader.get("", plural, kind === "Node" ? "" : namespace, name);
  if (object === undefined) throw notFound({ group: "", resource: plural }, name);
  const found = object.metadata?.uid ?? "";
  const bound =
    kind === "Pod"
      ? await bindToPod(reader, object, account)
      : { [kind.toLowerCase()]: referTo(object) };
  if (uid !== "" && uid !== found) {
    throw conflict(
      { group: "", resource: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. ` +
        "The object might have been deleted and then recreated",
    );
  }
  return bound;
}

function sign(
  options: TokenIssuerOptions,
  claims: BoundClaims,
  audiences: string[],
  times: { now: number; expiry: number },
): Promise<string> {
  const { issuer, key, random } = options;
  return new SignJWT({ "kubernetes.io": { ...claims } })
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid })
    .setIssuer(issuer)
    .setSubject(serviceAccountUserName(claims.namespace, claims.serviceaccount.name))
    .setAudience(audiences)
    .setIssuedAt(times.now)
    .setNotBefore(times.now)
    .setExpirationTime(times.expiry)
    .setJti(random.uuid())
    .sign(key.privateKey);
}

function checkNames(request: TokenRequest, namespace: string, name: string): void {
  const at = FieldPath.root("metadata");
  const own = request.metadata ?? {};
  if (own.name && own.name !== name) {
    const why = "must match the service account name if specified";
    throw invalid(requestKind, name, [invalidValue(at.child("name"), own.name, why)]);
  }
  if (own.namespace && own.namespace !== namespace) {
    const why = "must match the service account namespace if specified";
    throw invalid(requestKind, name, [invalidValue(at.child("namespace"), own.namespace, why)]);
  }
}

/** The uid of the answer: the request's own where it may be another than the account's. */
function checkUID(
  { checksUID = true }: TokenIssuerOptions,
  request: TokenRequest,
  account: KubeObject,
  { warn, annotate }: Partial<TokenRemarks>,
): string {
  const { name = "", uid: found = "" } = account.metadata ?? {};
  const uid = request.metadata?.uid || found;
  if (uid === found) return uid;
  const why = `the UID in the token request (${uid}) does not match the UID of the service account (${found})`;
  if (checksUID) {
    throw conflict({ group: requestKind.group, resource: requestKind.kind }, name, why);
  }
  annotate?.("authentication.k8s.io/token-request-uid-mismatch", why);
  warn?.(
    `${why} but TokenRequestServiceAccountUIDValidation is not enabled. In the future, this will return a conflict error`,
  );
  return uid;
}

export function createTokenIssuer(options: TokenIssuerOptions): TokenIssuer {
  return {
    async issue(request, namespace, name, remarks = {}) {
      const { warn } = remarks;
      checkNames(request, namespace, name);
      const account = await options.reader.get("", "serviceaccounts", namespace, name);
      if (account === undefined) throw notFound({ group: "", resource: "serviceaccounts" }, name);
      const uid = checkUID(options, request, account, remarks);
      const audiences = request.spec?.audiences ?? [];
      const asked = audiences.length > 0 ? [...audiences] : [...options.audiences];
      let seconds = request.spec?.expirationSeconds ?? 3600;
      validate(seconds);
      const bound = await bind(options.reader, request, namespace, name);
      const { maxExpirationSeconds: most = Number.POSITIVE_INFINITY } = options;
      if (seconds > most) {
        warn?.(`requested expiration of ${seconds} seconds shortened to ${most} seconds`);
        seconds = most;
      }
      const now = Math.floor(options.clock.now() / 1000);
      const claims: BoundClaims = { namespace, ...bound, serviceaccount: referTo(account) };
      let lifetime = seconds;
      const stretch =
        (options.extendExpiration ?? true) &&
        bound.pod !== undefined &&
        seconds === kubeletSeconds &&
        asked.every((audience) => options.audiences.includes(audience));
      if (stretch) {
        claims.warnafter = now + seconds;
        lifetime = yearSeconds;
      }
      const token = await sign(options, claims, asked, { now, expiry: now + lifetime });
      const expires = new Date((now + seconds) * 1000).toISOString().replace(".000Z", "Z");
      return {
        ...request,
        metadata: {
          ...request.metadata,
          name,
          namespace,
          uid,
          creationTimestamp: new Date(now * 1000).toISOString().replace(".000Z", "Z"),
        },
        spec: { ...request.spec, audiences: asked, expirationSeconds: seconds },
        status: { token, expirationTimestamp: expires },
      } as TokenRequest;
    },
  };
}
