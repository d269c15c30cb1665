/**
 * The store forgets everything before now, in the way in which API servers do it: the key that they
 * watch says up to where.
 */
import { type Channel, createClient, etcd } from "@nanokube/rpc";
import type { RestAnswer } from "../subjects/apiserver.ts";

/** kube-apiserver looks that often whether its snapshots of the past are still worth keeping. */
const noticedMs = 15_000;

export async function compact(channel: Channel, noticed = 0): Promise<RestAnswer> {
  const kv = createClient(channel, etcd.KV);
  const key = new TextEncoder().encode("compact_rev_key");
  const { header } = await kv.range({ key });
  const { revision } = header!;
  await kv.put({ key, value: new TextEncoder().encode(String(revision)) });
  await kv.compact({ revision, physical: true });
  await new Promise((resolve) => setTimeout(resolve, noticed));
  channel.close();
  return { status: 200, headers: { "content-type": "application/json" }, text: "{}" };
}

export const compactUpstream = (channel: Channel): Promise<RestAnswer> =>
  compact(channel, noticedMs + 3_000);
