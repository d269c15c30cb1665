/**
 * Service-account keys from PEM in any form that upstream takes: PKCS#1, PKCS#8, SEC 1, public
 * keys,
 * certificates.
 *
 * Source  client-go util/keyutil/key.go
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import {
  importPublicKey,
  importSigningKey,
  type PublicKey,
  type SigningKey,
} from "../core/authentication/token-keys.ts";

export async function signingKeyOf(pem: string): Promise<SigningKey> {
  const key = createPrivateKey(pem);
  const pkcs8 = key.export({ type: "pkcs8", format: "pem" }) as string;
  const spki = createPublicKey(pem).export({ type: "spki", format: "pem" }) as string;
  return importSigningKey(pkcs8, spki);
}

/** A private key stands for its public half. A file may hold several. */
export async function publicKeysOf(pem: string): Promise<PublicKey[]> {
  const blocks = pem.match(/-----BEGIN [^-]+-----[\s\S]+?-----END [^-]+-----/g) ?? [];
  return Promise.all(
    blocks.map((block) =>
      importPublicKey(createPublicKey(block).export({ type: "spki", format: "pem" }) as string),
    ),
  );
}

export interface Keys {
  signing: SigningKey | undefined;
  accepted: PublicKey[];
}

export async function readKeys(pki: {
  serviceAccountSigningKey?: string;
  serviceAccountKeys?: readonly string[];
}): Promise<Keys> {
  const pem = pki.serviceAccountSigningKey;
  const signing = pem === undefined ? undefined : await signingKeyOf(pem);
  const more = await Promise.all((pki.serviceAccountKeys ?? []).map(publicKeysOf));
  const accepted = more.flat();
  if (signing !== undefined && !accepted.some((key) => key.kid === signing.kid)) {
    accepted.unshift(signing);
  }
  return { signing, accepted };
}
