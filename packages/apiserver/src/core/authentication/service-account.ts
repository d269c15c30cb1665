/**
 * Service accounts as users: their names, groups and the claims their tokens carry.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/authentication/serviceaccount/util.go
 */
import type { UserInfo } from "./authenticator.ts";

const prefix = "system:serviceaccount:";

export interface Reference {
  name: string;
  uid: string;
}

/** The private claim "kubernetes.io" of a bound token. */
export interface BoundClaims {
  namespace: string;
  node?: Reference;
  pod?: Reference;
  secret?: Reference;
  serviceaccount: Reference;
  /** Seconds since the epoch from which use of the token is stale but still accepted. */
  warnafter?: number;
}

export interface ServiceAccountInfo {
  namespace: string;
  name: string;
  uid: string;
  pod?: Reference | undefined;
  node?: Reference | undefined;
  /** The token's jti. */
  tokenID?: string | undefined;
}

export function serviceAccountUserName(namespace: string, name: string): string {
  return `${prefix}${namespace}:${name}`;
}

export function serviceAccountGroups(namespace: string): string[] {
  return ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
}

/** Undefined when the user is no service account. */
export function splitServiceAccountName(
  user: string,
): { namespace: string; name: string } | undefined {
  if (!user.startsWith(prefix)) return undefined;
  const [namespace, name, ...more] = user.slice(prefix.length).split(":");
  if (!namespace || !name || more.length > 0) return undefined;
  return { namespace, name };
}

export function serviceAccountUser(info: ServiceAccountInfo): UserInfo {
  const extra: Record<string, string[]> = {};
  if (info.tokenID) extra["authentication.kubernetes.io/credential-id"] = [`JTI=${info.tokenID}`];
  if (info.pod !== undefined) {
    extra["authentication.kubernetes.io/pod-name"] = [info.pod.name];
    extra["authentication.kubernetes.io/pod-uid"] = [info.pod.uid];
  }
  if (info.node !== undefined) {
    extra["authentication.kubernetes.io/node-name"] = [info.node.name];
    if (info.node.uid) extra["authentication.kubernetes.io/node-uid"] = [info.node.uid];
  }
  return {
    name: serviceAccountUserName(info.namespace, info.name),
    uid: info.uid,
    groups: serviceAccountGroups(info.namespace),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}
