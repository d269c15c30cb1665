/**
 * Writes a bbolt file front to back, of any size: first counted, then encoded page by page.
 *
 * The meta pages come first and name the root and the number of pages: so the entries are gone
 * through twice, and must be the same both times. Pages are filled up, small buckets stand inline.
 */
import {
  bucketFlag,
  bucketHeaderBytes,
  elementBytes,
  formatVersion,
  magic,
  metaBytes,
  metaChecksum,
  noFreelist,
  type Pair,
  pageFlags,
  pageHeaderBytes,
  pageSize,
  writePageHeader,
} from "./page.ts";

export interface BucketSource {
  readonly name: string;
  /** In order of keys; each call begins anew. */
  entries(): Iterable<Pair>;
}

export interface PlannedFile {
  readonly sizeBytes: number;
  /** A page (with those it runs on over) at a time. */
  pages(): Iterable<Buffer>;
}

/** One page of a tree: what is in it and how large it is. */
interface PagePlan {
  readonly firstKey: Uint8Array;
  readonly count: number;
  readonly sizeBytes: number;
  id: number;
}

/** The pages of one bucket: leaves first, then the levels above them; the last one has one page. */
type Levels = readonly (readonly PagePlan[])[];

interface BucketPlan {
  readonly source: BucketSource;
  readonly levels: Levels;
  readonly isInline: boolean;
}

const inlineMaxBytes = pageSize / 4;
const firstPage = 2;

export function planFile(sources: readonly BucketSource[]): PlannedFile {
  const sorted = [...sources].sort((a, b) => (a.name < b.name ? -1 : 1));
  const buckets = sorted.map(planBucket);
  const rootLevels = planLevels(
    buckets.map((bucket) => ({
      key: Buffer.from(bucket.source.name),
      sizeBytes: valueSize(bucket),
    })),
  );
  let next = numberPages(rootLevels, firstPage);
  for (const bucket of buckets) if (!bucket.isInline) next = numberPages(bucket.levels, next);
  const pageCount = next;
  return {
    sizeBytes: pageCount * pageSize,
    *pages() {
      const root = rootOf(rootLevels);
      yield metaPage(0, { root, pageCount });
      yield metaPage(1, { root, pageCount });
      yield* treePages(rootLevels, rootEntries(buckets), bucketFlag);
      for (const { source, levels, isInline } of buckets) {
        if (!isInline) yield* treePages(levels, source.entries(), 0);
      }
    },
  };
}

function planBucket(source: BucketSource): BucketPlan {
  const levels = planLevels(sizesOf(source.entries()));
  const [leaves] = levels;
  const isInline = leaves!.length === 1 && leaves![0]!.sizeBytes <= inlineMaxBytes;
  return { source, levels, isInline };
}

interface Sized {
  readonly key: Uint8Array;
  readonly sizeBytes: number;
}

function* sizesOf(entries: Iterable<Pair>): Iterable<Sized> {
  for (const { key, value } of entries) yield { key, sizeBytes: value.length };
}

function planLevels(entries: Iterable<Sized>): Levels {
  const levels = [planLevel(entries, 1)];
  for (let top = levels[0]!; top.length > 1; top = levels.at(-1)!) {
    levels.push(
      planLevel(
        top.map(({ firstKey }) => ({ key: firstKey, sizeBytes: 0 })),
        2,
      ),
    );
  }
  return levels;
}

/** Fills pages in order; one takes at least `countMin` elements, however large they are. */
function planLevel(entries: Iterable<Sized>, countMin: number): PagePlan[] {
  const pages: PagePlan[] = [];
  let firstKey: Uint8Array = new Uint8Array(0);
  let count = 0;
  let sizeBytes = pageHeaderBytes;
  const close = () => {
    pages.push({ firstKey, count, sizeBytes, id: 0 });
    count = 0;
    sizeBytes = pageHeaderBytes;
  };
  for (const entry of entries) {
    const needed = elementBytes + entry.key.length + entry.sizeBytes;
    if (count >= countMin && sizeBytes + needed > pageSize) close();
    if (count === 0) firstKey = entry.key;
    count++;
    sizeBytes += needed;
  }
  if (count > 0 || pages.length === 0) close();
  return pages;
}

function pagesOf({ sizeBytes }: PagePlan): number {
  return Math.max(1, Math.ceil(sizeBytes / pageSize));
}

