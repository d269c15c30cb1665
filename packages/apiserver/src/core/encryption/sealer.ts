/**
 * A resource's values as the store has them: what is written is sealed by the first provider, what
 * is read is opened by the one whose name stands before it.
 *
 * Shapes  "k8s:enc:aescbc:v1:KEYNAME:" or "k8s:enc:kms:v2:NAME:" and the provider's bytes; without
 *         a prefix it is as it is
 * Errors  an Error when no provider knows the prefix or the bytes are not what was sealed
 * Source  apiserver pkg/storage/value/transformer.go, encrypt/identity/identity.go
 */
import type { KeySettings, KmsSettings, ProviderSettings } from "./encryption-configuration.ts";

export interface Cipher {
  seal(plain: Uint8Array, authenticated: Uint8Array): Uint8Array;
  open(sealed: Uint8Array, authenticated: Uint8Array): Uint8Array;
  /** Whether this cipher would use another key now. */
  isStale?(sealed: Uint8Array): boolean;
}

/** What seals for somebody else's key: opening may first need an answer from there. */
export interface KmsCipher extends Cipher {
  /** Resolves when `open` has what it needs, or never will; undefined when it has. */
  prepare(sealed: Uint8Array): Promise<void> | undefined;
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
const kmsLead = encoder.encode("k8s:enc:kms:v2:");

export function isSealed(value: Uint8Array): boolean {
  return startsWith(value, reserved);
}

export function createSealer(
  providers: readonly ProviderSettings[],
  cipherOf: (settings: KeySettings | KmsSettings) => Cipher,
): Sealer {
  const ways = providers.map((settings) => {
    if (settings.type === "identity") return { prefix: new Uint8Array(), cipher: undefined };
    return { prefix: encoder.encode(prefixOf(settings)), cipher: cipherOf(settings) };
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
      const { cipher, prefix } = way;
      if (cipher === undefined) return { value: stored, stale: way !== first };
      const sealed = stored.subarray(prefix.length);
      const value = cipher.open(sealed, key);
      return { value, stale: way !== first || (cipher.isStale?.(sealed) ?? false) };
    },
  };
}

function prefixOf(settings: KeySettings | KmsSettings): string {
  if (settings.type === "kms") return `k8s:enc:kms:v2:${settings.name}:`;
  return `k8s:enc:${settings.type}:v1:${settings.keyName}:`;
}

/** The KMS that sealed a value, and what it sealed. */
export function kmsNameOf(value: Uint8Array): { name: string; sealed: Uint8Array } | undefined {
  if (!startsWith(value, kmsLead)) return undefined;
  const end = value.indexOf(0x3a, kmsLead.length);
  if (end < 0) return undefined;
  const name = new TextDecoder().decode(value.subarray(kmsLead.length, end));
  return { name, sealed: value.subarray(end + 1) };
}

function startsWith(value: Uint8Array, prefix: Uint8Array): boolean {
  return value.length >= prefix.length && prefix.every((byte, i) => value[i] === byte);
}
