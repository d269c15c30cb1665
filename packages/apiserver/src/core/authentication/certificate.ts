/**
 * Client certificates: CN is the user, each O a group, 1.3.6.1.4.1.57683.2 the uid.
 *
 * TLS asks for a certificate but does not judge it, because two authorities may sign one (clients,
 * and the front proxy); each authenticator checks the signature of its own. A checked certificate
 * is remembered with its connection.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/authentication/request/x509/x509.go
 */
import type { Clock } from "@nanokube/machinery";
import type { UserInfo } from "./authenticator.ts";

const clientAuth = "1.3.6.1.5.5.7.3.2";
const anyUsage = "2.5.29.37.0";

export interface CheckedCertificate {
  commonName: string;
  organizations: string[];
  /** Values of Kubernetes' own attribute for it; a user has one or none. */
  uids: string[];
  /** SHA-256 of the DER in hexadecimal, for the credential id. */
  fingerprint: string;
  notBeforeMs: number;
  notAfterMs: number;
}

export interface SignedCertificate extends CheckedCertificate {
  /** OIDs; absent when the certificate does not say. */
  extendedKeyUsages: readonly string[] | undefined;
}

/** What a certificate says, in DER; undefined when no authority of the PEM bundle signed it. */
export type OpenAuthorities = (bundle: string) => Authorities;

export interface Authorities {
  (der: Uint8Array): SignedCertificate | undefined;
  /** Grows when they become others: then what was checked before says nothing. */
  generation?(): number;
}

export type CheckCertificate = (der: Uint8Array) => CheckedCertificate | undefined;

/** Undefined when no authority of the bundle signed it, or it is not for clients. */
export function createCertificateChecker(open: OpenAuthorities, bundle: string): CheckCertificate {
  const read = open(bundle);
  let known = new WeakMap<Uint8Array, { certificate: CheckedCertificate | undefined }>();
  let knownAt = 0;

  const examine = (der: Uint8Array): CheckedCertificate | undefined => {
    const certificate = read(der);
    const usages = certificate?.extendedKeyUsages;
    const isForClients = !usages || usages.includes(clientAuth) || usages.includes(anyUsage);
    return isForClients ? certificate : undefined;
  };

  return (der) => {
    const generation = read.generation?.() ?? 0;
    if (generation !== knownAt) known = new WeakMap();
    knownAt = generation;
    let checked = known.get(der);
    if (checked === undefined) {
      checked = { certificate: examine(der) };
      known.set(der, checked);
    }
    return checked.certificate;
  };
}

export function isInTime(certificate: CheckedCertificate, clock: Clock): boolean {
  const now = clock.now();
  return certificate.notBeforeMs <= now && now <= certificate.notAfterMs;
}

/** Undefined when the certificate names nobody; throws where it says who in two ways. */
export function certificateUser(
  certificate: CheckedCertificate,
  readsUID: boolean,
): UserInfo | undefined {
  if (certificate.commonName === "") return undefined;
  const uid = readsUID ? uidOf(certificate) : undefined;
  return {
    name: certificate.commonName,
    ...(uid === undefined ? {} : { uid }),
    groups: certificate.organizations,
    extra: {
      "authentication.kubernetes.io/credential-id": [`X509SHA256=${certificate.fingerprint}`],
    },
  };
}

function uidOf({ uids }: CheckedCertificate): string | undefined {
  const [uid] = uids;
  if (uids.length > 1) throw new Error(`expected 1 UID, but found multiple: [${uids.join(" ")}]`);
  if (uid === "") throw new Error("UID cannot be an empty string");
  return uid;
}
