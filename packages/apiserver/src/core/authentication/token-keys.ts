/**
 * The keys that service-account tokens are signed and verified with, and what is published of them.
 *
 * Shapes  PEM in: PKCS#1, PKCS#8, SEC 1 private keys come as PKCS#8; SPKI keys, certificates
 *         kid: unpadded base64url of the SHA-256 of the public key's DER
 * Source  pkg/serviceaccount/jwt.go (keyIDFromPublicKey), pkg/serviceaccount/openidmetadata.go
 */
import { base64url, type CryptoKey, exportJWK, importPKCS8, importSPKI, type JWK } from "jose";

export type SigningAlgorithm = "RS256" | "ES256" | "ES384" | "ES512";

export interface PublicKey {
  key: CryptoKey;
  kid: string;
  algorithm: SigningAlgorithm;
}

export interface SigningKey extends PublicKey {
  privateKey: CryptoKey;
}

function derOf(pem: string): Uint8Array<ArrayBuffer> {
  const body = pem.replace(/-----[^-]+-----/g, "").replace(/\s+/g, "");
  return Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
}

export async function keyID(spkiPEM: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", derOf(spkiPEM));
  return base64url.encode(new Uint8Array(hash));
}

/** The algorithm that fits the key: RSA signs RS256, an elliptic curve its own. */
async function importAny<K>(load: (algorithm: SigningAlgorithm) => Promise<K>) {
  for (const algorithm of ["RS256", "ES256", "ES384", "ES512"] as const) {
    try {
      return { key: await load(algorithm), algorithm };
    } catch {
      // Not a key of this kind.
    }
  }
  throw new Error("data does not contain any valid RSA or ECDSA public keys");
}

export async function importPublicKey(spkiPEM: string): Promise<PublicKey> {
  const { key, algorithm } = await importAny((alg) =>
    importSPKI(spkiPEM, alg, { extractable: true }),
  );
  return { key, algorithm, kid: await keyID(spkiPEM) };
}

/** `pkcs8` is the private key, `spki` its public half, both PEM. */
export async function importSigningKey(pkcs8: string, spki: string): Promise<SigningKey> {
  const { key, algorithm } = await importAny((alg) => importPKCS8(pkcs8, alg));
  const publicKey = await importSPKI(spki, algorithm, { extractable: true });
  return { privateKey: key, key: publicKey, algorithm, kid: await keyID(spki) };
}

/** GET /openid/v1/jwks */
export async function jwksDocument(keys: readonly PublicKey[]): Promise<{ keys: JWK[] }> {
  return {
    keys: await Promise.all(
      keys.map(async ({ key, kid, algorithm }) => {
        const { kty, crv, x, y, n, e } = await exportJWK(key);
        const own = kty === "RSA" ? { n: n ?? "", e: e ?? "" } : { crv, x, y };
        return { use: "sig", kty, kid, alg: algorithm, ...own } as JWK;
      }),
    ),
  };
}

/** GET /.well-known/openid-configuration */
export function openIDConfiguration(
  issuer: string,
  jwksURI: string,
  keys: readonly PublicKey[],
): Record<string, unknown> {
  return {
    issuer,
    jwks_uri: jwksURI,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [...new Set(keys.map((key) => key.algorithm))].sort(),
  };
}
