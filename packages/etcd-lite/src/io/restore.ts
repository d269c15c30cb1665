/**
 * `etcd-lite snapshot restore FILE`: a data directory from a snapshot, ours or etcd's.
 *
 * The members that the cluster begins with take the places of those that it had: each of them
 * restores the same file with the same --initial-cluster, and they find each other.
 * Errors  Error in etcdutl's words: a directory that is not empty, a checksum that is missing or
 *         wrong; BboltError for a damaged file
 * Source  etcd v3.6 etcdutl/etcdutl/snapshot_command.go, etcdutl/snapshot/v3_snapshot.go
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import type { Clock, Log } from "@nanokube/machinery";
import { readEtcdBuckets } from "../core/bbolt/etcd-buckets.ts";
import { BboltFile, type ReadAt } from "../core/bbolt/read-file.ts";
import { restoreState } from "../core/bbolt/restore-state.ts";
import { type SnapshotStatus, snapshotStatus } from "../core/bbolt/snapshot-status.ts";
import type { MemberState } from "../core/member-state.ts";
import { lockDataDir } from "./data-dir.ts";
import { type Disk, openDisk } from "./disk.ts";
import { createIdentity, type IdentityOptions } from "./identity.ts";
import { recover } from "./recover.ts";
import { snapshotChunks } from "./snapshot.ts";
import { type Owner, snapshotName } from "./wal.ts";

export interface RestoreSettings extends IdentityOptions {
  readonly file: string;
  readonly dataDir: string;
  readonly skipHashCheck: boolean;
  readonly bumpRevision: number;
  readonly clock: Clock;
  readonly log: Log;
}

const hashBytes = 32;
const sectorBytes = 512;
const readBytes = 1 << 20;
const firstTerm = 1;

export async function restoreSnapshot(settings: RestoreSettings): Promise<void> {
  const { dataDir, file, bumpRevision, clock, log } = settings;
  const { identity, members } = createIdentity(settings);
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0) {
    throw new Error(`data-dir "${dataDir}" not empty or could not be read`);
  }
  const handle = openSync(file, "r");
  let state: MemberState;
  try {
    const size = checkedSize(handle, settings);
    const read = readEtcdBuckets(new BboltFile(reader(handle, size)));
    state = restoreState(read, { quotaBytes: 0, nowMs: clock.now(), bumpRevision });
  } finally {
    closeSync(handle);
  }
  // As if the entries that add these members were what the snapshot ends with.
  state.cluster.restore(members, []);
  state.index = members.length;
  const locked = await lockDataDir(dataDir);
  try {
    const disk = await openDisk(locked.logDirectory);
    await writeMember(disk, { state, owner: identity, clock, log });
  } finally {
    await locked.release();
  }
  const { revision } = state.store;
  log.info({ file, dataDir, revision, members: members.length }, "restored snapshot");
}

interface Restored {
  readonly state: MemberState;
  readonly owner: Owner;
  readonly clock: Clock;
  readonly log: Log;
}

/** The snapshot first, and then a log that goes on behind it: the order of a crash is harmless. */
async function writeMember(disk: Disk, { state, owner, clock, log }: Restored): Promise<void> {
  await disk.writeWhole(snapshotName(state.index), snapshotChunks(state, firstTerm));
  const onError = (error: Error) => log.error({ error: error.message }, "cannot write a snapshot");
  const found = await recover({ disk, quotaBytes: state.quotaBytes, clock, log, onError });
  const wal = found.openWal(owner);
  const hardState = { term: firstTerm, vote: 0n, commit: state.index };
  await wal.write({ hardState, entries: [], snapshot: undefined, promises: [] });
  await wal.close();
}

/** The size without the checksum behind it, after it was compared. */
function checkedSize(handle: number, { file, skipHashCheck }: RestoreSettings): number {
  const { size } = statSync(file);
  const hasHash = size % sectorBytes === hashBytes;
  if (!hasHash && !skipHashCheck) {
    throw new Error("snapshot missing hash but --skip-hash-check=false");
  }
  const contentBytes = hasHash ? size - hashBytes : size;
  if (!hasHash || skipHashCheck) return contentBytes;
  const wanted = reader(handle, size)(contentBytes, hashBytes);
  const hash = createHash("sha256");
  const read = reader(handle, contentBytes);
  for (let at = 0; at < contentBytes; at += readBytes) hash.update(read(at, readBytes));
  const found = hash.digest();
  if (!found.equals(wanted)) {
    throw new Error(`expected sha256 [${[...wanted].join(" ")}], got [${[...found].join(" ")}]`);
  }
  return contentBytes;
}

function reader(handle: number, sizeBytes: number): ReadAt {
  return (offset, length) => {
    const wanted = Math.max(0, Math.min(length, sizeBytes - offset));
    const bytes = Buffer.allocUnsafe(wanted);
    const count = readSync(handle, bytes, 0, wanted, offset);
    return bytes.subarray(0, count);
  };
}

/** What a snapshot holds. */
export function readStatus(file: string): SnapshotStatus {
  const handle = openSync(file, "r");
  try {
    return snapshotStatus(new BboltFile(reader(handle, statSync(file).size)));
  } finally {
    closeSync(handle);
  }
}
