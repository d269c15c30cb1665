/**
 * Other servers' answers, kept for a while.
 *
 * Kept for the shortest TTL in the answer, `maxSeconds` at most; an answer without records as long
 * as its SOA record allows. What is handed out has its TTLs reduced by the time it lay here, the
 * caller's id, and the caller's spelling of the name.
 *
 * Shapes  key   name, type, class and what of the question changes an answer (DO, CD, EDNS at all)
 * Bound   `maxEntries`; the least recently used goes first
 * Source  CoreDNS plugin/cache
 */
import { decodeAnswer } from "./decode.ts";
import { type Query, rcodes, types } from "./message.ts";

interface Entry {
  bytes: Uint8Array;
  questionEnd: number;
  ttls: { at: number; seconds: number }[];
  storedMs: number;
  expiresMs: number;
}

export interface AnswerCacheOptions {
  maxSeconds: number;
  maxEntries: number;
}

export class AnswerCache {
  readonly #entries = new Map<string, Entry>();
  readonly #options: AnswerCacheOptions;

  constructor(options: AnswerCacheOptions) {
    this.#options = options;
  }

  get(query: Query, nowMs: number): Uint8Array | undefined {
    const key = keyOf(query);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.expiresMs <= nowMs) return undefined;
    this.#entries.set(key, entry);
    const bytes = entry.bytes.slice();
    const age = Math.floor((nowMs - entry.storedMs) / 1000);
    for (const { at, seconds } of entry.ttls) {
      new DataView(bytes.buffer).setUint32(at, Math.max(0, seconds - age));
    }
    bytes[0] = query.id >> 8;
    bytes[1] = query.id & 255;
    if (entry.questionEnd === 12 + query.questionBytes.length) bytes.set(query.questionBytes, 12);
    return bytes;
  }

  put(query: Query, bytes: Uint8Array, nowMs: number): void {
    const message = decodeAnswer(bytes);
    if (message.truncated) return;
    if (message.rcode !== rcodes.NOERROR && message.rcode !== rcodes.NXDOMAIN) return;
    const ttls = message.records
      .filter((record) => record.type !== types.OPT)
      .map((record) => ({ at: record.ttlAt, seconds: record.ttl }));
    if (ttls.length === 0) return; // nothing says how long
    const seconds = Math.min(this.#options.maxSeconds, ...ttls.map((ttl) => ttl.seconds));
    if (seconds <= 0) return;
    this.#entries.set(keyOf(query), {
      bytes: bytes.slice(),
      questionEnd: message.questionEnd,
      ttls,
      storedMs: nowMs,
      expiresMs: nowMs + seconds * 1000,
    });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#options.maxEntries) this.#entries.delete(oldest!);
  }
}

function keyOf({ question, edns, checkingDisabled }: Query): string {
  const flags = `${edns === undefined ? 0 : 1}${edns?.dnssecOK ? 1 : 0}${checkingDisabled ? 1 : 0}`;
  return `${question.labels.join(".")} ${question.type} ${question.class} ${flags}`;
}
