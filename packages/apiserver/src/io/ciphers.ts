/**
 * The providers of encryption at rest, byte for byte upstream's.
 *
 * Shapes  aescbc     iv (16), AES-CBC with PKCS#7 padding
 *         aesgcm     nonce (12), AES-GCM of the value with the etcd key authenticated, tag (16)
 *         secretbox  nonce (24), XSalsa20-Poly1305
 * Source  apiserver pkg/storage/value/encrypt/{aes/aes,secretbox/secretbox}.go
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import type { KeySettings } from "../core/encryption/encryption-configuration.ts";
import type { Cipher } from "../core/encryption/sealer.ts";

const ivBytes = 16;
const gcmNonceBytes = 12;
const gcmTagBytes = 16;
const boxNonceBytes = 24;

export function cipherOf(settings: KeySettings): Cipher {
  const { type, key } = settings;
  if (type === "aescbc") return cbc(key);
  return type === "aesgcm" ? gcm(key) : secretbox(key);
}

function cbc(key: Uint8Array): Cipher {
  const name = `aes-${key.length * 8}-cbc`;
  return {
    seal(plain) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(name, key, iv);
      return Buffer.concat([iv, cipher.update(plain), cipher.final()]);
    },
    open(sealed) {
      const decipher = createDecipheriv(name, key, sealed.subarray(0, ivBytes));
      return Buffer.concat([decipher.update(sealed.subarray(ivBytes)), decipher.final()]);
    },
  };
}

function gcm(key: Uint8Array): Cipher {
  const name = `aes-${key.length * 8}-gcm` as "aes-256-gcm";
  return {
    seal(plain, authenticated) {
      const nonce = randomBytes(gcmNonceBytes);
      const cipher = createCipheriv(name, key, nonce).setAAD(authenticated);
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([nonce, body, cipher.getAuthTag()]);
    },
    open(sealed, authenticated) {
      const nonce = sealed.subarray(0, gcmNonceBytes);
      const decipher = createDecipheriv(name, key, nonce, { authTagLength: gcmTagBytes });
      decipher.setAAD(authenticated).setAuthTag(sealed.subarray(-gcmTagBytes));
      const body = sealed.subarray(gcmNonceBytes, -gcmTagBytes);
      return Buffer.concat([decipher.update(body), decipher.final()]);
    },
  };
}

function secretbox(key: Uint8Array): Cipher {
  return {
    seal(plain) {
      const nonce = randomBytes(boxNonceBytes);
      return Buffer.concat([nonce, xsalsa20poly1305(key, nonce).encrypt(plain)]);
    },
    open(sealed) {
      const nonce = sealed.subarray(0, boxNonceBytes);
      return xsalsa20poly1305(key, nonce).decrypt(sealed.subarray(boxNonceBytes));
    },
  };
}
