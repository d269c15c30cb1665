/**
 * A member's state from the buckets of a snapshot file.
 *
 * Bumping raises the revision by so much that no watcher ever sees it go back, and forgets the past
 * up to there: what is left is the newest version of each key.
 * Source  etcd v3.6 etcdutl/snapshot/v3_snapshot.go modifyLatestRevision
 */
import { isTombstone, type KeyValue } from "../key-value.ts";
import { createLessor } from "../lessor.ts";
import { MemberState } from "../member-state.ts";
import { createPackedStore } from "../packed-store.ts";
import type { ReadBuckets } from "./etcd-buckets.ts";

export interface RestoreOptions {
  readonly quotaBytes: number;
  readonly nowMs: number;
  /** 0: the revision stays. */
  readonly bumpRevision: number;
}

export function restoreState(read: ReadBuckets, options: RestoreOptions): MemberState {
  const revision = read.revision + options.bumpRevision;
  const scheduled = options.bumpRevision > 0 ? revision : read.scheduledCompaction;
  const compactedRevision = Math.max(read.compactedRevision, scheduled);
  const versions = [...read.versions];
  const kept = scheduled > read.compactedRevision ? afterCompaction(versions, scheduled) : versions;
  const lessor = createLessor();
  for (const { id, ttlSeconds, remainingSeconds } of read.leases) {
    lessor.grant(id, ttlSeconds, options.nowMs).remainingSeconds = remainingSeconds;
  }
  lessor.follow(kept);
  const store = createPackedStore({ revision, compactedRevision, versions: kept });
  const state = new MemberState(options.quotaBytes, { store, lessor });
  state.auth.restore(read.auth);
  state.alarms.push(...read.alarms);
  return state;
}

/** What is needed to read at or after the revision. */
function afterCompaction(versions: readonly KeyValue[], revision: number): KeyValue[] {
  const newest = new Map<string, KeyValue>();
  for (const kv of versions) if (kv.modRevision <= revision) newest.set(kv.key, kv);
  return versions.filter(
    (kv) => kv.modRevision > revision || (newest.get(kv.key) === kv && !isTombstone(kv)),
  );
}
