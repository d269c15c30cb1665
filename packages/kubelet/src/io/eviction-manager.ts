/**
 * Ends one pod at a time while the node is short of memory or disk, and tells its conditions.
 *
 * Before pods, images that nothing runs are removed when the disk is short.
 * Units   looks every 10 s; a condition stays for 5 min after it was last true
 * Source  pkg/kubelet/eviction/eviction_manager.go synchronize
 */
import { readFile, statfs } from "node:fs/promises";
import type { ObjectReference, Pod } from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import { type Clock, type Log, sleep } from "@nanokube/machinery";
import {
  type ContainerUsage,
  evictionMessage,
  type Met,
  type Observations,
  type Pressure,
  rankForEviction,
  type Thresholds,
  thresholdsMet,
} from "../core/eviction.ts";
import { podKey, podReference, podUID } from "../core/pod.ts";
import type { Eviction } from "../core/pod-status.ts";
import { isCriticalPod } from "../core/qos.ts";
import { CONTAINER_NAME, POD_UID } from "../core/runtime-labels.ts";
import { describeRpcError, type RuntimeClient } from "./cri-runtime.ts";
import type { ImageCollector } from "./image-collector.ts";

const EVERY_MS = 10_000;
const IMMEDIATE_GRACE_SECONDS = 1;

export interface EvictionManagerOptions {
  runtime: RuntimeClient;
  recorder: EventRecorder;
  clock: Clock;
  log: Log;
  hard: Thresholds;
  transitionMs: number;
  rootDir: string;
  images: ImageCollector | undefined;
  node(): ObjectReference;
  active(): Pod[];
  evict(pod: Pod, eviction: Eviction, graceSeconds: number): void;
  /** The node's conditions changed. */
  onChange(): void;
}

export class EvictionManager {
  readonly #options: EvictionManagerOptions;
  readonly #seenAtMs = new Map<Pressure, number>();
  #pressures: Pressure[] = [];

  constructor(options: EvictionManagerOptions) {
    this.#options = options;
  }

  pressures(): readonly Pressure[] {
    return this.#pressures;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      await this.look().catch((error) => {
        log.warn({ err: describeRpcError(error) }, "eviction manager failed to look at the node");
      });
      await sleep(clock, EVERY_MS, signal).catch(() => {});
    }
  }

  async #observe(): Promise<Observations> {
    const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
    const bytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? Number.NaN) * 1024;
    const seen: Observations = {};
    const memory = { available: bytes("MemAvailable"), capacity: bytes("MemTotal") };
    if (!Number.isNaN(memory.available)) seen["memory.available"] = memory;
    const disk = await statfs(this.#options.rootDir).catch(() => undefined);
    if (disk !== undefined && disk.blocks > 0) {
      const space = { available: disk.bavail * disk.bsize, capacity: disk.blocks * disk.bsize };
      seen["nodefs.available"] = space;
      seen["imagefs.available"] = space;
      if (disk.files > 0) {
        const inodes = { available: disk.ffree, capacity: disk.files };
        seen["nodefs.inodesFree"] = inodes;
        seen["imagefs.inodesFree"] = inodes;
      }
    }
    return seen;
  }

  #notePressures(met: readonly Met[]): void {
    const { clock, transitionMs, onChange } = this.#options;
    const nowMs = clock.now();
    for (const { condition } of met) this.#seenAtMs.set(condition, nowMs);
    const before = this.#pressures.join();
    this.#pressures = [...this.#seenAtMs]
      .filter(([, seenAtMs]) => nowMs - seenAtMs < transitionMs)
      .map(([condition]) => condition)
      .sort();
    if (this.#pressures.join() !== before) onChange();
  }

  async #usage(): Promise<Map<string, ContainerUsage[]>> {
    const { stats } = await this.#options.runtime.listContainerStats({});
    const usage = new Map<string, ContainerUsage[]>();
    for (const entry of stats) {
      const labels = entry.attributes?.labels ?? {};
      const uid = labels[POD_UID] ?? "";
      const one = {
        name: labels[CONTAINER_NAME] ?? "",
        memoryBytes: entry.memory?.workingSetBytes?.value ?? 0,
        storageBytes: entry.writableLayer?.usedBytes?.value ?? 0,
      };
      usage.set(uid, [...(usage.get(uid) ?? []), one]);
    }
    return usage;
  }

  /** Removes images until the disk is as it should be; answers whether that was enough. */
  async #makeRoom(met: Met): Promise<boolean> {
    const { images, hard, log } = this.#options;
    if (met.condition !== "DiskPressure" || images === undefined) return false;
    const freed = await images.free(Number.MAX_SAFE_INTEGER).catch(() => 0);
    log.info({ freed }, "removed unused images to make room");
    const still = thresholdsMet(hard, await this.#observe());
    return !still.some(({ condition }) => condition === "DiskPressure");
  }

  async look(): Promise<void> {
    const { hard, recorder, node, active, evict, log } = this.#options;
    const met = thresholdsMet(hard, await this.#observe());
    this.#notePressures(met);
    const worst = met[0];
    if (worst === undefined) return;
    const text = `Attempting to reclaim ${worst.resource}`;
    recorder.event(node(), "Warning", "EvictionThresholdMet", text);
    if (await this.#makeRoom(worst)) return;
    const usage = await this.#usage();
    const ranked = rankForEviction(active(), worst.resource, (pod) => usage.get(podUID(pod)));
    const pod = ranked.find((candidate) => !isCriticalPod(candidate));
    if (pod === undefined) return;
    const message = evictionMessage(pod, worst, usage.get(podUID(pod)) ?? []);
    log.warn({ pod: podKey(pod), resource: worst.resource }, "pod is evicted");
    recorder.event(podReference(pod), "Warning", "Evicted", message);
    evict(pod, { reason: "Evicted", message, disruption: message }, IMMEDIATE_GRACE_SECONDS);
  }
}
