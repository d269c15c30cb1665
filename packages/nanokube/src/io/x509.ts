/**
 * X.509 made here: authorities, and certificates they sign.
 *
 * Loaded only when something has to be made, for the library takes a while to load.
 *
 * Shapes  everything is PEM
 *         a user is a client certificate: CN is the name, O are the groups
 * Units   validity in days
 * Source  kubernetes.io/docs/setup/best-practices/certificates
 */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Authority, CertificateRequest, KeyPair, Validity } from "./pki.ts";
import { algorithm, newKeys, pem } from "./signing-keys.ts";

const validityDays = 3650;

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);

function tenYears(): Validity {
  const now = Date.now();
  // An hour back, so that a machine whose clock is a little behind accepts the certificate.
  return {
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + validityDays * 86_400_000),
  };
}

const serialNumber = () =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(15)))
    .toString("hex")
    .replace(/^/, "01");

export async function createAuthority(
  commonName: string,
  validity: Validity = tenYears(),
): Promise<Authority> {
  const { keys, key } = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...validity,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign |
          x509.KeyUsageFlags.cRLSign |
          x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key };
}

export async function issue(authority: Authority, request: CertificateRequest): Promise<KeyPair> {
  const issuer = new x509.X509Certificate(authority.cert);
  const { keys, key } = await newKeys(request.keyType);
  const names: x509.JsonGeneralNames = [
    ...(request.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(request.addresses ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  const subject: x509.JsonName = (request.organizations ?? []).map((o) => ({ O: [o] }));
  subject.push({ CN: [request.commonName] });
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: issuer.subject,
    ...(request.validity ?? tenYears()),
    publicKey: keys.publicKey,
    signingKey: await importSigningKey(authority.key),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.clientAuth,
        x509.ExtendedKeyUsage.serverAuth,
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key };
}

async function importSigningKey(key: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(key.replace(/-----[^-]+-----|\s/g, ""), "base64");
  return webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}

/** A key pair without a certificate: PKCS#8 and SPKI. */
export async function createKeyPair(): Promise<{ privateKey: string; publicKey: string }> {
  const { keys, key } = await newKeys();
  const publicKey = pem("PUBLIC KEY", await webcrypto.subtle.exportKey("spki", keys.publicKey));
  return { privateKey: key, publicKey };
}
