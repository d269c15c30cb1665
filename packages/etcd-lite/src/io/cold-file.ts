/**
 * Old versions on disk: a file for what the store need not have in memory (core/cold-history.ts).
 *
 * The file is part of this process's memory, not of the member's state: it has no name once it is
 * open, nothing in it is synced, and a start reads snapshot and log. Reads block, as page faults
 * would: they meet the kernel's cache.
 *
 * A slab's place is free again when the slab was collected: forks share slabs, and nobody says when
 * a fork ends.
 * Errors  a read that fails is thrown; when there is no room, `put` says so
 * Limits  one `put` at a time
 */
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, write } from "node:fs";
import { join } from "node:path";
import type { ColdStorage, StoredBytes } from "../core/record-arena.ts";

/** History of which so much stays in memory is what watches and lists ask for. */
const usualWarmBytes = 16 << 20;
const placeUnitBytes = 64 << 10;
const blockBytes = 64 << 10;
const noBlock: { readonly from: number; readonly bytes: Buffer } = {
  from: 0,
  bytes: Buffer.alloc(0),
};

interface Place {
  readonly at: number;
  readonly sizeBytes: number;
}

export class ColdFile implements ColdStorage {
  readonly warmBytes: number;
  readonly #path: string;
  readonly #onError: (error: Error) => void;
  #fd: number | undefined;
  #isClosed = false;
  #isWriting = false;
  #isFailing = false;
  #endBytes = 0;
  #usedPlaces = 0;
  /** By size: places that nobody uses. */
  #free = new Map<number, number[]>();
  #block = noBlock;
  #lastEnd = 0;
  readonly #registry = new FinalizationRegistry<Place>((place) => this.#giveBack(place));

  constructor(directory: string, onError: (error: Error) => void, warmBytes = usualWarmBytes) {
    // What ends so is removed at the next start, should this process die in between.
    this.#path = join(directory, "history.tmp");
    this.#onError = onError;
    this.warmBytes = warmBytes;
  }

  put(bytes: Buffer, done: (stored: StoredBytes | undefined) => void): void {
    if (this.#isClosed) {
      done(undefined);
      return;
    }
    const place = this.#take(bytes.length);
    const ended = (error: Error | null) => {
      this.#isWriting = false;
      // A place that is used again may have been read before.
      this.#block = noBlock;
      if (this.#isClosed) this.#closeFile();
      else if (error !== null) {
        this.#giveBack(place);
        // A disk stays full for a while: one line says so.
        if (!this.#isFailing) this.#onError(error);
        this.#isFailing = true;
        done(undefined);
      } else {
        this.#isFailing = false;
        const part = new FilePart(this, place.at);
        this.#registry.register(part, place);
        done(part);
      }
    };
    try {
      this.#fd ??= this.#open();
    } catch (error) {
      ended(error as Error);
      return;
    }
    this.#isWriting = true;
    writeAll(this.#fd, bytes, { at: place.at, done: ended });
  }

  #open(): number {
    const fd = openSync(this.#path, "w+", 0o600);
    unlinkSync(this.#path);
    return fd;
  }

  #take(count: number): Place {
    const sizeBytes = Math.ceil(count / placeUnitBytes) * placeUnitBytes;
    this.#usedPlaces++;
    const free = this.#free.get(sizeBytes)?.pop();
    if (free !== undefined) return { at: free, sizeBytes };
    const at = this.#endBytes;
    this.#endBytes += sizeBytes;
    return { at, sizeBytes };
  }

  #giveBack({ at, sizeBytes }: Place): void {
    this.#usedPlaces--;
    const free = this.#free.get(sizeBytes);
    if (free === undefined) this.#free.set(sizeBytes, [at]);
    else free.push(at);
    if (this.#usedPlaces > 0) return;
    this.#free.clear();
    this.#endBytes = 0;
    try {
      if (this.#fd !== undefined) ftruncateSync(this.#fd, 0);
    } catch (error) {
      this.#onError(error as Error);
    }
  }

  /**
   * What is read in order comes in blocks. Else a record is read alone: mostly it is the only one
   * of its block that is asked for.
   */
  read(at: number, count: number): Buffer {
    const { from, bytes } = this.#block;
    if (at >= from && at + count <= from + bytes.length) {
      return bytes.subarray(at - from, at - from + count);
    }
    const isNext = at >= this.#lastEnd && at < this.#lastEnd + blockBytes / 2;
    this.#lastEnd = at + count;
    if (!isNext || count > blockBytes) return this.#readBytes(at, Buffer.allocUnsafe(count));
    this.#block = { from: at, bytes: this.#readBytes(at, Buffer.allocUnsafeSlow(blockBytes)) };
    return this.#block.bytes.subarray(0, count);
  }

  #readBytes(at: number, bytes: Buffer): Buffer {
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(this.#fd!, bytes, done, bytes.length - done, at + done);
      if (count === 0) break; // The file ends within a block.
      done += count;
    }
    return bytes;
  }

  close(): void {
    this.#isClosed = true;
    // Not while a write is under way: the number could be another file's by then.
    if (!this.#isWriting) this.#closeFile();
  }

  #closeFile(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

interface Rest {
  readonly at: number;
  readonly done: (error: Error | null) => void;
}

function writeAll(fd: number, bytes: Buffer, { at, done }: Rest): void {
  write(fd, bytes, 0, bytes.length, at, (error, count) => {
    if (error !== null || count === bytes.length) done(error);
    else writeAll(fd, bytes.subarray(count), { at: at + count, done });
  });
}

class FilePart implements StoredBytes {
  readonly #file: ColdFile;
  readonly #at: number;

  constructor(file: ColdFile, at: number) {
    this.#file = file;
    this.#at = at;
  }

  read(at: number, count: number): Buffer {
    return this.#file.read(this.#at + at, count);
  }
}
