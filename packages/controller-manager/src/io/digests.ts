/** Digests by the platform's crypto. */
import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { Digests } from "../core/digests.ts";

const CURVES: Readonly<Record<string, { alg: string; hash: string }>> = {
  prime256v1: { alg: "ES256", hash: "sha256" },
  secp384r1: { alg: "ES384", hash: "sha384" },
  secp521r1: { alg: "ES512", hash: "sha512" },
};

/** `kid` is upstream's: the digest of the public key. */
function signJWT(privateKey: string, claims: object): string {
  const key = createPrivateKey(privateKey);
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  const { alg, hash } = curve ?? { alg: "RS256", hash: "sha256" };
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const kid = createHash("sha256").update(spki).digest("base64url");
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg, kid })}.${part(claims)}`;
  const signature = sign(hash, Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

export const digests: Digests = {
  sha256: (text) => createHash("sha256").update(text).digest("hex"),
  hmacSHA256: (key, text) => createHmac("sha256", key).update(text).digest("base64url"),
  signJWT,
};
