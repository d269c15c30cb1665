/**
 * Keys to sign with, made by the platform: nothing else has to be loaded for them.
 *
 * Shapes  P-256, the private key in PKCS#8; or 2,048 bits of RSA in PKCS#1, as kubeadm makes them
 */
import { KeyObject, webcrypto } from "node:crypto";

/** P-256 unless told: some clients, fabric8 among them, read no other key than RSA's. */
export type KeyType = "p256" | "rsa";

export interface SigningKeys {
  keys: webcrypto.CryptoKeyPair;
  /** The private key, PEM. */
  key: string;
}

export const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

const rsa = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

export function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** RSA's take some 50 ms of another thread. */
export async function newKeys(type: KeyType = "p256"): Promise<SigningKeys> {
  const wanted = type === "rsa" ? rsa : algorithm;
  const keys = (await webcrypto.subtle.generateKey(wanted, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  if (type === "rsa") {
    const key = KeyObject.from(keys.privateKey).export({ type: "pkcs1", format: "pem" });
    return { keys, key: key.toString() };
  }
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { keys, key: pem("PRIVATE KEY", der) };
}
