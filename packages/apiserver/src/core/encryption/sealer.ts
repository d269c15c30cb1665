/**
 * A resource's values as the store has them: what is written is sealed by the first provider, what
 * is read is opened by the one whose name stands before it.
 *
 * Shapes  "k8s:enc:aescbc:v1:KEYNAME:" and the provider's bytes; without a prefix it is as it is
 * Errors  an Error when no provider knows the prefix or the bytes are not what was sealed
 * Source  apiserver pkg/storage/value/transformer.go, encrypt/identity/identity.go
 */
import type { ProviderSettings } from "./encryption-configuration.ts";

export interface Cipher {
  seal(plain: Uint8Array, authenticated: Uint8Array): Uint8Array;
  open(sealed: Uint8Array, authenticated: Uint8Array): Uint8Array;
}

export interface Opened {
  value: Uint8Array;
  /** It would be sealed otherwise now, so that any write must write it. */
  stale: boolean;
}

export interface Sealer {
  seal(plain: Uint8Array, key: Uint8Array): Uint8Array;
  open(stored: Uint8Array, key: Uint8Array): Opened;
}

const encoder = new TextEncoder();
const reserved = encoder.encode("k8s:enc:");

export function isSealed(value: Uint8Array): boolean {
  return startsWith(value, reserved);
}

export function createSealer(
  providers: readonly ProviderSettings[],
  cipherOf: (settings: Exclude<ProviderSettings, { type: "identity" }>) => Cipher,
): Sealer {
  const ways = providers.map((settings) => {
    if (settings.type === "identity") return { prefix: new Uint8Array(), cipher: undefined };
    const prefix = encoder.encode(`k8s:enc:${settings.type}:v1:${settings.keyName}:`);
    return { prefix, cipher: cipherOf(settings) };
  });
  const [first] = ways;
  return {
    seal(plain, key) {
      if (first?.cipher === undefined) return plain;
      const sealed = first.cipher.seal(plain, key);
      const value = new Uint8Array(first.prefix.length + sealed.length);
      value.set(first.prefix);
      value.set(sealed, first.prefix.length);
      return value;
    },
    open(stored, key) {
      const plainly = !isSealed(stored);
      const way = ways.find(({ prefix, cipher }) =>
        cipher === undefined ? plainly : startsWith(stored, prefix),
      );
      if (way === undefined) throw new Error("no matching prefix found");
      const stale = way !== first;
      if (way.cipher === undefined) return { value: stored, stale };
      return { value: way.cipher.open(stored.subarray(way.prefix.length), key), stale };
    },
  };
}

function startsWith(value: Uint8Array, prefix: Uint8Array): boolean {
  return value.length >= prefix.length && prefix.every((byte, i) => value[i] === byte);
}
