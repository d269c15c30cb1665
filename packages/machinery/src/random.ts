/**
 * Randomness as an argument: the same seed gives the same run.
 *
 * Shapes  next()   a number in [0, 1)
 *         bytes(n) n random bytes
 *         uuid()   RFC 4122 version 4, lower case
 *         names    the five-letter suffix of generateName, from upstream's alphabet
 * Source  k8s.io/apimachinery/pkg/util/rand, pkg/util/uuid; k8s.io/apiserver/pkg/storage/names
 */

export interface Random {
  next(): number;
  bytes(n: number): Uint8Array;
  uuid(): string;
}

const hex = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

function formatUUID(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let text = "";
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += hex[bytes[i]!];
  }
  return text;
}

export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (n) => globalThis.crypto.getRandomValues(new Uint8Array(n)),
  uuid: () => globalThis.crypto.randomUUID(),
};

/** A repeatable source (splitmix32 stepping): good for tests and simulation, not for secrets. */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0;
  const word = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const bytes = (n: number): Uint8Array => {
    const out = new Uint8Array(n);
    for (let i = 0; i < n; i++) out[i] = word() >>> 24;
    return out;
  };
  return {
    next: () => word() / 2 ** 32,
    bytes,
    uuid: () => formatUUID(bytes(16)),
  };
}

/** No vowels and no lookalikes, so that a suffix never spells a word. */
const nameAlphabet = "bcdfghjklmnpqrstvwxz2456789";
const longestGeneratedBase = 63 - 5;

/** `n` letters fit for the end of a name. */
export function randomSuffix(random: Random, n: number): string {
  let text = "";
  for (let i = 0; i < n; i++) {
    text += nameAlphabet[Math.floor(random.next() * nameAlphabet.length)];
  }
  return text;
}

/** What `metadata.generateName` becomes: the base, cut to 58, and five random letters. */
export function generateName(random: Random, base: string): string {
  return base.slice(0, longestGeneratedBase) + randomSuffix(random, 5);
}
