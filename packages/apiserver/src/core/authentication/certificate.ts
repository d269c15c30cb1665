/**
 * Client certificates: CN is the user, each O a group, a URI `kubernetes.io/…` nothing.
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

/** Undefined when the certificate names nobody. */
export function certificateUser(certificate: CheckedCertificate): UserInfo | undefined {
  if (certificate.commonName === "") return undefined;
  return {
    name: certificate.commonName,
    groups: certificate.organizations,
    extra: {
      "authentication.kubernetes.io/credential-id": [`X509SHA256=${certificate.fingerprint}`],
    },
  };
}
