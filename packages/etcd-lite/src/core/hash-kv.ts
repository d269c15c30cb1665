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
 * The same in steps, for whoever has other things to do between them. A compaction keeps what was
 * deleted at its own revision, too: it counts when there is nothing else to keep.
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
  const seen = [...store.versions()].filter((kv) => kv.modRevision <= hashRevision);
  const kept = newestOfEachKey(seen);
  const deletedThere = seen.some((kv) => kv.modRevision === hashRevision && isTombstone(kv));
  const keepsAll = kept.size === 0 && !(isCompaction && deletedThere);
  const versions = seen
    .filter((kv) => kv.modRevision !== compactRevision || !isTombstone(kv))
    .filter((kv) => kv.modRevision > compactRevision || keepsAll || kept.has(kv))
    .sort((a, b) => a.modRevision - b.modRevision || a.sub - b.sub);
  let hash = crc32c(Buffer.from("key"), 0);
  let count = 0;
  for (const kv of versions) {
    if (++count % versionsPerStep === 0) yield;
    hash = crc32c(revisionBytes(kv), hash);
    hash = crc32c(storedBytes(kv), hash);
  }
  return { hash, compactRevision, hashRevision };
}

/**
 * What a compaction at the hash's revision would keep. Versions from before the last compaction
 * count only if they are among them: members compact at different times.
 */
function newestOfEachKey(versions: readonly KeyValue[]): Set<KeyValue> {
  const newest = new Map<string, KeyValue>();
  for (const kv of versions) {
    const other = newest.get(kv.key);
    if (other === undefined || other.modRevision <= kv.modRevision) newest.set(kv.key, kv);
  }
  return new Set([...newest.values()].filter((kv) => !isTombstone(kv)));
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
