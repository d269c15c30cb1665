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
import "reflect-metadata";
import { ExtendedKeyUsageExtension, X509Certificate } from "@peculiar/x509";
import type { UserInfo } from "./authenticator.ts";

const clientAuth = "1.3.6.1.5.5.7.3.2";
const anyUsage = "2.5.29.37.0";

export interface CheckedCertificate {
  commonName: string;
  organizations: string[];
  /** SHA-256 of the DER, for the credential id. */
  fingerprint: string;
  notBeforeMs: number;
  notAfterMs: number;
}

export function splitPEM(bundle: string): string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
}

function attribute(certificate: X509Certificate, name: string): string[] {
  return certificate.subjectName.getField(name);
}

async function isSignedBy(certificate: X509Certificate, authorities: readonly X509Certificate[]) {
  for (const authority of authorities) {
    if (authority.subject !== certificate.issuer) continue;
    if (await certificate.verify({ publicKey: authority, signatureOnly: true })) return true;
  }
  return false;
}

export type CheckCertificate = (der: Uint8Array) => Promise<CheckedCertificate | undefined>;

/** Undefined when no authority of the bundle signed it, or it is not for clients. */
export function createCertificateChecker(bundle: string): CheckCertificate {
  const authorities = splitPEM(bundle).map((pem) => new X509Certificate(pem));
  const known = new WeakMap<Uint8Array, Promise<CheckedCertificate | undefined>>();

  const examine = async (der: Uint8Array): Promise<CheckedCertificate | undefined> => {
    const certificate = new X509Certificate(Uint8Array.from(der));
    if (!(await isSignedBy(certificate, authorities))) return undefined;
    const usages = certificate.getExtension(ExtendedKeyUsageExtension)?.usages.map(String);
    if (usages !== undefined && !usages.includes(clientAuth) && !usages.includes(anyUsage)) {
      return undefined;
    }
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(der)));
    return {
      commonName: attribute(certificate, "CN")[0] ?? "",
      organizations: attribute(certificate, "O"),
      fingerprint: [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
      notBeforeMs: certificate.notBefore.getTime(),
      notAfterMs: certificate.notAfter.getTime(),
    };
  };

  return (der) => {
    let checked = known.get(der);
    if (checked === undefined) {
      checked = examine(der);
      known.set(der, checked);
    }
    return checked;
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
