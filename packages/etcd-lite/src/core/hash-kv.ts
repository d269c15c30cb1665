/**
 * HashKV: one number for all versions up to a revision, the same on every member, and on etcd.
 *
 * The sum runs over what etcd's backend would hold: bucket name, then per version its revision as
 * 17 bytes (18 and a "t" for a tombstone) and the encoded KeyValue, in order of revision.
 * Source  etcd v3.6 server/storage/mvcc/hash.go, revision.go
 */
import { etcd } from "@nanokube/rpc";
import { crc32c } from "./crc32c.ts";
import { EtcdError } from "./errors.ts";
import { isTombstone, type KeyValue } from "./key-value.ts";
import { toMessage } from "./kv-requests.ts";
import type { MvccStore } from "./mvcc-store.ts";

export interface KeyValueHash {
  readonly hash: number;
  readonly compactRevision: number;
  readonly hashRevision: number;
}

export function hashKV(store: MvccStore, revision: number): KeyValueHash {
  const steps = hashSteps(store, revision);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

const versionsPerStep = 500;

/**
 * The same in steps, for whoever has other things to do between them; of the log it holds no more
 * than the keys. A compaction keeps what was deleted at its own revision, too: it counts when there
 * is nothing else to keep.
 */
export function* hashSteps(
  store: MvccStore,
  revision: number,
  { isCompaction = false } = {},
): Generator<undefined, KeyValueHash, undefined> {
  const compactRevision = store.compactedRevision;
  if (revision > 0 && revision < compactRevision) throw new EtcdError("Compacted");
  if (revision > store.revision) throw new EtcdError("FutureRevision");
  const hashRevision = revision === 0 ? store.revision : revision;
  const log = { store, from: Math.max(compactRevision + 1, 2), to: hashRevision };
  const changed = yield* changedKeys(log);
  const old = yield* oldVersions(store);
  // What a compaction at the hash's revision would keep. Versions from before the last compaction
  // count only if they are among them: members compact at different times.
  const kept = old.filter((kv) => !isTombstone(kv) && !changed.newest.has(kv.key));
  const keepsNone = kept.length === 0 && ![...changed.newest.values()].includes("lives");
  const deletedThere =
    changed.deletedLast || old.some((kv) => kv.modRevision === hashRevision && isTombstone(kv));
  const keepsAll = keepsNone && !(isCompaction && deletedThere);
  const counted = keepsAll
    ? old.filter((kv) => kv.modRevision !== compactRevision || !isTombstone(kv))
    : kept;
  counted.sort((a, b) => a.modRevision - b.modRevision || a.sub - b.sub);
  let hash = crc32c(Buffer.from("key"), 0);
  let count = 0;
  for (const versions of [counted, logOf(log)]) {
    for (const kv of versions) {
      if (++count % versionsPerStep === 0) yield;
      hash = crc32c(revisionBytes(kv), hash);
      hash = crc32c(storedBytes(kv), hash);
    }
  }
  return { hash, compactRevision, hashRevision };
}

interface LogSpan {
  readonly store: MvccStore;
  readonly from: number;
  readonly to: number;
}

function* logOf({ store, from, to }: LogSpan): Iterable<KeyValue> {
  for (let revision = from; revision <= to; revision++) yield* store.changesAt(revision);
}

/** What became of the keys that were written since the last compaction. */
function* changedKeys(log: LogSpan) {
  const newest = new Map<string, "lives" | "deleted">();
  let deletedLast = false;
  let count = 0;
  for (const kv of logOf(log)) {
    if (++count % versionsPerStep === 0) yield;
    newest.set(kv.key, isTombstone(kv) ? "deleted" : "lives");
    if (kv.modRevision === log.to && isTombstone(kv)) deletedLast = true;
  }
  return { newest, deletedLast };
}

/** The one version a key that is as old as the last compaction. */
function* oldVersions(store: MvccStore) {
  const found: KeyValue[] = [];
  for (const kv of store.versions()) {
    if (kv.modRevision > store.compactedRevision) break;
    found.push(kv);
    if (found.length % versionsPerStep === 0) yield;
  }
  return found;
}

function revisionBytes(kv: KeyValue): Buffer {
  const isDelete = isTombstone(kv);
  const bytes = Buffer.alloc(isDelete ? 18 : 17);
  bytes.writeBigInt64BE(BigInt(kv.modRevision), 0);
  bytes.write("_", 8, "latin1");
  bytes.writeBigInt64BE(BigInt(kv.sub), 9);
  if (isDelete) bytes.write("t", 17, "latin1");
  return bytes;
}

/** A tombstone is stored as its key alone. */
function storedBytes(kv: KeyValue): Buffer {
  const message = toMessage(kv);
  return etcd.KeyValue.encode(isTombstone(kv) ? { key: message.key } : message);
}