function numberPages(levels: Levels, first: number): number {
  let next = first;
  for (const level of levels) {
    for (const page of level) {
      page.id = next;
      next += pagesOf(page);
    }
  }
  return next;
}

function rootOf(levels: Levels): number {
  return levels.at(-1)![0]!.id;
}

function valueSize({ isInline, levels }: BucketPlan): number {
  return bucketHeaderBytes + (isInline ? levels[0]![0]!.sizeBytes : 0);
}

function* rootEntries(buckets: readonly BucketPlan[]): Iterable<Pair> {
  for (const { source, levels, isInline } of buckets) {
    const key = Buffer.from(source.name);
    const header = Buffer.alloc(bucketHeaderBytes);
    if (!isInline) {
      header.writeBigUInt64LE(BigInt(rootOf(levels)), 0);
      yield { key, value: header };
      continue;
    }
    const [page] = levels[0]!;
    const body = Buffer.alloc(page!.sizeBytes);
    fillLeaf(body, { ...page!, id: 0 }, { entries: source.entries()[Symbol.iterator](), flags: 0 });
    yield { key, value: Buffer.concat([header, body]) };
  }
}

function* treePages(levels: Levels, entries: Iterable<Pair>, flags: number): Iterable<Buffer> {
  const iterator = entries[Symbol.iterator]();
  for (const page of levels[0]!) {
    const bytes = Buffer.alloc(pagesOf(page) * pageSize);
    fillLeaf(bytes, page, { entries: iterator, flags });
    yield bytes;
  }
  for (let above = 1; above < levels.length; above++) {
    const children = levels[above - 1]![Symbol.iterator]();
    for (const page of levels[above]!) yield branchPage(page, children);
  }
}

interface LeafContent {
  readonly entries: Iterator<Pair>;
  readonly flags: number;
}

function fillLeaf(bytes: Buffer, page: PagePlan, { entries, flags }: LeafContent): void {
  const { id, count } = page;
  writePageHeader(bytes, { id, flags: pageFlags.leaf, count, overflow: pagesOf(page) - 1 });
  let at = pageHeaderBytes + count * elementBytes;
  for (let i = 0; i < count; i++) {
    const { key, value } = entries.next().value as Pair;
    const element = pageHeaderBytes + i * elementBytes;
    bytes.writeUInt32LE(flags, element);
    bytes.writeUInt32LE(at - element, element + 4);
    bytes.writeUInt32LE(key.length, element + 8);
    bytes.writeUInt32LE(value.length, element + 12);
    bytes.set(key, at);
    bytes.set(value, at + key.length);
    at += key.length + value.length;
  }
}

function branchPage(page: PagePlan, children: Iterator<PagePlan>): Buffer {
  const { id, count } = page;
  const bytes = Buffer.alloc(pagesOf(page) * pageSize);
  writePageHeader(bytes, { id, flags: pageFlags.branch, count, overflow: pagesOf(page) - 1 });
  let at = pageHeaderBytes + count * elementBytes;
  for (let i = 0; i < count; i++) {
    const child = children.next().value as PagePlan;
    const element = pageHeaderBytes + i * elementBytes;
    bytes.writeUInt32LE(at - element, element);
    bytes.writeUInt32LE(child.firstKey.length, element + 4);
    bytes.writeBigUInt64LE(BigInt(child.id), element + 8);
    bytes.set(child.firstKey, at);
    at += child.firstKey.length;
  }
  return bytes;
}

function metaPage(id: 0 | 1, { root, pageCount }: { root: number; pageCount: number }): Buffer {
  const page = Buffer.alloc(pageSize);
  writePageHeader(page, { id, flags: pageFlags.meta, count: 0, overflow: 0 });
  const meta = page.subarray(pageHeaderBytes, pageHeaderBytes + metaBytes);
  meta.writeUInt32LE(magic, 0);
  meta.writeUInt32LE(formatVersion, 4);
  meta.writeUInt32LE(pageSize, 8);
  meta.writeBigUInt64LE(BigInt(root), 16);
  meta.writeBigUInt64LE(noFreelist, 32);
  meta.writeBigUInt64LE(BigInt(pageCount), 40);
  // Both say the same; the first one has the later transaction.
  meta.writeBigUInt64LE(BigInt(2 - id), 48);
  meta.writeBigUInt64LE(metaChecksum(meta), 56);
  return page;
}
