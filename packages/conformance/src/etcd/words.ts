/**
 * etcd in short words, for tables: `put a 1`, `{ key: "a", end: "z" }` → `["a=1"]`.
 *
 * A history is a list of lines, done in order:  put KEY VALUE [LEASE] | del KEY [END] | compact REV
 * | lease ID TTL
 */
import type { etcd, Init } from "@nanokube/rpc";
import type { EtcdInstance } from "../subjects/etcd.ts";

export const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
export const words = (value: Uint8Array): string => Buffer.from(value).toString("latin1");

export async function play({ kv, lease }: EtcdInstance, history: readonly string[]): Promise<void> {
  for (const line of history) {
    const [verb, first = "", second = "", third = "0"] = line.split(" ");
    if (verb === "put") {
      await kv.put({ key: bytes(first), value: bytes(second), lease: BigInt(third) });
    } else if (verb === "del") {
      await kv.deleteRange({ key: bytes(first), rangeEnd: bytes(second) });
    } else if (verb === "compact") {
      await kv.compact({ revision: Number(first), physical: true });
    } else if (verb === "lease") {
      await lease.leaseGrant({ ID: BigInt(first), TTL: Number(second) });
    } else throw new Error(`no such word: ${line}`);
  }
}

export interface RangeWords extends Omit<Init<etcd.RangeRequest>, "key" | "rangeEnd"> {
  readonly key?: string;
  readonly end?: string;
}

export interface Found {
  readonly kvs: readonly string[];
  readonly count: number;
  readonly more: boolean;
}

export async function range({ kv }: EtcdInstance, request: RangeWords): Promise<Found> {
  const { key = "", end = "", ...rest } = request;
  const found = await kv.range({ ...rest, key: bytes(key), rangeEnd: bytes(end) });
  const { kvs, count, more } = found;
  return { kvs: kvs.map((one) => `${words(one.key)}=${words(one.value)}`), count, more };
}

/** `a=1 create 2 mod 4 version 2 lease 0`: a key with all its numbers. */
export function keyLine(one: etcd.KeyValue): string {
  const { createRevision, modRevision, version, lease } = one;
  const numbers = `create ${createRevision} mod ${modRevision} version ${version}`;
  return `${words(one.key)}=${words(one.value)} ${numbers} lease ${lease}`;
}
