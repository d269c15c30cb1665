/**
 * A serving certificate for a kubelet that was given none, as upstream makes itself one.
 *
 * Source  cmd/kubelet/app/server.go InitializeTLS, k8s.io/client-go/util/cert
 */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const YEAR_MS = 365 * 24 * 3600 * 1000;

function toPEM(label: string, bytes: ArrayBuffer): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

export async function selfSigned(
  hostname: string,
  addresses: readonly string[],
  nowMs: number,
): Promise<{ cert: string; key: string }> {
  x509.cryptoProvider.set(webcrypto as never);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${hostname}@${Math.floor(nowMs / 1000)}`,
    notBefore: new Date(nowMs - 60_000),
    notAfter: new Date(nowMs + YEAR_MS),
    signingAlgorithm: algorithm,
    keys: keys as never,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: hostname },
        ...addresses.map((value) => ({ type: "ip" as const, value })),
      ]),
    ],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: certificate.toString("pem"), key: toPEM("PRIVATE KEY", key) };
}
