/**
 * Seeds: which histories a grading draws, and how a seed becomes a stream of its own per check.
 *
 * Public seeds are 1, 2, 3 …: everybody can run them. Term seeds come from
 * HMAC-SHA256(course key, "lab|student|day"): the generator is public, the seeds are not, so that
 * answers learnt by heart are worth nothing. Units: a seed is an unsigned 32-bit number.
 */

export interface Seed {
  readonly value: number;
  /** Of the term: its number is not shown to the student. */
  readonly isSecret: boolean;
}

export function publicSeeds(count: number): Seed[] {
  return Array.from({ length: count }, (_, i) => ({ value: i + 1, isSecret: false }));
}

/** What the course key signs; `block` counts the digests when one does not hold enough seeds. */
export function termMessage(lab: string, student: string, day: string, block: number): string {
  return `${lab}|${student}|${day}${block === 0 ? "" : `|${block}`}`;
}

/** Four bytes of the digest each. */
export function seedsOfDigest(digest: Uint8Array): Seed[] {
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  const count = Math.floor(digest.byteLength / 4);
  return Array.from({ length: count }, (_, i) => ({
    value: view.getUint32(i * 4),
    isSecret: true,
  }));
}

/** The seed of one check's stream: the same seed draws differently for every check. */
export function streamSeed(check: string, seed: number): number {
  return (fnv1a(check) ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** 53 bits over everything a slot answered: two runs of a seed must give the same. */
export function effectHash(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(16).padStart(14, "0");
}
