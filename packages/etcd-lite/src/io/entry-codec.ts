/**
 * Entries as bytes: a number for the kind, and the request as etcd's own message.
 *
 * The numbers stand in logs on disk: they are never given a new meaning.
 */
import { etcd, type MessageCodec, message } from "@nanokube/rpc";
import type {
  ClusterMember,
  DowngradeRequest,
  MemberAttributesRequest,
  MemberChangeRequest,
} from "../core/cluster.ts";
import type { Entry, EntryAs, PlainEntry, PlainKind } from "../core/entry.ts";
import { type RawEntry, WalDamage } from "../core/wal-frame.ts";

interface Kind {
  readonly number: number;
  readonly codec: MessageCodec<never>;
}

export const ClusterMemberRecord = message<ClusterMember>(
  "nanokube.etcdlite.ClusterMember",
  "id:1:uint64! name:2:string peerURLs:3:*string clientURLs:4:*string isLearner:5:bool",
);
const MemberChangeRecord = message<MemberChangeRequest>(
  "nanokube.etcdlite.MemberChange",
  `action:1:string member:2:.${ClusterMemberRecord.name}`,
);
const MemberAttributesRecord = message<MemberAttributesRequest>(
  "nanokube.etcdlite.MemberAttributes",
  "id:1:uint64! name:2:string clientURLs:3:*string",
);
const DowngradeRecord = message<DowngradeRequest>(
  "nanokube.etcdlite.Downgrade",
  "enabled:1:bool version:2:string",
);
const VersionRecord = message<{ version: string }>("nanokube.etcdlite.Version", "version:1:string");

/** A change of membership: consensus has to know it when it sees one. */
export const memberChangeKind = 8;

const kinds: Readonly<Record<PlainKind, Kind>> = {
  put: { number: 1, codec: etcd.PutRequest as MessageCodec<never> },
  deleteRange: { number: 2, codec: etcd.DeleteRangeRequest as MessageCodec<never> },
  txn: { number: 3, codec: etcd.TxnRequest as MessageCodec<never> },
  compact: { number: 4, codec: etcd.CompactionRequest as MessageCodec<never> },
  leaseGrant: { number: 5, codec: etcd.LeaseGrantRequest as MessageCodec<never> },
  leaseRevoke: { number: 6, codec: etcd.LeaseRevokeRequest as MessageCodec<never> },
  alarm: { number: 7, codec: etcd.AlarmRequest as MessageCodec<never> },
  memberChange: { number: memberChangeKind, codec: MemberChangeRecord as MessageCodec<never> },
  memberAttributes: { number: 9, codec: MemberAttributesRecord as MessageCodec<never> },
  leaseCheckpoint: { number: 10, codec: etcd.LeaseCheckpointRequest as MessageCodec<never> },
  downgradeInfo: { number: 11, codec: DowngradeRecord as MessageCodec<never> },
  clusterVersion: { number: 12, codec: VersionRecord as MessageCodec<never> },
  authEnable: { number: 20, codec: etcd.AuthEnableRequest as MessageCodec<never> },
  authDisable: { number: 21, codec: etcd.AuthDisableRequest as MessageCodec<never> },
  authStatus: { number: 22, codec: etcd.AuthStatusRequest as MessageCodec<never> },
  authenticate: { number: 23, codec: etcd.AuthenticateRequest as MessageCodec<never> },
  userAdd: { number: 24, codec: etcd.AuthUserAddRequest as MessageCodec<never> },
  userGet: { number: 25, codec: etcd.AuthUserGetRequest as MessageCodec<never> },
  userList: { number: 26, codec: etcd.AuthUserListRequest as MessageCodec<never> },
  userDelete: { number: 27, codec: etcd.AuthUserDeleteRequest as MessageCodec<never> },
  userChangePassword: {
    number: 28,
    codec: etcd.AuthUserChangePasswordRequest as MessageCodec<never>,
  },
  userGrantRole: { number: 29, codec: etcd.AuthUserGrantRoleRequest as MessageCodec<never> },
  userRevokeRole: { number: 30, codec: etcd.AuthUserRevokeRoleRequest as MessageCodec<never> },
  roleAdd: { number: 31, codec: etcd.AuthRoleAddRequest as MessageCodec<never> },
  roleGet: { number: 32, codec: etcd.AuthRoleGetRequest as MessageCodec<never> },
  roleList: { number: 33, codec: etcd.AuthRoleListRequest as MessageCodec<never> },
  roleDelete: { number: 34, codec: etcd.AuthRoleDeleteRequest as MessageCodec<never> },
  roleGrantPermission: {
    number: 35,
    codec: etcd.AuthRoleGrantPermissionRequest as MessageCodec<never>,
  },
  roleRevokePermission: {
    number: 36,
    codec: etcd.AuthRoleRevokePermissionRequest as MessageCodec<never>,
  },
};

/** An entry with the name of who asked: a number of its own, and the other entry inside. */
const asNumber = 40;

interface AsRecord {
  username: string;
  authRevision: number;
  kind: number;
  bytes: Uint8Array;
}

const AsRecord = message<AsRecord>(
  "nanokube.etcdlite.AsRecord",
  "username:1:string authRevision:2:uint64 kind:3:int32 bytes:4:bytes",
);

const byNumber = new Map(
  Object.entries(kinds).map(([kind, { number, codec }]) => [number, { kind, codec }] as const),
);

export function encodeEntry(entry: Entry): RawEntry {
  if (entry.kind === "as") return { kind: asNumber, bytes: encodeAs(entry) };
  const { number, codec } = kinds[entry.kind];
  const received = "bytes" in entry ? entry.bytes : undefined;
  const bytes = received === undefined ? codec.encode(entry.request as never) : ownBytes(received);
  return { kind: number, bytes };
}

/** The log keeps them for long: a small view must not keep all that came with it. */
function ownBytes(bytes: Buffer): Buffer {
  return bytes.length * 4 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}

function encodeAs({ who, entry }: EntryAs): Uint8Array {
  const { kind, bytes } = encodeEntry(entry);
  return AsRecord.encode({ username: who.username, authRevision: who.revision, kind, bytes });
}

function decodeAs(bytes: Uint8Array): EntryAs {
  const record = AsRecord.decode(bytes);
  const who = { username: record.username, revision: record.authRevision };
  const entry = decodeEntry({ kind: record.kind, bytes: record.bytes }) as PlainEntry;
  return { kind: "as", who, entry };
}

export function decodeEntry({ kind, bytes }: RawEntry): Entry {
  if (kind === asNumber) return decodeAs(bytes);
  const found = byNumber.get(kind);
  if (found === undefined) {
    throw new WalDamage(`wal: an entry of kind ${kind}: written by a newer etcd-lite?`);
  }
  return { kind: found.kind, request: found.codec.decode(bytes) } as unknown as Entry;
}
