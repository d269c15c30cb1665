/**
 * What client certificates say, read by OpenSSL as TLS itself reads them.
 *
 * Names are taken apart by attribute: the one-line form of a subject can be forged with a comma or
 * a plus sign within a value.
 *
 * Errors  a bundle that holds what is no certificate: OpenSSL's
 */
import { X509Certificate } from "node:crypto";
import type { OpenAuthorities, SignedCertificate } from "../core/authentication/certificate.ts";

type Attributes = Readonly<Record<string, string | string[] | undefined>>;

const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

export const openAuthorities = (bundle: string) => {
  const authorities = (bundle.match(pemBlock) ?? []).map((pem) => new X509Certificate(pem));
  return (der: Uint8Array): SignedCertificate | undefined => {
    const certificate = new X509Certificate(der);
    const isOurs = authorities.some(
      (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
    );
    return isOurs ? read(certificate) : undefined;
  };
};

/** Bundles that others take the place of while the server runs. */
export class RenewableAuthorities {
  readonly #opened: { bundle: string; read: ReturnType<typeof openAuthorities> }[] = [];
  #generation = 0;

  readonly open: OpenAuthorities = (bundle) => {
    const opened = { bundle, read: openAuthorities(bundle) };
    this.#opened.push(opened);
    return Object.assign((der: Uint8Array) => opened.read(der), {
      generation: () => this.#generation,
    });
  };

  /** What was checked with the old bundle is checked again. */
  renew(old: string, bundle: string): void {
    if (old === bundle) return;
    const read = openAuthorities(bundle);
    for (const opened of this.#opened) {
      if (opened.bundle === old) Object.assign(opened, { bundle, read });
    }
    this.#generation++;
  }
}

const uidAttribute = "1.3.6.1.4.1.57683.2";

function read(certificate: X509Certificate): SignedCertificate {
  const subject = certificate.toLegacyObject().subject as unknown as Attributes;
  return {
    // Of several common names the last counts, as in Go.
    commonName: [subject["CN"] ?? ""].flat().at(-1)!,
    organizations: [subject["O"] ?? []].flat(),
    uids: [subject[uidAttribute] ?? []].flat(),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    extendedKeyUsages: certificate.keyUsage as readonly string[] | undefined,
  };
}
