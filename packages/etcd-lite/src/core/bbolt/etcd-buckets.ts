/**
 * What etcd keeps in which bucket of its bbolt file, written from a state and read back.
 *
 *     key              revision (17 bytes, "t" appended for a delete) → KeyValue
 *     lease            id (8 bytes) → Lease
 *     auth             authEnabled 0|1, authRevision (8 bytes)
 *     authUsers, authRoles   name → User, Role
 *     members          id in hex → JSON
 *     members_removed  id in hex → "removed"
 *     cluster          clusterVersion
 *     alarm            AlarmMember → nothing
 *     meta             consistent_index, term (8 bytes), confState (JSON), storageVersion,
 *                      scheduledCompactRev, finishedCompactRev (a revision)
 * Numbers in keys and in meta are big-endian.
 * Source  etcd v3.6 server/storage/schema/*.go, server/lease/lessor.go, mvcc/revision.go
 */
import { etcd, type MessageCodec, message } from "@nanokube/rpc";
import type { AuthContent } from "../auth/auth-store.ts";
import { keyBytes, keyText } from "../bytes.ts";
import type { ClusterMember } from "../cluster.ts";
import { isTombstone, type KeyValue, noValue } from "../key-value.ts";
import { toMessage } from "../kv-requests.ts";
import type { Alarm } from "../member-state.ts";
import type { StoreContent } from "../mvcc-store.ts";
import { PackedVersion } from "../packed-version.ts";
import type { Pair } from "./page.ts";
import { BboltError, type BboltFile } from "./read-file.ts";
import type { BucketSource } from "./write-file.ts";

interface LeaseRecord {
  ID: bigint;
  TTL: number;
  RemainingTTL: number;
}

const LeaseRecord: MessageCodec<LeaseRecord> = message(
  "leasepb.Lease",
  "ID:1:int64! TTL:2:int64 RemainingTTL:3:int64",
);

export interface LeaseContent {
  readonly id: bigint;
  readonly ttlSeconds: number;
  /** As of the last checkpoint; 0 is its whole time. */
  readonly remainingSeconds: number;
}

/** All that a file holds of a member's state. */
export interface BucketContent extends StoreContent {
  readonly leases: readonly LeaseContent[];
  readonly alarms: readonly Alarm[];
  readonly auth: AuthContent;
}

export interface BucketInput extends BucketContent {
  readonly index: number;
  readonly term: number;
  readonly clusterVersion: string;
  readonly members: readonly ClusterMember[];
  readonly removedMembers: readonly bigint[];
}

export function etcdBuckets(input: BucketInput): BucketSource[] {
  const versions = [...input.versions].sort(
    (a, b) => a.modRevision - b.modRevision || a.sub - b.sub,
  );
  const bucket = (name: string, pairs: readonly Pair[]): BucketSource => {
    const sorted = [...pairs].sort((a, b) => Buffer.compare(a.key, b.key));
    return { name, entries: () => sorted };
  };
  const { users, roles } = input.auth;
  return [
    { name: "key", entries: () => versionPairs(versions) },
    bucket("lease", input.leases.map(leasePair)),
    bucket("auth", authPairs(input.auth)),
    bucket(
      "authUsers",
      users.map((u) => ({ key: u.name, value: etcd.User.encode(u) })),
    ),
    bucket(
      "authRoles",
      roles.map((r) => ({ key: r.name, value: etcd.Role.encode(r) })),
    ),
    bucket("members", input.members.map(memberPair)),
    bucket(
      "members_removed",
      input.removedMembers.map((id) => pair(id.toString(16), Buffer.from("removed"))),
    ),
    bucket("cluster", [pair("clusterVersion", Buffer.from(input.clusterVersion))]),
    bucket(
      "alarm",
      input.alarms.map((a) => ({ key: etcd.AlarmMember.encode(a), value: noValue })),
    ),
    bucket("meta", metaPairs(input)),
  ];
}

const pair = (key: string, value: Uint8Array): Pair => ({ key: Buffer.from(key), value });

function* versionPairs(versions: readonly KeyValue[]): Iterable<Pair> {
  for (const kv of versions) yield { key: revisionKey(kv), value: storedBytes(kv) };
}

/** A delete is stored as its key alone. */
function storedBytes(kv: KeyValue): Uint8Array {
  if (isTombstone(kv)) return etcd.KeyValue.encode({ key: keyBytes(kv.key) });
  // What the store holds is encoded already.
  if (kv instanceof PackedVersion) return kv.bytes.subarray(kv.from, kv.to);
  return etcd.KeyValue.encode(toMessage(kv));
}

function revisionKey(kv: KeyValue): Buffer {
  const key = revisionBytes(kv.modRevision, kv.sub);
  return isTombstone(kv) ? Buffer.concat([key, Buffer.from("t")]) : key;
}

function revisionBytes(main: number, sub: number): Buffer {
  const bytes = Buffer.alloc(17);
  bytes.writeBigInt64BE(BigInt(main), 0);
  bytes.write("_", 8, "latin1");
  bytes.writeBigInt64BE(BigInt(sub), 9);
  return bytes;
}

