/**
 * The pages of a bbolt file: what stands at which byte.
 *
 *     file     page 0 and 1: a meta each (the one with the higher transaction counts); then pages
 *     page     id u64 · flags u16 · count u16 · overflow u32 (further pages it runs on over) · body
 *     meta     magic u32 · version u32 · page size u32 · flags u32 · root bucket (root u64 ·
 *              sequence u64) · freelist u64 · pages in the file u64 · transaction u64 · FNV-1a u64
 *     leaf     count elements: flags u32 · position u32 · key size u32 · value size u32; then keys
 *              and values; a position counts from its element
 *     branch   count elements: position u32 · key size u32 · page u64; then the keys, each the
 *              first of the page it points to
 *     bucket   the value of a leaf element with flag 1: root u64 · sequence u64; root 0 means that
 *              the bucket's only page (a leaf) follows in the value itself
 * All numbers are little-endian. A freelist of all ones says that there is none: whoever opens the
 * file to write counts the free pages itself.
 * Source  go.etcd.io/bbolt v1.4 internal/common/{page,meta,bucket}.go
 */

export const pageSize = 4096;
export const pageHeaderBytes = 16;
export const elementBytes = 16;
export const bucketHeaderBytes = 16;
export const metaBytes = 64;

export const pageFlags = { branch: 0x01, leaf: 0x02, meta: 0x04 } as const;
export const bucketFlag = 0x01;
export const magic = 0xed0cdaed;
export const formatVersion = 2;
export const noFreelist = 0xffff_ffff_ffff_ffffn;

export interface PageHeader {
  readonly id: number;
  readonly flags: number;
  readonly count: number;
  readonly overflow: number;
}

export function writePageHeader(page: Buffer, header: PageHeader): void {
  page.writeBigUInt64LE(BigInt(header.id), 0);
  page.writeUInt16LE(header.flags, 8);
  page.writeUInt16LE(header.count, 10);
  page.writeUInt32LE(header.overflow, 12);
}

export function readPageHeader(page: Buffer): PageHeader {
  return {
    id: Number(page.readBigUInt64LE(0)),
    flags: page.readUInt16LE(8),
    count: page.readUInt16LE(10),
    overflow: page.readUInt32LE(12),
  };
}

const fnvPrime = 0x100000001b3n;
const fnvOffset = 0xcbf29ce484222325n;

/** Over the meta up to the checksum. */
export function metaChecksum(meta: Buffer): bigint {
  let hash = fnvOffset;
  for (const byte of meta.subarray(0, metaBytes - 8)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * fnvPrime);
  }
  return hash;
}

/** An entry of a bucket; entries come in order of their keys. */
export interface Pair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}
