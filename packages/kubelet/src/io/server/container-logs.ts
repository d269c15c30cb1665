/**
 * /containerLogs: the log of a container, from where the reader wants, followed while it runs.
 *
 * Errors  LogError {status}: 400 when the container has not started, 404 when there is none
 * Source  pkg/kubelet/server/server.go getContainerLogs, k8s.io/cri-client/pkg/logs
 */
import { type FSWatcher, watch } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import type { ContainerStatus, Pod } from "@nanokube/api/core/v1";
import { type Clock, sleep } from "@nanokube/machinery";
import { cri } from "@nanokube/rpc";
import { LogSelector, timestampNanos } from "../../core/cri-log.ts";
import { findContainer, podName } from "../../core/pod.ts";
import type { RuntimeClient } from "../cri-runtime.ts";

export class LogError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface LogOptions {
  follow: boolean;
  previous: boolean;
  tailLines: number | undefined;
  sinceNanos: bigint;
  timestamps: boolean;
  limitBytes: number | undefined;
  stream: "All" | "Stdout" | "Stderr";
}

const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;
/** A file system may lose an event, and a container's end is none in its log. */
const LOOK_MS = 1000;

function number(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) {
    throw new LogError(400, `{"message": "Unable to decode query."}`);
  }
  return value;
}

export function parseLogOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const flag = (name: string) => query.get(name) === "true" || query.get(name) === "1";
  const sinceSeconds = number(query, "sinceSeconds");
  const sinceTime = query.get("sinceTime");
  let sinceNanos = 0n;
  if (sinceSeconds !== undefined) sinceNanos = BigInt(nowMs - sinceSeconds * 1000) * 1_000_000n;
  else if (sinceTime) sinceNanos = timestampNanos(sinceTime);
  const stream = (query.get("stream") ?? "All") as LogOptions["stream"];
  return {
    follow: flag("follow"),
    previous: flag("previous"),
    tailLines: number(query, "tailLines"),
    sinceNanos,
    timestamps: flag("timestamps"),
    limitBytes: number(query, "limitBytes"),
    stream: stream === "Stdout" || stream === "Stderr" ? stream : "All",
  };
}

/** The id of the run whose log is wanted, or why there is none. */
export function containerForLogs(pod: Pod, name: string, previous: boolean): string {
  const { status } = pod;
  const all: ContainerStatus[] = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  const found = all.find((entry) => entry.name === name);
  const what = `container "${name}" in pod "${podName(pod)}"`;
  const bad = (text: string) => new LogError(400, text);
  if (found === undefined) throw bad(`${what} is not available`);
  const bare = (id: string | undefined) => id?.replace(/^[^:]*:\/\//, "");
  const last = bare(found.lastState?.terminated?.containerID);
  if (previous) {
    if (last === undefined) {
      throw bad(`previous terminated ${what.replace("in pod", "in pod")} not found`);
    }
    return last;
  }
  const { waiting, running, terminated } = found.state ?? {};
  const own = bare(found.containerID);
  if (running !== undefined && own !== undefined) return own;
  if (terminated !== undefined) {
    const id = bare(terminated.containerID) || last;
    if (id === undefined) throw bad(`${what} is terminated`);
    return id;
  }
  if (last !== undefined) return last;
  const reason = waiting?.reason ?? "";
  if (reason === "ErrImagePull") throw bad(`${what} is waiting to start: image can't be pulled`);
  if (reason === "ImagePullBackOff") {
    throw bad(`${what} is waiting to start: trying and failing to pull image`);
  }
  throw bad(`${what} is waiting to start: ${reason}`);
}

/** Where the last `lines` lines of the file begin. */
async function tailOffset(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines === 0) return size;
  let seen = 0;
  const block = Buffer.alloc(BLOCK_BYTES);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES);
    await file.read(block, 0, end - start, start);
    for (let at = end - start - 1; at >= 0; at -= 1) {
      if (block[at] !== LINE_FEED || start + at === size - 1) continue;
      seen += 1;
      if (seen === lines) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

async function write(out: Writable, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  if (bytes.length === 0 || out.write(bytes)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  out.once("drain", resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
}

/** Waits until the file changes, or a second; the watch is on the directory, to see rotations. */
async function changed(path: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(dirname(path), () => done.abort());
    watcher.on("error", () => {});
  } catch {
    // Too many watches on this machine: the timer alone will do.
  }
  const either = AbortSignal.any([signal, done.signal]);
  await sleep(clock, LOOK_MS, either).catch(() => {});
  watcher?.close();
}

export interface StreamLogsInput {
  runtime: RuntimeClient;
  clock: Clock;
  containerID: string;
  options: LogOptions;
  out: Writable;
  signal: AbortSignal;
}

async function isRunning(runtime: RuntimeClient, containerId: string): Promise<boolean> {
  const answer = await runtime.containerStatus({ containerId }).catch(() => undefined);
  return answer?.status?.state === cri.ContainerState.CONTAINER_RUNNING;
}

async function pump(input: StreamLogsInput, path: string, first: FileHandle): Promise<void> {
  const { runtime, clock, containerID, options, out, signal } = input;
  // Who asks for the last line gets one, also when the next is written before it is read.
  const limitLines = options.follow ? undefined : options.tailLines;
  const selector = new LogSelector({ ...options, limitLines });
  let file = first;
  let at = options.tailLines === undefined ? 0 : await tailOffset(file, options.tailLines);
  let rest: Buffer = Buffer.alloc(0);
  let ended = false;
  const block = Buffer.alloc(BLOCK_BYTES);
  try {
    while (!signal.aborted && !selector.done) {
      const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, at);
      if (bytesRead === 0) {
        if (!options.follow || ended) break;
        const now = await stat(path).catch(() => undefined);
        const own = await file.stat();
        if (now !== undefined && now.ino !== own.ino) {
          // The runtime rotated the log: go on in the new file.
          await file.close();
          file = await open(path, "r");
          at = 0;
          continue;
        }
        // One more look after the end: its last lines may have come in between.
        ended = !(await isRunning(runtime, containerID));
        if (!ended) await changed(path, clock, signal);
        continue;
      }
      at += bytesRead;
      let data = Buffer.concat([rest, block.subarray(0, bytesRead)]);
      for (let end = data.indexOf(LINE_FEED); end >= 0; end = data.indexOf(LINE_FEED)) {
        await write(out, selector.take(data.subarray(0, end)), signal);
        data = data.subarray(end + 1);
      }
      rest = Buffer.from(data);
    }
  } finally {
    await file.close();
  }
}

export async function streamLogs(input: StreamLogsInput): Promise<void> {
  const { status } = await input.runtime.containerStatus({ containerId: input.containerID });
  const path = status?.logPath ?? "";
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    throw new LogError(500, `failed to try resolving symlinks in path "${path}": ${error.message}`);
  });
  await pump(input, path, file);
}

export const hasContainer = (pod: Pod, name: string): boolean =>
  findContainer(pod, name) !== undefined;
