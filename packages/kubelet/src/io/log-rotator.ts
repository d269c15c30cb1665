/**
 * Looks at the logs of running containers every few seconds and rotates what is too large.
 *
 * Source  pkg/kubelet/logs/container_log_manager.go
 */
import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type Clock, type Log, sleep } from "@nanokube/machinery";
import { cri } from "@nanokube/rpc";
import { planRotation, rotationStamp } from "../core/log-rotation.ts";
import { describeRpcError, type RuntimeClient } from "./cri-runtime.ts";

export interface LogRotation {
  maxSizeBytes: number;
  maxFiles: number;
  everyMs: number;
}

export interface LogRotatorOptions extends LogRotation {
  runtime: RuntimeClient;
  clock: Clock;
  log: Log;
}

export class LogRotator {
  readonly #options: LogRotatorOptions;

  constructor(options: LogRotatorOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, everyMs } = this.#options;
    while (!signal.aborted) {
      await sleep(clock, everyMs, signal).catch(() => {});
      if (signal.aborted) return;
      await this.#lookAtAll().catch((error) => {
        log.warn({ err: describeRpcError(error) }, "container logs were not looked at");
      });
    }
  }

  async #lookAtAll(): Promise<void> {
    const { runtime, log } = this.#options;
    const state = { state: cri.ContainerState.CONTAINER_RUNNING };
    const { containers } = await runtime.listContainers({ filter: { state } });
    for (const { id } of containers) {
      await this.#lookAt(id).catch((error) => {
        log.warn({ id, err: describeRpcError(error) }, "container log was not rotated");
      });
    }
  }

  async #lookAt(containerId: string): Promise<void> {
    const { runtime, maxSizeBytes } = this.#options;
    const { status } = await runtime.containerStatus({ containerId });
    const path = status?.logPath ?? "";
    if (path === "") return;
    let info = await stat(path).catch(() => undefined);
    if (info === undefined) {
      await runtime.reopenContainerLog({ containerId });
      info = await stat(path).catch(() => undefined);
    }
    if (info === undefined || info.size < maxSizeBytes) return;
    await this.#rotate(containerId, path);
  }

  async #rotate(containerId: string, path: string): Promise<void> {
    const { runtime, clock, maxFiles } = this.#options;
    const [directory, name] = [dirname(path), basename(path)];
    const rotated = (await readdir(directory)).filter((file) => file.startsWith(`${name}.`));
    const plan = planRotation(rotated, maxFiles);
    for (const file of plan.remove) await rm(join(directory, file), { force: true });
    for (const file of plan.compress) await compress(join(directory, file));
    const old = `${path}.${rotationStamp(clock.now())}`;
    await rename(path, old);
    try {
      await runtime.reopenContainerLog({ containerId });
    } catch (error) {
      // Whoever writes goes on in the old file: it must keep the name that readers know.
      await rename(old, path);
      throw error;
    }
  }
}

async function compress(path: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary));
    await rename(temporary, `${path}.gz`);
    await rm(path);
  } finally {
    await rm(temporary, { force: true });
  }
}