function number64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
}

function leasePair({ id, ttlSeconds, remainingSeconds }: LeaseContent): Pair {
  const lease = { ID: id, TTL: ttlSeconds, RemainingTTL: remainingSeconds };
  return { key: number64(id), value: LeaseRecord.encode(lease) };
}

function authPairs({ enabled, revision }: AuthContent): Pair[] {
  const numbered = pair("authRevision", number64(revision));
  return enabled ? [pair("authEnabled", Buffer.from([1])), numbered] : [numbered];
}

/** JSON has no place for 64 bits in JavaScript's numbers: the id is put in as text. */
function memberPair({ id, name, peerURLs, clientURLs, isLearner }: ClusterMember): Pair {
  const learner = isLearner ? { isLearner } : {};
  const rest = JSON.stringify({ peerURLs, ...learner, name, clientURLs });
  return pair(id.toString(16), Buffer.from(`{"id":${id},${rest.slice(1)}`));
}

function metaPairs({ index, term, members, compactedRevision, clusterVersion }: BucketInput) {
  const idsOf = (isLearner: boolean) =>
    members.filter((m) => m.isLearner === isLearner).map((m) => m.id);
  const learners = idsOf(true).length > 0 ? `"learners":[${idsOf(true)}],` : "";
  const confState = `{"voters":[${idsOf(false)}],${learners}"auto_leave":false}`;
  const pairs = [
    pair("consistent_index", number64(index)),
    pair("term", number64(term)),
    pair("confState", Buffer.from(confState)),
    pair("storageVersion", Buffer.from(clusterVersion)),
  ];
  if (compactedRevision < 0) return pairs;
  const compacted = revisionBytes(compactedRevision, 0);
  return [...pairs, pair("scheduledCompactRev", compacted), pair("finishedCompactRev", compacted)];
}

export interface ReadBuckets extends BucketContent {
  /** A compaction that was asked for and not done yet; -1 without one. */
  readonly scheduledCompaction: number;
}

export function readEtcdBuckets(file: BboltFile): ReadBuckets {
  const entries = (name: string) => [...(file.bucket(name) ?? [])];
  const named = (name: string) =>
    new Map(entries(name).map(({ key, value }) => [keyText(key), Buffer.from(value)] as const));
  if (file.bucket("key") === undefined) throw new BboltError("bbolt: there is no bucket named key");
  const versions: KeyValue[] = [];
  let revision = 1;
  for (const { key, value } of file.bucket("key")!) {
    const { main, sub, isDelete } = parseRevision(Buffer.from(key));
    revision = Math.max(revision, main);
    // A revision without a key only says how far the numbers went (a bumped restore).
    if (value.length > 0) versions.push(toVersion(value, { main, sub, isDelete }));
  }
  const meta = named("meta");
  const compaction = (name: string) => (meta.has(name) ? parseRevision(meta.get(name)!).main : -1);
  const finished = compaction("finishedCompactRev");
  const auth = named("auth");
  return {
    revision: Math.max(revision, finished),
    compactedRevision: finished,
    scheduledCompaction: compaction("scheduledCompactRev"),
    versions,
    leases: entries("lease").map(({ value }) => {
      const { ID, TTL, RemainingTTL } = LeaseRecord.decode(Buffer.from(value));
      return { id: ID, ttlSeconds: TTL, remainingSeconds: RemainingTTL };
    }),
    alarms: entries("alarm").map(({ key }) => etcd.AlarmMember.decode(Buffer.from(key))),
    auth: {
      enabled: auth.get("authEnabled")?.[0] === 1,
      revision: Number(auth.get("authRevision")?.readBigUInt64BE(0) ?? 1n),
      users: entries("authUsers").map(({ value }) => etcd.User.decode(Buffer.from(value))),
      roles: entries("authRoles").map(({ value }) => etcd.Role.decode(Buffer.from(value))),
    },
  };
}

interface Revision {
  readonly main: number;
  readonly sub: number;
  readonly isDelete: boolean;
}

function parseRevision(bytes: Buffer): Revision {
  const isDelete = bytes.length === 18 && bytes[17] === 0x74;
  if ((bytes.length !== 17 && !isDelete) || bytes[8] !== 0x5f) {
    throw new BboltError(`bbolt: ${bytes.toString("hex")} is not a revision`);
  }
  const main = Number(bytes.readBigInt64BE(0));
  return { main, sub: Number(bytes.readBigInt64BE(9)), isDelete };
}

function toVersion(value: Uint8Array, { main, sub, isDelete }: Revision): KeyValue {
  const kv = etcd.KeyValue.decode(Buffer.from(value));
  return {
    key: keyText(kv.key),
    value: isDelete ? noValue : Buffer.from(kv.value),
    createRevision: isDelete ? 0 : kv.createRevision,
    modRevision: main,
    sub,
    version: isDelete ? 0 : kv.version,
    lease: isDelete ? 0n : kv.lease,
  };
}
