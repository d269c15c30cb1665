/**
 * Entries as bytes: a number for the kind, and the request as etcd's own message.
 *
 * The numbers stand in logs on disk: they are never given a new meaning.
 */
import { etcd, type MessageCodec } from "@nanokube/rpc";
import type { Entry, EntryKind } from "../core/entry.ts";
import { type RawEntry, WalDamage } from "../core/wal-frame.ts";

interface Kind {
  readonly number: number;
  readonly codec: MessageCodec<never>;
}

const kinds: Readonly<Record<EntryKind, Kind>> = {
  put: { number: 1, codec: etcd.PutRequest as MessageCodec<never> },
  deleteRange: { number: 2, codec: etcd.DeleteRangeRequest as MessageCodec<never> },
  txn: { number: 3, codec: etcd.TxnRequest as MessageCodec<never> },
  compact: { number: 4, codec: etcd.CompactionRequest as MessageCodec<never> },
  leaseGrant: { number: 5, codec: etcd.LeaseGrantRequest as MessageCodec<never> },
  leaseRevoke: { number: 6, codec: etcd.LeaseRevokeRequest as MessageCodec<never> },
  alarm: { number: 7, codec: etcd.AlarmRequest as MessageCodec<never> },
};

const byNumber = new Map(
  Object.entries(kinds).map(([kind, { number, codec }]) => [number, { kind, codec }] as const),
);

export function encodeEntry(entry: Entry): RawEntry {
  const { number, codec } = kinds[entry.kind];
  return { kind: number, bytes: codec.encode(entry.request as never) };
}

export function decodeEntry({ kind, bytes }: RawEntry): Entry {
  const found = byNumber.get(kind);
  if (found === undefined) {
    throw new WalDamage(`wal: an entry of kind ${kind}: written by a newer etcd-lite?`);
  }
  return { kind: found.kind, request: found.codec.decode(bytes) } as unknown as Entry;
}
