/**
 * A disk in a simulation: writes take time, and a crash in between leaves some of their sectors.
 *
 * What a real disk promises (io/disk.ts) holds: what was awaited is there. What was not may be
 * there, not there, or there in part, sector by sector; a whole file is there or not.
 */
import type { Random } from "@nanokube/machinery";
import type { Disk, DiskFile } from "../io/disk.ts";
import type { Scheduler } from "./scheduler.ts";

const sectorBytes = 512;

interface Pending {
  /** Takes effect as a whole. */
  finish(): void;
  /** Takes effect as far as chance has it. */
  tear(): void;
}

export interface SimDiskOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly isTearing: boolean;
}

export class SimDisk implements Disk {
  readonly files = new Map<string, Buffer>();
  readonly #options: SimDiskOptions;
  #pending = new Set<Pending>();
  /** Operations of a process that died do not go on. */
  #generation = 0;

  constructor(options: SimDiskOptions) {
    this.#options = options;
  }

  /** The power fails: what was under way is torn, and nobody hears of it again. */
  crash(): void {
    this.#generation++;
    for (const pending of this.#pending) {
      if (this.#options.isTearing) pending.tear();
    }
    this.#pending = new Set();
  }

  /** The disk as one process has it: after a crash nothing that it still does counts. */
  forProcess(): Disk {
    const generation = this.#generation;
    const alive = <T>(run: () => Promise<T>): Promise<T> =>
      generation === this.#generation ? run() : new Promise<T>(() => {});
    const handle = (file: DiskFile): DiskFile => ({
      ...file,
      write: (bytes, at) => alive(() => file.write(bytes, at)),
    });
    return {
      list: () => alive(() => this.list()),
      read: (name) => alive(() => this.read(name)),
      create: (name, size) => alive(() => this.create(name, size).then(handle)),
      open: (name, size) => alive(() => this.open(name, size).then(handle)),
      writeWhole: (name, chunks) => alive(() => this.writeWhole(name, chunks)),
      remove: (name) => alive(() => this.remove(name)),
    };
  }

  #later<T>(pending: Pending, result: () => T): Promise<T> {
    const { scheduler, random } = this.#options;
    const generation = this.#generation;
    this.#pending.add(pending);
    // Mostly fast, sometimes as slow as disks can be.
    const ms = random.next() < 0.05 ? random.next() * 60 : 0.2 + random.next() * 2;
    return new Promise((resolve) => {
      scheduler.after(ms, () => {
        if (generation !== this.#generation) return;
        this.#pending.delete(pending);
        pending.finish();
        resolve(result());
      });
    });
  }

  #isLucky(): boolean {
    return this.#options.random.next() < 0.5;
  }

  async list(): Promise<string[]> {
    return [...this.files.keys()];
  }

  async read(name: string): Promise<Buffer> {
    return Buffer.from(this.files.get(name)!);
  }

  create(name: string, sizeBytes: number): Promise<DiskFile> {
    const finish = () => void this.files.set(name, Buffer.alloc(sizeBytes));
    const tear = () => void (this.#isLucky() && finish());
    return this.#later({ finish, tear }, () => this.#file(name));
  }

  async open(name: string, sizeBytes: number): Promise<DiskFile> {
    const content = this.files.get(name)!;
    if (content.length < sizeBytes) {
      this.files.set(name, Buffer.concat([content, Buffer.alloc(sizeBytes - content.length)]));
    }
    return this.#file(name);
  }

  #file(name: string): DiskFile {
    return {
      sizeBytes: this.files.get(name)!.length,
      write: (bytes, at) => {
        const copy = Buffer.from(bytes);
        const finish = () => void this.files.get(name)?.set(copy, at);
        return this.#later({ finish, tear: () => this.#tear(name, copy, at) }, () => undefined);
      },
      close: async () => {},
    };
  }

  /** Either a beginning of it, or any of its sectors. */
  #tear(name: string, bytes: Buffer, at: number): void {
    const content = this.files.get(name);
    if (content === undefined) return;
    const isPrefix = this.#isLucky();
    const end = at + bytes.length;
    for (let from = at; from < end; ) {
      const to = Math.min((Math.floor(from / sectorBytes) + 1) * sectorBytes, end);
      if (this.#isLucky()) bytes.copy(content, from, from - at, to - at);
      else if (isPrefix) return;
      from = to;
    }
  }

  async writeWhole(name: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    const content = Buffer.concat(parts);
    const finish = () => void this.files.set(name, content);
    const tear = () => void (this.#isLucky() && finish());
    return this.#later({ finish, tear }, () => content.length);
  }

  remove(name: string): Promise<void> {
    const finish = () => void this.files.delete(name);
    const tear = () => void (this.#isLucky() && finish());
    return this.#later({ finish, tear }, () => undefined);
  }
}
