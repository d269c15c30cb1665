/**
 * The cluster's certificates: one CA for users and servers, one for the front proxy, and a key for
 * service-account tokens. Made once, kept under `pki/` of the data directory.
 *
 * Shapes  every file is PEM; keys are P-256 in PKCS#8, mode 0600
 *         a user is a client certificate: CN is the name, O are the groups
 * Units   validity in days
 * Source  kubernetes.io/docs/setup/best-practices/certificates
 */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const validityDays = 3650;

export interface KeyPair {
  cert: string;
  key: string;
}

export interface Authority extends KeyPair {
  certificate: x509.X509Certificate;
  signingKey: webcrypto.CryptoKey;
}

export interface Validity {
  notBefore: Date;
  notAfter: Date;
}

export interface CertificateRequest {
  commonName: string;
  organizations?: readonly string[];
  dnsNames?: readonly string[];
  addresses?: readonly string[];
  /** Ten years from now unless told. */
  validity?: Validity;
}

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

async function newKeys(): Promise<{ keys: webcrypto.CryptoKeyPair; key: string }> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  return {
    keys,
    key: pem("PRIVATE KEY", await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)),
  };
}

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
  return {
    certificate,
    signingKey: keys.privateKey,
    cert: `${certificate.toString("pem")}\n`,
    key,
  };
}

export async function issue(authority: Authority, request: CertificateRequest): Promise<KeyPair> {
  const { keys, key } = await newKeys();
  const names: x509.JsonGeneralNames = [
    ...(request.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(request.addresses ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  const subject: x509.JsonName = (request.organizations ?? []).map((o) => ({ O: [o] }));
  subject.push({ CN: [request.commonName] });
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: authority.certificate.subject,
    ...(request.validity ?? tenYears()),
    publicKey: keys.publicKey,
    signingKey: authority.signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.clientAuth,
        x509.ExtendedKeyUsage.serverAuth,
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key };
}

async function importSigningKey(key: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(key.replace(/-----[^-]+-----|\s/g, ""), "base64");
  return webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}

async function readPair(directory: string, name: string): Promise<KeyPair | undefined> {
  try {
    const [cert, key] = await Promise.all([
      readFile(join(directory, `${name}.crt`), "utf8"),
      readFile(join(directory, `${name}.key`), "utf8"),
    ]);
    return { cert, key };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function writePair(directory: string, name: string, pair: KeyPair): Promise<void> {
  await writeFile(join(directory, `${name}.key`), pair.key, { mode: 0o600 });
  await writeFile(join(directory, `${name}.crt`), pair.cert, { mode: 0o644 });
}

/** Reads what `pki/` holds and makes what it lacks. */
export class PKI {
  readonly directory: string;

  constructor(dataDir: string) {
    this.directory = join(dataDir, "pki");
  }

  async authority(name: string, commonName: string): Promise<Authority> {
    await mkdir(this.directory, { recursive: true, mode: 0o755 });
    const kept = await readPair(this.directory, name);
    if (kept !== undefined) {
      const certificate = new x509.X509Certificate(kept.cert);
      return { ...kept, certificate, signingKey: await importSigningKey(kept.key) };
    }
    const authority = await createAuthority(commonName);
    await writePair(this.directory, name, authority);
    return authority;
  }

  async certificate(
    name: string,
    authority: Authority,
    request: CertificateRequest,
  ): Promise<KeyPair> {
    const kept = await readPair(this.directory, name);
    if (kept !== undefined) return kept;
    const pair = await issue(authority, request);
    await writePair(this.directory, name, pair);
    return pair;
  }

  /** The key that signs service-account tokens, as `sa.key` (PKCS#8) and `sa.pub` (SPKI). */
  async serviceAccountKey(): Promise<{ privateKey: string; publicKey: string }> {
    const files = [join(this.directory, "sa.key"), join(this.directory, "sa.pub")] as const;
    try {
      const [privateKey, publicKey] = await Promise.all(files.map((f) => readFile(f, "utf8")));
      return { privateKey: privateKey!, publicKey: publicKey! };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    const { keys, key } = await newKeys();
    const publicKey = pem("PUBLIC KEY", await webcrypto.subtle.exportKey("spki", keys.publicKey));
    await mkdir(this.directory, { recursive: true, mode: 0o755 });
    await writeFile(files[0], key, { mode: 0o600 });
    await writeFile(files[1], publicKey);
    return { privateKey: key, publicKey };
  }
}
