/**
 * A disk in memory, for tests and simulation: it can be copied as it would be found after a crash,
 * and told to fail.
 */
import type { Disk, DiskFile } from "./disk.ts";

export class MemoryDisk implements Disk {
  readonly files = new Map<string, Buffer>();
  /** When set, every write fails with it: a full disk, a broken one. */
  failure: Error | undefined;
  /** Awaited before each write takes effect. */
  beforeWrite: () => Promise<void> = async () => {};
  writeCount = 0;

  /** The same content on another disk. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    for (const [name, content] of this.files) copy.files.set(name, Buffer.from(content));
    return copy;
  }

  async list(): Promise<string[]> {
    return [...this.files.keys()];
  }

  async read(name: string): Promise<Buffer> {
    return Buffer.from(this.#file(name));
  }

  async create(name: string, sizeBytes: number): Promise<DiskFile> {
    if (this.failure !== undefined) throw this.failure;
    this.files.set(name, Buffer.alloc(sizeBytes));
    return this.open(name, sizeBytes);
  }

  async open(name: string, sizeBytes: number): Promise<DiskFile> {
    const content = this.#file(name);
    if (content.length < sizeBytes) {
      this.files.set(name, Buffer.concat([content, Buffer.alloc(sizeBytes - content.length)]));
    }
    return {
      sizeBytes: Math.max(sizeBytes, content.length),
      write: async (bytes, at) => {
        await this.beforeWrite();
        if (this.failure !== undefined) throw this.failure;
        this.#file(name).set(bytes, at);
        this.writeCount++;
      },
      close: async () => {},
    };
  }

  async writeWhole(name: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    if (this.failure !== undefined) throw this.failure;
    const content = Buffer.concat(parts);
    this.files.set(name, content);
    return content.length;
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
  }

  #file(name: string): Buffer {
    const content = this.files.get(name);
    if (content === undefined) throw new Error(`ENOENT: no such file or directory, open '${name}'`);
    return content;
  }
}
