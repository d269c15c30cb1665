/**
 * Lists of so many keys that nobody else should wait while one is put together.
 *
 * The keys are taken from a fork of the store, some in each turn of the event loop, and each
 * portion is encoded at once: the answer is what follows from that, byte for byte.
 */
import { etcd, type Init, inPieces } from "@nanokube/rpc";
import { keyText } from "../core/bytes.ts";
import { spanOf } from "../core/key-value.ts";
import { toAnswer } from "../core/kv-requests.ts";
import type { MvccStore } from "../core/mvcc-store.ts";
import { header, type Member } from "./member.ts";

const longKeys = 2000;
const portionKeys = 500;

/** Of the newest state, in the order of keys, whole: what lists usually are. */
export function isLongRange({ store }: { store: MvccStore }, r: etcd.RangeRequest): boolean {
  const isPlain =
    !r.countOnly &&
    !r.keysOnly &&
    r.sortOrder === 0 &&
    r.sortTarget === 0 &&
    r.minModRevision + r.maxModRevision + r.minCreateRevision + r.maxCreateRevision === 0;
  if (!isPlain || r.rangeEnd.length === 0 || (r.limit > 0 && r.limit <= longKeys)) return false;
  if (r.revision > 0 && r.revision !== store.revision) return false;
  return countOf(store, r) > longKeys;
}

function countOf(store: MvccStore, r: etcd.RangeRequest): number {
  return store.range({ ...spanOf(keyText(r.key), keyText(r.rangeEnd)), countOnly: true }).count;
}

export async function executeLongRange(
  member: Member,
  r: etcd.RangeRequest,
): Promise<Init<etcd.RangeResponse>> {
  const store = member.state.store.fork();
  const span = spanOf(keyText(r.key), keyText(r.rangeEnd));
  const count = countOf(store, r);
  const wanted = r.limit > 0 ? Math.min(r.limit, count) : count;
  const head = { header: header(member, store.revision), more: wanted < count, count };
  const pieces = [etcd.RangeResponse.encode(head)];
  let { key } = span;
  for (let left = wanted; left > 0; ) {
    const { kvs } = store.range({ ...span, key, limit: Math.min(left, portionKeys) });
    pieces.push(etcd.RangeResponse.encode({ kvs: kvs.map((kv) => toAnswer(kv)) }));
    left -= kvs.length;
    key = `${kvs.at(-1)!.key}\0`;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return inPieces<etcd.RangeResponse>(pieces);
}
