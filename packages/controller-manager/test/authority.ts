/** A CA, and a kubelet's certificate signing request, for tests. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
x509.cryptoProvider.set(webcrypto as never);

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  return keys as webcrypto.CryptoKeyPair;
}

export async function createAuthority(): Promise<{ cert: string; key: string }> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=test-ca",
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = `-----BEGIN PRIVATE KEY-----\n${der.toString("base64")}\n-----END PRIVATE KEY-----\n`;
  return { cert: certificate.toString("pem"), key };
}

/** Base64 of PEM, as spec.request wants it. */
export async function createRequest(name: string): Promise<string> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name,
    keys: await newKeys(),
    signingAlgorithm: algorithm,
  });
  return btoa(`${request.toString("pem")}\n`);
}
