/**
 * The cluster's certificates: one CA for users and servers, one for the front proxy, and a key for
 * service-account tokens. Made once, kept under `pki/` of the data directory.
 *
 * Shapes  every file is PEM, keys with mode 0600
 * Source  kubernetes.io/docs/setup/best-practices/certificates
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { KeyType } from "./signing-keys.ts";
import { writeWhole } from "./write-whole.ts";

export interface KeyPair {
  cert: string;
  key: string;
}

export type Authority = KeyPair;

export interface Validity {
  notBefore: Date;
  notAfter: Date;
}

export interface CertificateRequest {
  commonName: string;
  organizations?: readonly string[];
  dnsNames?: readonly string[];
  addresses?: readonly string[];
  keyType?: KeyType;
  /** Ten years from now unless told. */
  validity?: Validity;
}

export async function createAuthority(commonName: string, validity?: Validity): Promise<Authority> {
  return (await import("./x509.ts")).createAuthority(commonName, validity);
}

export async function issue(authority: Authority, request: CertificateRequest): Promise<KeyPair> {
  return (await import("./x509.ts")).issue(authority, request);
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
  await writeWhole(join(directory, `${name}.key`), pair.key, 0o600);
  await writeWhole(join(directory, `${name}.crt`), pair.cert);
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
    if (kept !== undefined) return kept;
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
    const { privateKey, publicKey } = await (await import("./x509.ts")).createKeyPair();
    await mkdir(this.directory, { recursive: true, mode: 0o755 });
    await writeWhole(files[0], privateKey, 0o600);
    await writeWhole(files[1], publicKey);
    return { privateKey, publicKey };
  }
}
