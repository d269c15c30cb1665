/**
 * All the ways to say who one is, in upstream's order: front proxy, client certificate, token
 * (file, service account, bootstrap, other issuers, webhook); with none of them, anonymous.
 *
 * Errors  401 "Unauthorized" for credentials nobody accepts; why is only logged
 * Source  pkg/kubeapiserver/authenticator/config.go
 */
import { type Clock, type Log, unauthorized } from "@nanokube/machinery";
import type { ObjectReader } from "../object-reader.ts";
import type { Authentication, Authenticator, Credentials, UserInfo } from "./authenticator.ts";
import { authenticateBootstrapToken } from "./bootstrap-token.ts";
import {
  certificateUser,
  createCertificateChecker,
  isInTime,
  type OpenAuthorities,
} from "./certificate.ts";
import type { VerifyIDToken } from "./oidc.ts";
import { type RequestHeaderOptions, userFromHeaders } from "./request-header.ts";
import { createServiceAccountTokens, type VerifyToken } from "./service-account-token.ts";
import type { PublicKey } from "./token-keys.ts";
import type { TokenUses } from "./token-uses.ts";
import type { WebhookTokens } from "./webhook-token.ts";

export interface AuthenticatorOptions {
  clock: Clock;
  log: Log;
  reader: ObjectReader;
  openAuthorities: OpenAuthorities;
  /** PEM bundle; client certificates are off without it. */
  clientCA?: string | undefined;
  /** Whether a certificate may say the user's uid; it may unless told. */
  readsUID?: boolean;
  requestHeader?: RequestHeaderOptions | undefined;
  /** Token → user, see parseTokenFile. */
  tokens?: ReadonlyMap<string, UserInfo> | undefined;
  bootstrapTokens?: boolean;
  serviceAccounts?:
    | { issuers: readonly string[]; keys: readonly PublicKey[]; uses?: TokenUses | undefined }
    | undefined;
  /** The server's own audiences; the first issuer when absent. */
  audiences?: readonly string[];
  /** ID tokens of other issuers. */
  idTokens?: VerifyIDToken | undefined;
  /** Another server that knows tokens. */
  webhook?: WebhookTokens | undefined;
  /** Requests without credentials are system:anonymous; true unless told. */
  anonymous?: boolean;
  /** Only for these paths; for all when absent. */
  anonymousPaths?: readonly string[] | undefined;
}

export interface ServerAuthenticator extends Authenticator {
  /** TokenReview: undefined for a token nobody knows; throws an Error that says what is wrong. */
  reviewToken: VerifyToken;
}

const anonymousUser: UserInfo = {
  name: "system:anonymous",
  groups: ["system:unauthenticated"],
};

function withAuthenticated(user: UserInfo): UserInfo {
  if (user.groups.includes("system:authenticated")) return user;
  if (user.name === anonymousUser.name || user.groups.includes("system:unauthenticated")) {
    return user;
  }
  return { ...user, groups: [...user.groups, "system:authenticated"] };
}

/** The token of `Authorization: Bearer t`, or of a WebSocket's subprotocol. */
export function bearerToken(headers: Credentials["headers"]): string | undefined {
  const match = /^bearer +(\S+)/i.exec(headers.authorization?.trim() ?? "");
  if (match !== null) return match[1];
  const prefix = "base64url.bearer.authorization.k8s.io.";
  const protocol = (headers["sec-websocket-protocol"] ?? "")
    .split(",")
    .map((text) => text.trim())
    .find((text) => text.startsWith(prefix));
  if (protocol === undefined) return undefined;
  const encoded = protocol.slice(prefix.length).replaceAll("-", "+").replaceAll("_", "/");
  try {
    return atob(encoded);
  } catch {
    return undefined;
  }
}

