/**
 * The hash in chain names: SHA-256 in base32, the first 16 characters.
 *
 * Source  kubernetes pkg/proxy/iptables/proxier.go portProtoHash
 */
import { createHash } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export function chainHash(text: string): string {
  const digest = createHash("sha256").update(text).digest();
  let hash = "";
  let bits = 0;
  let value = 0;
  for (const byte of digest) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && hash.length < 16) {
      bits -= 5;
      hash += alphabet[(value >>> bits) & 31];
    }
    if (hash.length === 16) break;
    value &= 255;
  }
  return hash;
}
