/**
 * A snapshot: the whole state after an entry, so that the log before it can go.
 *
 *     file    chunk*, each: length (u32), CRC-32 continued over the file (u32), records
 *     record  kind (u8), length (u32), message
 *     kinds   1 state (first), 2 lease, 3 version (in the order of
 *             MvccStore.versions), 4 end (last), 5 auth and 6 members
 *             (before the versions)
 *
 * It is written from a fork of the state, a chunk at a time, while writes go on.
 */
import { crc32 } from "node:zlib";
import { etcd, message } from "@nanokube/rpc";
import type { AuthContent } from "../core/auth/auth-store.ts";
import type { ClusterMember } from "../core/cluster.ts";
import type { KeyValue } from "../core/key-value.ts";
import { createLessor, type Lease, type Lessor } from "../core/lessor.ts";
import { type Alarm, MemberState } from "../core/member-state.ts";
import { createPackedStore } from "../core/packed-store.ts";
import { decodeVersion, encodeVersion } from "../core/packed-version.ts";
import type { ColdStorage } from "../core/record-arena.ts";
import { WalDamage } from "../core/wal-frame.ts";
import { ClusterMemberRecord } from "./entry-codec.ts";

interface StateRecord {
  index: number;
  term: number;
  revision: number;
  compactedRevision: number;
  alarms: { memberID: bigint; alarm: number }[];
}

const AlarmRecord = message<Alarm>("nanokube.etcdlite.Alarm", "memberID:1:uint64! alarm:2:int32");
const StateRecord = message<StateRecord>(
  "nanokube.etcdlite.State",
  [
    "index:1:int64 term:2:int32 revision:3:int64 compactedRevision:4:int64",
    `alarms:5:*.${AlarmRecord.name}`,
  ].join(" "),
);
const LeaseRecord = message<Omit<Lease, "expiryMs" | "keys">>(
  "nanokube.etcdlite.Lease",
  "id:1:int64! ttlSeconds:2:int64 remainingSeconds:3:int64",
);
interface ClusterRecord {
  members: ClusterMember[];
  removed: bigint[];
  version: string;
  downgradeTarget: string;
}

const ClusterRecord = message<ClusterRecord>(
  "nanokube.etcdlite.Cluster",
  `members:1:*.${ClusterMemberRecord.name} removed:2:*uint64! version:3:string downgradeTarget:4:string`,
);
/** Also loads the messages that it names. */
const authCodecs = [etcd.User, etcd.Role] as const;
const AuthRecord = message<{
  enabled: boolean;
  revision: number;
  users: etcd.User[];
  roles: etcd.Role[];
}>(
  "nanokube.etcdlite.Auth",
  [
    "enabled:1:bool revision:2:int64",
    ...authCodecs.map(({ name }, i) => `${["users", "roles"][i]}:${i + 3}:*.${name}`),
  ].join(" "),
);

const chunkBytes = 1 << 18;

/**
 * The chunks of a snapshot; between two of them the event loop takes a turn. `state` is a fork that
 * nobody changes meanwhile; `term` is that of the entry at its index.
 */
export async function* snapshotChunks(state: MemberState, term: number): AsyncIterable<Buffer> {
  const { store, lessor, index, alarms, cluster } = state;
  const { revision, compactedRevision } = store;
  let records: Buffer[] = [];
  let sizeBytes = 0;
  let crc = 0;
  const add = (kind: number, bytes: Buffer) => {
    const head = Buffer.allocUnsafe(5);
    head[0] = kind;
    head.writeUInt32LE(bytes.length, 1);
    records.push(head, bytes);
    sizeBytes += 5 + bytes.length;
  };
  const chunk = (): Buffer => {
    const body = Buffer.concat([Buffer.alloc(8), ...records], sizeBytes + 8);
    crc = crc32(body.subarray(8), crc);
    body.writeUInt32LE(sizeBytes, 0);
    body.writeUInt32LE(crc, 4);
    records = [];
    sizeBytes = 0;
    return body;
  };
  add(1, StateRecord.encode({ index, term, revision, compactedRevision, alarms: [...alarms] }));
  for (const lease of lessor.leases()) add(2, LeaseRecord.encode(lease));
  add(5, AuthRecord.encode(state.auth.content()));
  const members = cluster.sorted;
  const { version, downgradeTarget = "" } = cluster;
  const removed = [...cluster.removed];
  add(6, ClusterRecord.encode({ members, removed, version, downgradeTarget }));
  for (const kv of store.versions()) {
    add(3, encodeVersion(kv));
    if (sizeBytes < chunkBytes) continue;
    yield chunk();
    await new Promise((resolve) => setImmediate(resolve));
  }
  add(4, Buffer.alloc(0));
  yield chunk();
}

