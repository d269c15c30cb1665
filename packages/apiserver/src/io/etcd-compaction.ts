/**
 * Every five minutes etcd is told to forget what happened before the last five.
 *
 * Several servers agree through one key, whose version counts the rounds: who raises it, compacts.
 * Source  staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go
 */
import { type Clock, type Log, sleep } from "@nanokube/machinery";
import type { Client, etcd } from "@nanokube/rpc";

const everyMs = 5 * 60_000;
const roundKey = new TextEncoder().encode("compact_rev_key");
const versionTarget = 0;

export interface CompactionOptions {
  kv: Client<typeof etcd.KV>;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /**
   * The round was written: a revision that no watch on objects hears of; and what was before
   * `compacted` is forgotten.
   */
  onRound(compacted: number): void;
}

interface Round {
  /** How often the key was written. */
  version: number;
  revision: number;
  /** Up to where etcd has forgotten. */
  compacted: number;
}

export async function compactRegularly(options: CompactionOptions): Promise<void> {
  const { clock, log, signal } = options;
  let round: Round = { version: 0, revision: 0, compacted: 0 };
  while (!signal.aborted) {
    try {
      await sleep(clock, everyMs, signal);
      round = await compactOnce(options, round);
      options.onRound(round.compacted);
    } catch (error) {
      if (!signal.aborted) log.warn({ error: String(error) }, "compaction failed");
    }
  }
}

async function compactOnce(
  { kv }: CompactionOptions,
  { version, revision }: Round,
): Promise<Round> {
  const value = new TextEncoder().encode(String(revision));
  const answer = await kv.txn({
    compare: [{ result: 0, target: versionTarget, key: roundKey, version }],
    success: [{ requestPut: { key: roundKey, value } }],
    failure: [{ requestRange: { key: roundKey } }],
  });
  const now = answer.header!.revision;
  if (!answer.succeeded) {
    // Another server was first, and wrote down up to where.
    const found = answer.responses[0]?.responseRange?.kvs[0];
    const compacted = Number(new TextDecoder().decode(found?.value)) || 0;
    return { version: found?.version ?? 0, revision: now, compacted };
  }
  if (revision > 0) await kv.compact({ revision });
  return { version: version + 1, revision: now, compacted: revision };
}
