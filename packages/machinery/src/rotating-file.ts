/**
 * A file of lines that is put aside when it is full: a program's log, the API server's audit.
 *
 * A line is with the operating system when write returns; compressing and clearing away what is
 * old happens behind the writer's back, one round after the other.
 * A path of its own, `@nanokube/machinery/rotating-file`, so that the nouns load no files.
 *
 * Files   NAME.log is written; NAME-2026-11-21T17-46-08.824.log were, with ".gz" when compressed
 * Units   maxSizeBytes, maxAgeMs; 0 backups, and 0 of age, are no limit
 * Errors  a line larger than a whole file, and the file system's own, are thrown: that line is
 *         lost, the next one opens the file anew
 * Source  gopkg.in/natefinch/lumberjack.v2 v2.2.1
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fchownSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock } from "./clock.ts";

export interface Rotation {
  readonly maxSizeBytes: number;
  readonly maxAgeMs: number;
  readonly maxBackups: number;
  /** In the names of what is put aside; ages are counted as if names were UTC, as upstream's are. */
  readonly isLocalTime: boolean;
  readonly isCompressed: boolean;
}

export class RotatingFile {
  readonly #path: string;
  readonly #rotation: Rotation;
  readonly #clock: Pick<Clock, "now">;
  #descriptor: number | undefined;
  #sizeBytes = 0;
  #milling: Promise<void> | undefined;
  #millsAgain = false;

  constructor(path: string, rotation: Rotation, clock: Pick<Clock, "now">) {
    this.#path = path;
    this.#rotation = rotation;
    this.#clock = clock;
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    const { maxSizeBytes } = this.#rotation;
    if (bytes.length > maxSizeBytes) {
      throw new Error(`write length ${bytes.length} exceeds maximum file size ${maxSizeBytes}`);
    }
    if (this.#descriptor === undefined) this.#open(bytes.length);
    else if (this.#sizeBytes + bytes.length > maxSizeBytes) this.#rotate();
    for (let at = 0; at < bytes.length; ) {
      const written = writeSync(this.#descriptor!, bytes, at);
      at += written;
      this.#sizeBytes += written;
    }
  }

  /** What is being compressed is finished; a later write opens the file again. */
  async close(): Promise<void> {
    this.#closeDescriptor();
    await this.#milling;
  }

  /** Goes on with the file that is there, unless this line would fill it. */
  #open(lineBytes: number): void {
    this.#mill();
    const sizeBytes = statSync(this.#path, { throwIfNoEntry: false })?.size;
    if (sizeBytes === undefined) {
      this.#openNew();
    } else if (sizeBytes + lineBytes >= this.#rotation.maxSizeBytes) {
      this.#rotate();
    } else {
      this.#descriptor = openSync(this.#path, "a");
      this.#sizeBytes = sizeBytes;
    }
  }

  #rotate(): void {
    this.#closeDescriptor();
    this.#openNew();
    this.#mill();
  }

  /** The new file has the mode and the owner of the one that was put aside. */
  #openNew(): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o755 });
    const old = statSync(this.#path, { throwIfNoEntry: false });
    if (old !== undefined) renameSync(this.#path, this.#backupPath());
    this.#descriptor = openSync(this.#path, "w", old?.mode ?? 0o600);
    this.#sizeBytes = 0;
    if (old !== undefined && process.platform === "linux") {
      fchownSync(this.#descriptor, old.uid, old.gid);
    }
  }

  #closeDescriptor(): void {
    if (this.#descriptor === undefined) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    closeSync(descriptor);
  }

  #backupPath(): string {
    const { directory, prefix, extension } = placeOf(this.#path);
    const stamp = stampOf(this.#clock.now(), this.#rotation.isLocalTime);
    return join(directory, `${prefix}${stamp}${extension}`);
  }

  /** Nobody waits for it, and it fails in silence: the next round finds what this one left. */
  #mill(): void {
    if (this.#milling !== undefined) {
      this.#millsAgain = true;
      return;
    }
    const round = async (): Promise<void> => {
      do {
        this.#millsAgain = false;
        await this.#millOnce().catch(forgive);
      } while (this.#millsAgain);
      this.#milling = undefined;
    };
    this.#milling = round();
  }

  async #millOnce(): Promise<void> {
    const { maxBackups, maxAgeMs, isCompressed } = this.#rotation;
    if (maxBackups === 0 && maxAgeMs === 0 && !isCompressed) return;
    const oldestMs = maxAgeMs > 0 ? this.#clock.now() - maxAgeMs : Number.NEGATIVE_INFINITY;
    // A file and what was begun of its compressed form count as one.
    const counted = new Set<string>();
    for (const { path, atMs } of await backupsOf(this.#path)) {
      const plain = path.replace(/\.gz$/, "");
      const isTooMany = maxBackups > 0 && counted.add(plain).size > maxBackups;
      if (isTooMany || atMs < oldestMs) await rm(path).catch(forgive);
      else if (isCompressed && path === plain) await compress(path).catch(forgive);
    }
  }
}

const forgive = (): void => {};

interface Backup {
  readonly path: string;
  readonly atMs: number;
}

/** What this file was put aside as before: the youngest first. */
async function backupsOf(path: string): Promise<Backup[]> {
  const { directory, prefix, extension } = placeOf(path);
  const backups: Backup[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const plain = entry.name.replace(/\.gz$/, "");
    if (entry.isDirectory() || !plain.startsWith(prefix) || !plain.endsWith(extension)) continue;
    const atMs = timeOf(plain.slice(prefix.length, plain.length - extension.length));
    if (!Number.isNaN(atMs)) backups.push({ path: join(directory, entry.name), atMs });
  }
  return backups.toSorted((a, b) => b.atMs - a.atMs);
}

function placeOf(path: string): { directory: string; prefix: string; extension: string } {
  const extension = extname(path);
  return { directory: dirname(path), prefix: `${basename(path, extension)}-`, extension };
}

function stampOf(nowMs: number, isLocalTime: boolean): string {
  const offsetMs = isLocalTime ? new Date(nowMs).getTimezoneOffset() * 60_000 : 0;
  return new Date(nowMs - offsetMs).toISOString().slice(0, -1).replaceAll(":", "-");
}

/** NaN for what is no stamp: then the file is none of ours. */
function timeOf(stamp: string): number {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(stamp);
  return parts === null ? Number.NaN : Date.parse(`${parts.slice(1).join(":")}Z`);
}

/** The file stays until its compressed form is whole. */
async function compress(path: string): Promise<void> {
  const { mode } = await stat(path);
  try {
    const target = createWriteStream(`${path}.gz`, { mode });
    await pipeline(createReadStream(path), createGzip(), target);
  } catch (error) {
    await rm(`${path}.gz`, { force: true });
    throw error;
  }
  await rm(path);
}