export interface Restored {
  readonly state: MemberState;
  readonly term: number;
}

export interface RestoreOptions {
  readonly quotaBytes: number;
  readonly nowMs: number;
  readonly storage?: ColdStorage | undefined;
}

export function readSnapshot(
  data: Buffer,
  name: string,
  { quotaBytes, nowMs, storage }: RestoreOptions,
): Restored {
  const records = readRecords(data, name);
  const first = records.next();
  if (first.done || first.value.kind !== 1) throw damaged(name, "it does not begin with a state");
  const head = StateRecord.decode(first.value.bytes);
  const lessor = createLessor();
  const parts: Parts = { lessor, nowMs };
  const store = createPackedStore({ ...head, versions: versionsOf(records, parts) }, storage);
  const state = new MemberState(quotaBytes, { store, lessor, storage });
  if (parts.auth !== undefined) state.auth.restore(parts.auth);
  if (parts.cluster !== undefined) {
    const { members, removed, version, downgradeTarget } = parts.cluster;
    state.cluster.restore(members, removed);
    if (version !== "") state.cluster.version = version; // Older snapshots say nothing of it.
    state.cluster.downgradeTarget = downgradeTarget || undefined;
  }
  state.index = head.index;
  state.alarms.push(...head.alarms);
  return { state, term: head.term };
}

interface Parts {
  readonly lessor: Lessor;
  readonly nowMs: number;
  auth?: AuthContent;
  cluster?: ClusterRecord;
}

/** The versions; what stands before them goes into `parts`. */
function* versionsOf(
  records: Generator<{ kind: number; bytes: Buffer }>,
  parts: Parts,
): Iterable<KeyValue> {
  const { lessor, nowMs } = parts;
  for (const { kind, bytes } of records) {
    if (kind === 2) {
      const { id, ttlSeconds, remainingSeconds } = LeaseRecord.decode(bytes);
      lessor.grant(id, ttlSeconds, nowMs).remainingSeconds = remainingSeconds;
    } else if (kind === 5) parts.auth = AuthRecord.decode(Buffer.from(bytes));
    else if (kind === 6) parts.cluster = ClusterRecord.decode(bytes);
    else if (kind === 3) {
      // A view on the file: the store copies what it keeps.
      const kv = decodeVersion(bytes);
      lessor.follow([kv]);
      yield kv;
    }
  }
}

function* readRecords(data: Buffer, name: string): Generator<{ kind: number; bytes: Buffer }> {
  let crc = 0;
  let kind = 0;
  let at = 0;
  while (at + 8 <= data.length) {
    const end = at + 8 + data.readUInt32LE(at);
    if (end > data.length) throw damaged(name, `chunk at ${at} goes beyond the end`);
    const body = data.subarray(at + 8, end);
    crc = crc32(body, crc);
    if (crc !== data.readUInt32LE(at + 4)) throw damaged(name, `checksum mismatch at ${at}`);
    for (let i = 0; i < body.length; ) {
      kind = body[i]!;
      const size = body.readUInt32LE(i + 1);
      yield { kind, bytes: body.subarray(i + 5, i + 5 + size) };
      i += 5 + size;
    }
    at = end;
  }
  if (kind !== 4 || at !== data.length) throw damaged(name, "the end is missing");
}

function damaged(name: string, why: string): WalDamage {
  return new WalDamage(`snapshot: ${name}: damaged: ${why}`);
}
