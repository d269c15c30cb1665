/**
 * A certificate that a server makes for itself: --auto-tls. It protects what is sent, and proves
 * nothing about who sent it.
 *
 * Files   DIR/cert.pem, DIR/key.pem; kept and used again
 * Source  etcd v3.6 client/pkg/transport/listener.go SelfCert
 */
import { webcrypto } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";

export interface SelfSigned {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface SelfSignedOptions {
  readonly directory: string;
  /** Names and addresses that it is for. */
  readonly hosts: readonly string[];
  readonly validYears: number;
  readonly nowMs: number;
}

const yearMs = 365 * 24 * 3600 * 1000;

export async function selfSigned(options: SelfSignedOptions): Promise<SelfSigned> {
  const { directory } = options;
  const files = { certFile: join(directory, "cert.pem"), keyFile: join(directory, "key.pem") };
  if (existsSync(files.certFile) && existsSync(files.keyFile)) return files;
  const { cert, key } = await create(options);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(files.keyFile, key, { mode: 0o600 });
  writeFileSync(files.certFile, cert);
  return files;
}

async function create({ hosts, validYears, nowMs }: SelfSignedOptions) {
  // Only who asks for it pays for loading it.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(webcrypto as never);
  const algorithm = { name: "ECDSA", namedCurve: "P-521", hash: "SHA-512" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { digitalSignature, keyEncipherment, cRLSign } = x509.KeyUsageFlags;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "O=etcd",
    notBefore: new Date(nowMs),
    notAfter: new Date(nowMs + validYears * yearMs),
    signingAlgorithm: algorithm,
    keys: keys as never,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature | keyEncipherment | cRLSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isIP(value) > 0 ? "ip" : "dns", value }) as const),
      ),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const lines = key.toString("base64").match(/.{1,64}/g)!;
  const pem = ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n");
  return { cert: `${certificate.toString("pem")}\n`, key: pem };
}
