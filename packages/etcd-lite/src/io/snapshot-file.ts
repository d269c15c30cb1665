/**
 * Maintenance.Snapshot: the state as etcd's own file, with a checksum behind it.
 *
 *     stream  32 KiB blobs of a bbolt file, then one blob of its SHA-256; `remainingBytes` counts
 *             the file only
 * `etcdctl snapshot save` writes the blobs one after the other: `etcdutl snapshot restore`, etcd's
 * and ours, finds the checksum at the end.
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/maintenance.go Snapshot
 */
import { createHash } from "node:crypto";
import type { etcd, ServerStream } from "@nanokube/rpc";
import { etcdBuckets } from "../core/bbolt/etcd-buckets.ts";
import { type PlannedFile, planFile } from "../core/bbolt/write-file.ts";
import type { Member } from "./member.ts";

const blobBytes = 32 * 1024;

export function planSnapshotFile({ state, term }: Member): PlannedFile {
  // A fork: writes go on while it is sent.
  const store = state.store.fork();
  return planFile(
    etcdBuckets({
      revision: store.revision,
      compactedRevision: store.compactedRevision,
      versions: store.versions(),
      leases: state.lessor
        .leases()
        .map(({ id, ttlSeconds, remainingSeconds }) => ({ id, ttlSeconds, remainingSeconds })),
      alarms: [...state.alarms],
      auth: state.auth.content(),
      index: state.index,
      term,
      clusterVersion: state.cluster.version,
      members: state.cluster.sorted,
      removedMembers: [...state.cluster.removed],
    }),
  );
}

type Call = ServerStream<etcd.SnapshotRequest, etcd.SnapshotResponse>;

export async function sendSnapshot(member: Member, call: Call): Promise<void> {
  const file = planSnapshotFile(member);
  const hash = createHash("sha256");
  let remainingBytes = file.sizeBytes;
  for (const blob of blobsOf(file)) {
    if (call.signal.aborted) return;
    hash.update(blob);
    remainingBytes -= blob.length;
    const isWritable = call.write({ remainingBytes, blob, version: member.state.cluster.version });
    if (isWritable) await new Promise((resolve) => setImmediate(resolve));
    else await call.drained();
  }
  call.write({ remainingBytes: 0, blob: hash.digest(), version: member.state.cluster.version });
}

/** Pages put together to blobs of one size. */
function* blobsOf(file: PlannedFile): Iterable<Buffer> {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  for (const page of file.pages()) {
    for (let rest = page; rest.length > 0; ) {
      const part = rest.subarray(0, blobBytes - sizeBytes);
      rest = rest.subarray(part.length);
      parts.push(part);
      sizeBytes += part.length;
      if (sizeBytes < blobBytes) continue;
      yield Buffer.concat(parts);
      parts = [];
      sizeBytes = 0;
    }
  }
  if (sizeBytes > 0) yield Buffer.concat(parts);
}
