/**
 * The directory that a member writes to, and the only code that touches it.
 *
 * Everything that is awaited is durable when it resolves: file content, and names in the directory.
 * Tests put a disk of their own in its place that forgets, tears and fails.
 */
import { constants, writeSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

export interface DiskFile {
  readonly sizeBytes: number;
  /** `isLone`: nothing else is under way that could be done while the disk works. */
  write(bytes: Uint8Array, at: number, isLone?: boolean): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  list(): Promise<string[]>;
  read(name: string): Promise<Buffer>;
  /** A new file of zeros, ready to be written in place. */
  create(name: string, sizeBytes: number): Promise<DiskFile>;
  /** An existing file, made `sizeBytes` long when it is shorter. */
  open(name: string, sizeBytes: number): Promise<DiskFile>;
  /** A whole file at once: under its name it is either all there or not at all. */
  writeWhole(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    onSynced?: (tookMs: number) => void,
  ): Promise<number>;
  remove(name: string): Promise<void>;
}

export interface RealDiskOptions {
  /** Do not wait for the disk: faster, and loses acknowledged writes when power fails. */
  readonly unsafeNoSync?: boolean | undefined;
}

const temporarySuffix = ".tmp";
const blockedMsMax = 1;
const zeros = Buffer.alloc(1 << 20);

export async function openDisk(directory: string, options: RealDiskOptions = {}): Promise<Disk> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of await readdir(directory)) {
    if (name.endsWith(temporarySuffix)) await unlink(join(directory, name));
  }
  return new RealDisk(directory, options.unsafeNoSync ?? false);
}

class RealDisk implements Disk {
  readonly #directory: string;
  readonly #unsafeNoSync: boolean;

  constructor(directory: string, unsafeNoSync: boolean) {
    this.#directory = directory;
    this.#unsafeNoSync = unsafeNoSync;
  }

  list(): Promise<string[]> {
    return readdir(this.#directory);
  }

  read(name: string): Promise<Buffer> {
    return readFile(join(this.#directory, name));
  }

  async create(name: string, sizeBytes: number): Promise<DiskFile> {
    const path = join(this.#directory, name);
    const handle = await open(path + temporarySuffix, "wx", 0o600);
    await this.#filled(handle, path, () => this.#fill(handle, 0, sizeBytes));
    return this.open(name, sizeBytes);
  }

  async open(name: string, sizeBytes: number): Promise<DiskFile> {
    const path = join(this.#directory, name);
    // Written zeros, not holes: later writes then change no metadata, and a sync is one write.
    const plain = await open(path, "r+");
    const { size } = await plain.stat();
    try {
      if (size < sizeBytes) await this.#fill(plain, size, sizeBytes);
    } finally {
      await plain.close();
    }
    const dsync = this.#unsafeNoSync ? 0 : (constants.O_DSYNC ?? 0);
    const handle = await open(path, constants.O_WRONLY | dsync);
    const mustSync = !this.#unsafeNoSync && dsync === 0;
    return new RealFile(handle, Math.max(size, sizeBytes), mustSync);
  }

  async #fill(handle: FileHandle, from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += zeros.length) {
      await writeAll(handle, zeros.subarray(0, Math.min(zeros.length, to - at)), at);
    }
    if (!this.#unsafeNoSync) await handle.sync();
  }

  /** Gives the file its name when it is whole; a half of one is taken away: the disk may be full. */
  async #filled(handle: FileHandle, path: string, fill: () => Promise<void>): Promise<void> {
    try {
      await fill();
    } catch (error) {
      await unlink(path + temporarySuffix).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
    await rename(path + temporarySuffix, path);
    await this.#syncDirectory();
  }

  async writeWhole(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    onSynced?: (tookMs: number) => void,
  ): Promise<number> {
    const path = join(this.#directory, name);
    const handle = await open(path + temporarySuffix, "w", 0o600);
    let sizeBytes = 0;
    await this.#filled(handle, path, async () => {
      for await (const chunk of chunks) {
        await writeAll(handle, chunk, sizeBytes);
        sizeBytes += chunk.length;
      }
      const sinceMs = performance.now();
      if (!this.#unsafeNoSync) await handle.sync();
      onSynced?.(performance.now() - sinceMs);
    });
    return sizeBytes;
  }

  async remove(name: string): Promise<void> {
    await unlink(join(this.#directory, name));
  }

  async #syncDirectory(): Promise<void> {
    if (this.#unsafeNoSync) return;
    const handle = await open(this.#directory, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** A disk that is almost full takes a part, and says so only in a number. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

/** The disk, or this user's part of it, has no room: that may pass. */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT";
}

class RealFile implements DiskFile {
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  readonly #mustSync: boolean;
  /** How long blocking writes took of late. */
  #blockedMs = 0;

  constructor(handle: FileHandle, sizeBytes: number, mustSync: boolean) {
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
    this.#mustSync = mustSync;
  }

  /**
   * A lone write blocks: the two trips to the thread pool and back would take a third of its time.
   * A disk that turns out slow is not waited for like that, or everybody would wait with it.
   */
  async write(bytes: Uint8Array, at: number, isLone = false): Promise<void> {
    if (isLone && !this.#mustSync && this.#blockedMs < blockedMsMax) {
      this.#writeBlocking(bytes, at);
      return;
    }
    this.#blockedMs *= 0.99;
    for (let done = 0; done < bytes.length; ) {
      const left = bytes.length - done;
      const { bytesWritten } = await this.#handle.write(bytes, done, left, at + done);
      done += bytesWritten;
    }
    if (this.#mustSync) await this.#handle.datasync();
  }

  #writeBlocking(bytes: Uint8Array, at: number): void {
    const startMs = performance.now();
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#handle.fd, bytes, done, bytes.length - done, at + done);
    }
    this.#blockedMs += (performance.now() - startMs - this.#blockedMs) / 8;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
