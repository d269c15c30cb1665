/**
 * A log file that is put aside when it is full: --enable-log-rotation.
 *
 * Files   NAME.log is written; NAME-2026-11-21T17-46-08.824.log were, with ".gz" when compressed
 * Units   maxSizeBytes, maxAgeMs; 0 backups, and 0 of age, are no limit
 * Errors  FlagError in etcd's words for settings that are none
 * Source  gopkg.in/natefinch/lumberjack.v2, etcd v3.6 server/embed/config_logging.go
 */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { DestinationStream } from "pino";
import { FlagError } from "../core/flags.ts";

export interface Rotation {
  readonly maxSizeBytes: number;
  readonly maxAgeMs: number;
  readonly maxBackups: number;
  readonly isLocalTime: boolean;
  readonly isCompressed: boolean;
}

const megabyte = 1024 * 1024;
const dayMs = 24 * 3_600_000;
const usualSizeMegabytes = 100;

const settings = {
  maxsize: "int",
  maxage: "int",
  maxbackups: "int",
  localtime: "bool",
  compress: "bool",
} as const;

/** `text` is the value of --log-rotation-config-json. */
export function readRotation(text: string): Rotation {
  const found: Record<string, number | boolean> = {};
  for (const [key, value] of Object.entries(parse(text))) {
    const name = key.toLowerCase() as keyof typeof settings;
    const kind = settings[name];
    if (kind === undefined || value === null) continue;
    const fits = kind === "int" ? Number.isInteger(value) : typeof value === "boolean";
    if (!fits) throw new FlagError(`invalid log rotation config: ${misfit(value, name, kind)}`);
    found[name] = value as number | boolean;
  }
  const number = (name: string) => Number(found[name] ?? 0);
  return {
    maxSizeBytes: (number("maxsize") || usualSizeMegabytes) * megabyte,
    maxAgeMs: number("maxage") * dayMs,
    maxBackups: number("maxbackups"),
    isLocalTime: found["localtime"] === true,
    isCompressed: found["compress"] === true,
  };
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    throw new FlagError(
      `invalid log rotation config: json: cannot unmarshal ${goKind(value)} into Go value of type embed.logRotationConfig`,
    );
  } catch (error) {
    if (error instanceof FlagError) throw error;
    throw new FlagError(`improperly formatted log rotation config: ${(error as Error).message}`);
  }
}

function misfit(value: unknown, name: string, kind: string): string {
  const what = `cannot unmarshal ${goKind(value)} into Go struct field`;
  return `json: ${what} logRotationConfig.Logger.${name} of type ${kind}`;
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number" && !Number.isInteger(value)) return `number ${value}`;
  return typeof value;
}

export class RotatingFile implements DestinationStream {
  readonly #path: string;
  readonly #rotation: Rotation;
  readonly #now: () => Date;
  #descriptor: number;
  #sizeBytes: number;
  /** Compressing and clearing away what is old, one after the other. */
  milling: Promise<void> = Promise.resolve();

  constructor(path: string, rotation: Rotation, now: () => Date) {
    this.#path = path;
    this.#rotation = rotation;
    this.#now = now;
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    this.#descriptor = openSync(path, "a", 0o600);
    this.#sizeBytes = fstatSync(this.#descriptor).size;
    this.#mill();
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    const isFull = this.#sizeBytes + bytes.length > this.#rotation.maxSizeBytes;
    if (isFull && this.#sizeBytes > 0) this.#rotate();
    writeSync(this.#descriptor, bytes);
    this.#sizeBytes += bytes.length;
  }

  #rotate(): void {
    closeSync(this.#descriptor);
    const extension = extname(this.#path);
    const stem = basename(this.#path, extension);
    const backup = `${stem}-${this.#stamp()}${extension}`;
    renameSync(this.#path, join(dirname(this.#path), backup));
    this.#descriptor = openSync(this.#path, "a", 0o600);
    this.#sizeBytes = 0;
    this.#mill();
  }

  #stamp(): string {
    const now = this.#now();
    const offsetMs = this.#rotation.isLocalTime ? now.getTimezoneOffset() * 60_000 : 0;
    const text = new Date(now.getTime() - offsetMs).toISOString();
    return text.slice(0, -1).replaceAll(":", "-");
  }

  #mill(): void {
    this.milling = this.milling.then(() => this.#millOnce()).catch(() => {});
  }

  async #millOnce(): Promise<void> {
    const { maxBackups, maxAgeMs, isCompressed } = this.#rotation;
    const directory = dirname(this.#path);
    const backups = this.#backups();
    const oldestMs = this.#now().getTime() - maxAgeMs;
    for (const [i, { name, atMs }] of backups.entries()) {
      const isTooMany = maxBackups > 0 && i >= maxBackups;
      const isTooOld = maxAgeMs > 0 && atMs < oldestMs;
      if (isTooMany || isTooOld) unlinkSync(join(directory, name));
      else if (isCompressed && !name.endsWith(".gz")) await compress(join(directory, name));
    }
  }

  /** The youngest first. */
  #backups(): { name: string; atMs: number }[] {
    const extension = extname(this.#path);
    const prefix = `${basename(this.#path, extension)}-`;
    return readdirSync(dirname(this.#path))
      .flatMap((name) => {
        const stem = name.replace(/\.gz$/, "");
        if (!stem.startsWith(prefix) || !stem.endsWith(extension)) return [];
        const stamp = stem.slice(prefix.length, stem.length - extension.length);
        const atMs = Date.parse(`${stamp.replace(/T(\d\d)-(\d\d)-/, "T$1:$2:")}Z`);
        return Number.isNaN(atMs) ? [] : [{ name, atMs }];
      })
      .sort((a, b) => b.atMs - a.atMs);
  }
}

async function compress(path: string): Promise<void> {
  writeFileSync(`${path}.gz`, await promisify(gzip)(readFileSync(path)), { mode: 0o600 });
  unlinkSync(path);
}