function createTokenCheck(
  options: AuthenticatorOptions,
  audiences: readonly string[],
): VerifyToken {
  const { clock, reader, serviceAccounts } = options;
  const bound =
    serviceAccounts === undefined
      ? undefined
      : createServiceAccountTokens({ ...serviceAccounts, audiences, reader, clock });
  const ways: VerifyToken[] = [
    async (token) => {
      const user = options.tokens?.get(token);
      return user === undefined ? undefined : { user };
    },
    async (token, wanted) => bound?.(token, wanted),
    async (token) => {
      if (!options.bootstrapTokens) return undefined;
      const user = await authenticateBootstrapToken(token, reader, clock);
      return user === undefined ? undefined : { user };
    },
    async (token) => options.idTokens?.(token),
    async (token, wanted) => options.webhook?.(token, wanted ?? []),
  ];
  return (token, wanted) => firstToKnow(ways, token, wanted);
}

/** Somebody may know a token that another way refused; who refused is heard when nobody does. */
async function firstToKnow(
  ways: readonly VerifyToken[],
  ...call: Parameters<VerifyToken>
): Promise<Authentication | undefined> {
  const errors: string[] = [];
  for (const way of ways) {
    try {
      const found = await way(...call);
      if (found !== undefined) return found;
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (errors.length === 0) return undefined;
  throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(", ")}]`);
}

export function createAuthenticator(options: AuthenticatorOptions): ServerAuthenticator {
  const { clock, log, openAuthorities, requestHeader, clientCA } = options;
  const checker = (bundle: string) => createCertificateChecker(openAuthorities, bundle);
  const checkClient = clientCA ? checker(clientCA) : undefined;
  const checkProxy = requestHeader ? checker(requestHeader.ca) : undefined;
  const audiences = options.audiences ?? options.serviceAccounts?.issuers.slice(0, 1) ?? [];
  const checkToken = createTokenCheck(options, audiences);

  const asProxy = async (credentials: Credentials) => {
    const { peerCertificate } = credentials;
    if (!checkProxy || !requestHeader || peerCertificate === undefined) return undefined;
    const user = userFromHeaders(credentials, requestHeader);
    if (user === undefined) return undefined;
    const proxy = checkProxy(peerCertificate);
    if (proxy === undefined || !isInTime(proxy, clock)) return undefined;
    const { allowedNames } = requestHeader;
    if (allowedNames.length > 0 && !allowedNames.includes(proxy.commonName)) return undefined;
    return { user };
  };

  /** "refused": nobody we know signed it, or its time is over. */
  const certificateOf = ({ peerCertificate }: Credentials) => {
    if (!checkClient || peerCertificate === undefined) return undefined;
    const certificate = checkClient(peerCertificate);
    return certificate !== undefined && isInTime(certificate, clock) ? certificate : "refused";
  };

  const asCertificate = async (credentials: Credentials) => {
    const certificate = certificateOf(credentials);
    if (certificate === undefined || certificate === "refused") return undefined;
    try {
      const user = certificateUser(certificate, options.readsUID ?? true);
      return user === undefined ? undefined : { user };
    } catch (error) {
      log.warn({ error: String(error) }, "unable to authenticate the request");
      throw unauthorized("Unauthorized");
    }
  };

  const asToken = async ({ headers }: Credentials): Promise<Authentication | undefined> => {
    const token = bearerToken(headers);
    if (token === undefined) return undefined;
    let found: Authentication | undefined;
    try {
      found = await checkToken(token);
    } catch (error) {
      log.warn({ error: String(error) }, "unable to authenticate the request");
      throw unauthorized("Unauthorized");
    }
    if (found === undefined) {
      log.warn({ error: "invalid bearer token" }, "unable to authenticate the request");
      throw unauthorized("Unauthorized");
    }
    return found;
  };

  return {
    reviewToken: async (token, wanted) => {
      const found = await checkToken(token, wanted);
      return found === undefined ? undefined : { ...found, user: withAuthenticated(found.user) };
    },
    async authenticate(credentials) {
      for (const attempt of [asProxy, asCertificate, asToken]) {
        const found = await attempt(credentials);
        if (found !== undefined) {
          return { audiences, ...found, user: withAuthenticated(found.user) };
        }
      }
      // Who shows a bad certificate is not taken for somebody without one.
      if (certificateOf(credentials) === "refused") throw unauthorized("Unauthorized");
      const isOpen = options.anonymousPaths?.includes(credentials.path ?? "") ?? true;
      if (options.anonymous === false || !isOpen) throw unauthorized("Unauthorized");
      return { user: anonymousUser, audiences };
    },
  };
}
