/**
 * A serving certificate of one's own, made where none was given and kept for the next start.
 *
 * Shapes  apiserver.crt (the certificate and its authority's) and apiserver.key in --cert-dir
 * Units   a year
 * Source  apiserver pkg/server/options/serving.go; client-go util/cert/cert.go
 */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Clock } from "@nanokube/machinery";
import * as x509 from "@peculiar/x509";

const yearMs = 365 * 24 * 3600 * 1000;
const algorithm = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};

export interface SelfSignedOptions {
  directory: string;
  /** What the server is known by, first of all. */
  host: string;
  names: readonly string[];
  addresses: readonly string[];
  clock: Clock;
}

/** That of the directory where there is one. */
export async function selfSignedCertificate(
  options: SelfSignedOptions,
): Promise<{ cert: string; key: string }> {
  const { directory } = options;
  const [certFile, keyFile] = [join(directory, "apiserver.crt"), join(directory, "apiserver.key")];
  try {
    return { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
  } catch {
    const made = await make(options);
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    writeFileSync(certFile, made.cert, { mode: 0o644 });
    writeFileSync(keyFile, made.key, { mode: 0o600 });
    return made;
  }
}

async function make({ host, names, addresses, clock }: SelfSignedOptions) {
  x509.cryptoProvider.set(webcrypto as never);
  const now = clock.now();
  const usages: ["sign", "verify"] = ["sign", "verify"];
  const authorityKeys = await webcrypto.subtle.generateKey(algorithm, true, usages);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, usages);
  const times = { notBefore: new Date(now - 3600_000), notAfter: new Date(now + yearMs) };
  const seconds = Math.floor(now / 1000);
  const { digitalSignature, keyCertSign, keyEncipherment } = x509.KeyUsageFlags;
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...times,
    name: `CN=${host}-ca@${seconds}`,
    signingAlgorithm: algorithm,
    keys: authorityKeys as never,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(keyCertSign | digitalSignature | keyEncipherment, true),
    ],
  });
  const isAddress = isIP(host) !== 0;
  const certificate = await x509.X509CertificateGenerator.create({
    ...times,
    subject: `CN=${host}@${seconds}`,
    issuer: authority.subject,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey as never,
    signingKey: authorityKeys.privateKey as never,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature | keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...[...(isAddress ? [host] : []), ...addresses].map((value) => ip(value)),
        ...[...(isAddress ? [] : [host]), ...names].map((value) => ({
          type: "dns" as const,
          value,
        })),
      ]),
    ],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const cert = `${certificate.toString("pem")}\n${authority.toString("pem")}\n`;
  return { cert, key: x509.PemConverter.encode(key, "PRIVATE KEY") };
}

const ip = (value: string) => ({ type: "ip" as const, value });
