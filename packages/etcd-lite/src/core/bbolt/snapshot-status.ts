/**
 * What a snapshot holds, told as `etcdutl snapshot status` tells it.
 *
 * Errors  BboltError: pages that contradict themselves
 * Source  etcd v3.6 etcdutl/snapshot/v3_snapshot.go Status, etcdutl/etcdutl/printer.go
 */
import { etcd } from "@nanokube/rpc";
import { crc32c } from "../crc32c.ts";
import type { BboltFile } from "./read-file.ts";

export interface SnapshotStatus {
  /** Over the names of all buckets, and everything in them. */
  readonly hash: number;
  readonly revision: number;
  readonly totalKey: number;
  readonly totalSize: number;
  /** Empty for files of before 3.6. */
  readonly version: string;
}

/** A revision as a key: 8 bytes, "_", 8 bytes, and "t" when the key was deleted. */
const tombstoneBytes = 18;

export function snapshotStatus(file: BboltFile): SnapshotStatus {
  let hash = 0;
  let revision = 0;
  let version = "";
  const keys = new Set<string>();
  for (const { name, entries } of file.buckets()) {
    hash = crc32c(name, hash);
    const bucket = name.toString("latin1");
    for (const pair of entries) {
      const [key, value] = [asBuffer(pair.key), asBuffer(pair.value)];
      hash = crc32c(value, crc32c(key, hash));
      if (bucket === "meta" && key.toString() === "storageVersion") version = value.toString();
      if (bucket !== "key") continue;
      revision = Number(key.readBigInt64BE(0));
      const changed = asBuffer(etcd.KeyValue.decode(value).key).toString("latin1");
      if (key.length === tombstoneBytes) keys.delete(changed);
      else keys.add(changed);
    }
  }
  return { hash, revision, totalKey: keys.size, totalSize: file.sizeBytes, version };
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/** One line, as etcdutl prints it unless it is told otherwise. */
export function formatStatus(status: SnapshotStatus): string {
  const { hash, revision, totalKey, totalSize, version } = status;
  return [hash.toString(16), revision, totalKey, humanBytes(totalSize), version].join(", ");
}

const units = ["B", "kB", "MB", "GB", "TB"];

function humanBytes(count: number): string {
  if (count < 10) return `${count} B`;
  const power = Math.min(Math.floor(Math.log10(count) / 3), units.length - 1);
  const value = Math.floor((count / 1000 ** power) * 10 + 0.5) / 10;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${units[power]}`;
}
