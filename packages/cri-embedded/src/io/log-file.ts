/** A container's log file in CRI's format: opened again when the kubelet rotates it away. */
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "@nanokube/machinery";
import { formatLogLine, formatLogTime, LineCutter } from "../core/log-format.ts";

export class LogFile {
  readonly #path: string;
  readonly #clock: Clock;
  #file: WriteStream | undefined;
  #serial = 0;
  #lastMs = 0;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
    if (path !== "") this.#open();
  }

  #open(): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    this.#file = createWriteStream(this.#path, { flags: "a", mode: 0o640 });
    this.#file.on("error", () => {});
  }

  reopen(): void {
    this.#file?.end();
    if (this.#path !== "") this.#open();
  }

  write(stream: "stdout" | "stderr", line: { text: Buffer; partial: boolean }): void {
    const nowMs = Math.floor(this.#clock.now());
    this.#serial = nowMs === this.#lastMs ? this.#serial + 1 : 0;
    this.#lastMs = nowMs;
    this.#file?.write(formatLogLine(formatLogTime(nowMs, this.#serial), stream, line));
  }

  /** Copies a process's output; resolves when it has ended. */
  follow(output: Readable | null, stream: "stdout" | "stderr"): Promise<void> {
    if (output === null) return Promise.resolve();
    const cutter = new LineCutter();
    output.on("data", (chunk: Buffer) => {
      for (const line of cutter.push(chunk)) this.write(stream, line);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    output.once("close", () => {
      for (const line of cutter.end()) this.write(stream, line);
      resolve();
    });
    return promise;
  }

  close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    file.once("error", () => resolve());
    file.end(() => resolve());
    return promise;
  }
}
