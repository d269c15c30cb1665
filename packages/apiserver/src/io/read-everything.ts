/** Everything under a prefix of etcd at one revision, in pages: what the caches begin with. */
import { storageError } from "./etcd-errors.ts";
import { type KeyValue, prefixEnd } from "./etcd-key.ts";

const pageSize = 1000;

interface RangeRequest {
  key: Uint8Array;
  rangeEnd: Uint8Array;
  limit: number;
  revision: number;
}

interface RangeClient {
  range(request: RangeRequest): Promise<{
    header?: { revision: number } | undefined;
    kvs: readonly unknown[];
    more: boolean;
  }>;
}

/** The revision. */
export async function readEverything(
  client: RangeClient,
  prefix: Uint8Array,
  take: (kv: KeyValue) => void,
): Promise<number> {
  const rangeEnd = prefixEnd(prefix);
  let key = prefix;
  let revision = 0;
  for (;;) {
    const asked = client.range({ key, rangeEnd, limit: pageSize, revision });
    const page = await storageError(asked);
    revision = revision || page.header!.revision;
    for (const kv of page.kvs as readonly KeyValue[]) take(kv);
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return revision;
    key = new Uint8Array([...(last as KeyValue).key, 0]);
  }
}
