/**
 * Reads certificate signing requests and signs them with the cluster's CA. Loaded when the first
 * one comes, for the library takes a while to load.
 *
 * Shapes  request, certificate  base64 of PEM, as the API has them
 * Source  pkg/controller/certificates/authority/policies.go (5 minutes of backdating, no longer
 *         than the CA)
 */
import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { CertificateQuestion } from "../core/certificates/certificates.ts";
import type { ParsedRequest } from "../core/certificates/request.ts";

const backdateMs = 300_000;
const keyUsages: Readonly<Record<string, x509.KeyUsageFlags>> = {
  signing: x509.KeyUsageFlags.digitalSignature,
  "digital signature": x509.KeyUsageFlags.digitalSignature,
  "content commitment": x509.KeyUsageFlags.nonRepudiation,
  "key encipherment": x509.KeyUsageFlags.keyEncipherment,
  "key agreement": x509.KeyUsageFlags.keyAgreement,
  "data encipherment": x509.KeyUsageFlags.dataEncipherment,
};
const extendedUsages: Readonly<Record<string, x509.ExtendedKeyUsage>> = {
  "client auth": x509.ExtendedKeyUsage.clientAuth,
  "server auth": x509.ExtendedKeyUsage.serverAuth,
  "code signing": x509.ExtendedKeyUsage.codeSigning,
  "email protection": x509.ExtendedKeyUsage.emailProtection,
  timestamping: x509.ExtendedKeyUsage.timeStamping,
  "ocsp signing": x509.ExtendedKeyUsage.ocspSigning,
};

export interface CertificateAuthority {
  cert: string;
  key: string;
}

x509.cryptoProvider.set(webcrypto as never);

/** Without a CA it reads only. */
export async function answerCertificateQuestion(
  asked: unknown,
  ca: CertificateAuthority | undefined,
): Promise<unknown> {
  const question = asked as CertificateQuestion;
  const request = readRequest(question.request);
  if (question.ask === "parse") {
    if (await request.verify()) return parsed(request);
    throw new Error("x509: signature of the request does not fit its key");
  }
  if (ca === undefined) throw new Error("no CA is configured: --cluster-signing-cert-file");
  return btoa(await sign(ca, request, question));
}

function readRequest(base64: string): x509.Pkcs10CertificateRequest {
  const pem = atob(base64);
  if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem)) {
    throw new Error("PEM block type must be CERTIFICATE REQUEST");
  }
  return new x509.Pkcs10CertificateRequest(pem);
}

function parsed(request: x509.Pkcs10CertificateRequest): ParsedRequest {
  const names = request.extensions
    .filter((extension) => extension instanceof x509.SubjectAlternativeNameExtension)
    .flatMap((extension) => extension.names.items);
  const of = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value);
  return {
    commonName: request.subjectName.getField("CN")[0] ?? "",
    organizations: request.subjectName.getField("O"),
    dnsNames: of("dns"),
    ipAddresses: of("ip"),
    emailAddresses: of("email"),
    uris: of("url"),
  };
}

async function sign(
  ca: CertificateAuthority,
  request: x509.Pkcs10CertificateRequest,
  question: Extract<CertificateQuestion, { ask: "sign" }>,
): Promise<string> {
  const issuer = new x509.X509Certificate(ca.cert);
  const { key, algorithm } = await importKey(ca.key, issuer);
  const flags = question.usages.reduce((all, usage) => all | (keyUsages[usage] ?? 0), 0);
  const extended = question.usages.flatMap((usage) => extendedUsages[usage] ?? []);
  const names = request.extensions.filter(
    (extension) => extension instanceof x509.SubjectAlternativeNameExtension,
  );
  const notAfter = Math.min(
    question.nowMs - backdateMs + question.seconds * 1000,
    issuer.notAfter.getTime(),
  );
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(16))).toString("hex"),
    subject: request.subject,
    issuer: issuer.subject,
    notBefore: new Date(question.nowMs - backdateMs),
    notAfter: new Date(notAfter),
    publicKey: request.publicKey,
    signingKey: key,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...(flags === 0 ? [] : [new x509.KeyUsagesExtension(flags, true)]),
      ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...names,
    ],
  });
  return `${certificate.toString("pem").trim()}\n`;
}

type Algorithm = { name: string; hash: string; namedCurve?: string };

async function importKey(
  pem: string,
  issuer: x509.X509Certificate,
): Promise<{ key: webcrypto.CryptoKey; algorithm: Algorithm }> {
  // PEM of any kind (PKCS#1, SEC1, PKCS#8) becomes PKCS#8, which is all that WebCrypto reads.
  const der = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  const { name, namedCurve } = issuer.publicKey.algorithm as { name: string; namedCurve?: string };
  const algorithm: Algorithm =
    namedCurve === undefined
      ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
      : { name, hash: "SHA-256", namedCurve };
  const key = await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  return { key, algorithm };
}
