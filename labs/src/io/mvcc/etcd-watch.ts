/**
 * The past of an etcd: what was written at each revision, read by a watch from a start revision.
 */
import type { Client, etcd } from "@nanokube/rpc";

export interface ChangesRequest {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  /** Both of the etcd; at `to` something was written within the range. */
  readonly from: number;
  readonly to: number;
  readonly timeoutMs: number;
}

/** One list a revision, from the first to the last. */
export async function readChanges(
  watch: Client<typeof etcd.Watch>,
  { key, rangeEnd, from, to, timeoutMs }: ChangesRequest,
): Promise<etcd.KeyValue[][]> {
  const stream = watch.watch({ timeoutMs });
  const lists: etcd.KeyValue[][] = Array.from({ length: to - from + 1 }, () => []);
  try {
    stream.write({ createRequest: { key, rangeEnd, startRevision: from } });
    for await (const { events } of stream.responses) {
      for (const { kv } of events) lists[kv!.modRevision - from]?.push(kv!);
      if (events.some(({ kv }) => kv!.modRevision >= to)) return lists;
    }
    return lists;
  } finally {
    stream.cancel();
  }
}

/** Writes once, so that the revision it gets is above all that others compacted. */
export async function firstRevisionOf(kv: Client<typeof etcd.KV>, mark: string): Promise<number> {
  const { header } = await kv.put({ key: Buffer.from(mark), value: Buffer.from("1") });
  return header!.revision;
}
