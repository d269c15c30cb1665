/**
 * Audit events as lines in a file, which is changed for a new one when it is large.
 *
 * A line is with the operating system before the request goes on: a killed server loses none.
 *
 * Shapes  audit.log is put aside as audit-2026-11-21T10-00-00.000.log, .gz when compressed
 * Units   maxSizeBytes of one file, 0: it never changes; maxBackups old files, 0: all;
 *         maxAgeDays of an old file, 0: as long as you like
 * Source  apiserver plugin/pkg/audit/log/backend.go; gopkg.in/natefinch/lumberjack.v2
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Clock, KubeObject } from "@nanokube/machinery";
import type { AuditBackend, AuditFailure } from "../core/audit/backend.ts";

export interface AuditLogOptions {
  /** "-" is standard output. */
  path: string;
  maxSizeBytes: number;
  maxBackups: number;
  maxAgeDays: number;
  compress: boolean;
  lineOf(event: KubeObject): string;
  clock: Clock;
  failed: AuditFailure;
}

export function createAuditLog(options: AuditLogOptions): AuditBackend {
  const { path, lineOf, failed } = options;
  const file = path === "-" ? undefined : new RotatedFile(options);
  const write = (line: string): void => {
    if (file === undefined) process.stdout.write(line);
    else file.write(line);
  };
  return {
    process(events) {
      let isWritten = true;
      for (const event of events) {
        try {
          write(`${lineOf(event)}\n`);
        } catch (error) {
          isWritten = false;
          failed("log", (error as Error).message, [event]);
        }
      }
      return isWritten;
    },
    close: async () => file?.close(),
  };
}

class RotatedFile {
  readonly #options: AuditLogOptions;
  #file: number;
  #size: number;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 });
    this.#size = statSync(options.path, { throwIfNoEntry: false })?.size ?? 0;
    this.#file = open(options.path);
  }

  write(line: string): void {
    const { maxSizeBytes } = this.#options;
    const length = Buffer.byteLength(line);
    if (maxSizeBytes > 0 && length > maxSizeBytes) {
      throw new Error(`write length ${length} exceeds maximum file size ${maxSizeBytes}`);
    }
    if (maxSizeBytes > 0 && this.#size + length > maxSizeBytes) this.#change();
    writeSync(this.#file, line);
    this.#size += length;
  }

  close(): void {
    closeSync(this.#file);
  }

  #change(): void {
    closeSync(this.#file);
    putAside(this.#options);
    this.#file = open(this.#options.path);
    this.#size = 0;
  }
}

const open = (path: string): number => openSync(path, "a", 0o600);

const dayMs = 24 * 60 * 60 * 1000;

function putAside({ path, maxBackups, maxAgeDays, compress, clock }: AuditLogOptions): void {
  const ending = extname(path);
  const lead = `${basename(path, ending)}-`;
  const at = (name: string): string => join(dirname(path), name);
  const aside = at(`${lead}${fileTime(clock.now())}${ending}`);
  renameSync(path, aside);
  const old = readdirSync(dirname(path))
    .filter((name) => name.startsWith(lead) && name.replace(/\.gz$/, "").endsWith(ending))
    .toSorted();
  const tooMany = maxBackups > 0 ? old.slice(0, -maxBackups) : [];
  const oldest = `${lead}${fileTime(clock.now() - maxAgeDays * dayMs)}`;
  const tooOld = maxAgeDays > 0 ? old.filter((name) => name < oldest) : [];
  for (const name of new Set([...tooMany, ...tooOld])) unlinkSync(at(name));
  if (!compress || !statSync(aside, { throwIfNoEntry: false })) return;
  writeFileSync(`${aside}.gz`, gzipSync(readFileSync(aside)), { mode: 0o600 });
  unlinkSync(aside);
}

const fileTime = (ms: number): string =>
  new Date(ms).toISOString().replaceAll(":", "-").replace("Z", "");
