/**
 * Reads a bbolt file: the buckets by name, the entries of each in order of their keys.
 *
 * Errors  BboltError: not a bbolt file, or pages that contradict themselves; nothing is guessed
 */
import {
  bucketFlag,
  bucketHeaderBytes,
  elementBytes,
  formatVersion,
  magic,
  metaBytes,
  metaChecksum,
  type Pair,
  pageFlags,
  pageHeaderBytes,
  readPageHeader,
} from "./page.ts";

export class BboltError extends Error {
  override readonly name = "BboltError";
}

/** Gives `length` bytes at `offset`, or fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Buffer;

interface Meta {
  readonly pageSize: number;
  readonly root: number;
  readonly pageCount: number;
  readonly transaction: bigint;
}

const depthMax = 64;
const pageSizes = [4096, 8192, 16_384, 32_768, 65_536, 1024, 2048];

export class BboltFile {
  readonly #read: ReadAt;
  readonly #meta: Meta;

  constructor(read: ReadAt) {
    this.#read = read;
    this.#meta = newestMeta(read);
  }

  /** Of all pages. */
  get sizeBytes(): number {
    return this.#meta.pageSize * this.#meta.pageCount;
  }

  *buckets(): Iterable<{ readonly name: Buffer; readonly entries: Iterable<Pair> }> {
    for (const { key, value, flags } of this.#tree(this.#meta.root, 0)) {
      if ((flags & bucketFlag) !== 0) yield { name: key, entries: this.#bucketEntries(value) };
    }
  }

  /** Undefined when there is no such bucket. */
  bucket(name: string): Iterable<Pair> | undefined {
    const wanted = Buffer.from(name);
    for (const { key, value, flags } of this.#tree(this.#meta.root, 0)) {
      if (!wanted.equals(key)) continue;
      if ((flags & bucketFlag) === 0) throw new BboltError(`bbolt: ${name} is not a bucket`);
      return this.#bucketEntries(value);
    }
    return undefined;
  }

  #bucketEntries(value: Buffer): Iterable<Pair> {
    if (value.length < bucketHeaderBytes) throw new BboltError("bbolt: a bucket without a header");
    const root = Number(value.readBigUInt64LE(0));
    if (root !== 0) return this.#tree(root, 0);
    const page = value.subarray(bucketHeaderBytes);
    if (page.length < pageHeaderBytes) throw new BboltError("bbolt: an inline bucket is cut off");
    return leafElements(page, "an inline page");
  }

  *#tree(id: number, depth: number): Iterable<Element> {
    if (depth > depthMax) throw new BboltError("bbolt: pages point at each other in a circle");
    const page = this.#page(id);
    const { flags } = readPageHeader(page);
    if ((flags & pageFlags.leaf) !== 0) yield* leafElements(page, `page ${id}`);
    else if ((flags & pageFlags.branch) !== 0) {
      for (const child of branchChildren(page, id)) yield* this.#tree(child, depth + 1);
    } else throw new BboltError(`bbolt: page ${id} is neither a leaf nor a branch`);
  }

  #page(id: number): Buffer {
    const { pageSize, pageCount } = this.#meta;
    if (!(id >= 2 && id < pageCount)) throw new BboltError(`bbolt: there is no page ${id}`);
    const first = this.#read(id * pageSize, pageSize);
    if (first.length < pageSize) throw new BboltError(`bbolt: the file ends in page ${id}`);
    const header = readPageHeader(first);
    if (header.id !== id) throw new BboltError(`bbolt: page ${id} says that it is ${header.id}`);
    if (header.overflow === 0) return first;
    if (id + header.overflow >= pageCount) throw new BboltError(`bbolt: page ${id} has no end`);
    const whole = this.#read(id * pageSize, (header.overflow + 1) * pageSize);
    if (whole.length === (header.overflow + 1) * pageSize) return whole;
    throw new BboltError(`bbolt: the file ends in page ${id}`);
  }
}

interface Element {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly flags: number;
}

function* leafElements(page: Buffer, where: string): Iterable<Element> {
  const { count } = readPageHeader(page);
  for (let i = 0; i < count; i++) {
    const element = pageHeaderBytes + i * elementBytes;
    if (element + elementBytes > page.length) throw new BboltError(`bbolt: ${where} is cut off`);
    const start = element + page.readUInt32LE(element + 4);
    const valueStart = start + page.readUInt32LE(element + 8);
    const end = valueStart + page.readUInt32LE(element + 12);
    if (end > page.length) throw new BboltError(`bbolt: an entry goes beyond ${where}`);
    const [key, value] = [page.subarray(start, valueStart), page.subarray(valueStart, end)];
    yield { key, value, flags: page.readUInt32LE(element) };
  }
}

function* branchChildren(page: Buffer, id: number): Iterable<number> {
  const { count } = readPageHeader(page);
  for (let i = 0; i < count; i++) {
    const element = pageHeaderBytes + i * elementBytes;
    if (element + elementBytes > page.length) throw new BboltError(`bbolt: page ${id} is cut off`);
    yield Number(page.readBigUInt64LE(element + 8));
  }
}

function newestMeta(read: ReadAt): Meta {
  const first = readMeta(read(pageHeaderBytes, metaBytes));
  // When the first one was torn, where the second stands has to be found out.
  const sizes = first === undefined ? pageSizes : [first.pageSize];
  const metas = sizes.map((size) => readMeta(read(size + pageHeaderBytes, metaBytes)));
  const [newest] = [first, ...metas]
    .filter((meta) => meta !== undefined)
    .sort((a, b) => (a.transaction > b.transaction ? -1 : 1));
  if (newest === undefined) throw new BboltError("bbolt: invalid database");
  return newest;
}

function readMeta(meta: Buffer): Meta | undefined {
  if (meta.length < metaBytes || meta.readUInt32LE(0) !== magic) return undefined;
  if (meta.readUInt32LE(4) !== formatVersion) return undefined;
  if (meta.readBigUInt64LE(56) !== metaChecksum(meta)) return undefined;
  return {
    pageSize: meta.readUInt32LE(8),
    root: Number(meta.readBigUInt64LE(16)),
    pageCount: Number(meta.readBigUInt64LE(40)),
    transaction: meta.readBigUInt64LE(48),
  };
}
