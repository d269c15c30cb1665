/**
 * Keeps the disk of the images below its threshold, every five minutes and when it is asked.
 *
 * Events  FreeDiskSpaceFailed, InvalidDiskCapacity on the node, in upstream's words
 * Source  pkg/kubelet/images/image_gc_manager.go
 */
import { statfs } from "node:fs/promises";
import type { ObjectReference } from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import { type Clock, type Log, quantityOf, sleep } from "@nanokube/machinery";
import {
  bytesToFree,
  type DiskUse,
  type ImageGCPolicy,
  type ImageUse,
  imagesToRemove,
  usedPercent,
} from "../core/image-gc.ts";
import { describeRpcError, type ImageClient, type RuntimeClient } from "./cri-runtime.ts";

const EVERY_MS = 300_000;

export interface ImageCollectorOptions {
  runtime: RuntimeClient;
  images: ImageClient;
  recorder: EventRecorder;
  node(): ObjectReference;
  clock: Clock;
  log: Log;
  policy: ImageGCPolicy;
}

export class ImageCollector {
  readonly #options: ImageCollectorOptions;
  readonly #known = new Map<string, { detectedMs: number; lastUsedMs: number }>();

  constructor(options: ImageCollectorOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      await this.collect().catch((error) => {
        log.warn({ err: describeRpcError(error) }, "image garbage collection failed");
      });
      await sleep(clock, EVERY_MS, signal).catch(() => {});
    }
  }

  async #look(): Promise<ImageUse[]> {
    const { runtime, images, clock } = this.#options;
    const nowMs = clock.now();
    const { images: present } = await images.listImages({});
    const { containers } = await runtime.listContainers({});
    const used = new Set(containers.flatMap((c) => [c.imageRef, c.image?.image ?? "", c.imageId]));
    const found = present.map((image) => {
      const known = this.#known.get(image.id) ?? { detectedMs: nowMs, lastUsedMs: 0 };
      const names = [image.id, ...image.repoTags, ...image.repoDigests];
      const inUse = names.some((name) => used.has(name));
      if (inUse) known.lastUsedMs = nowMs;
      this.#known.set(image.id, known);
      return { id: image.id, sizeBytes: image.size, pinned: image.pinned, inUse, ...known };
    });
    const ids = new Set(found.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    return found;
  }

  async #disk(): Promise<DiskUse | undefined> {
    const { imageFilesystems } = await this.#options.images.imageFsInfo({});
    const path = imageFilesystems[0]?.fsId?.mountpoint;
    const disk = path === undefined ? undefined : await statfs(path).catch(() => undefined);
    if (disk === undefined) return undefined;
    return { capacityBytes: disk.blocks * disk.bsize, availableBytes: disk.bavail * disk.bsize };
  }

  /** Removes what nothing runs, up to so many bytes; answers how many there were. */
  async free(toFreeBytes: number): Promise<number> {
    const { images, clock, policy, log } = this.#options;
    const all = await this.#look();
    const nowMs = clock.now();
    let freed = 0;
    for (const image of imagesToRemove(all, toFreeBytes, { nowMs, minAgeMs: policy.minAgeMs })) {
      await images.removeImage({ image: { image: image.id } });
      log.info({ image: image.id, sizeBytes: image.sizeBytes }, "unused image removed");
      freed += image.sizeBytes;
    }
    return freed;
  }

  async collect(): Promise<void> {
    const { policy, recorder, node } = this.#options;
    await this.#look();
    const disk = await this.#disk();
    if (disk === undefined) return;
    if (disk.capacityBytes === 0) {
      recorder.event(
        node(),
        "Warning",
        "InvalidDiskCapacity",
        "invalid capacity 0 on image filesystem",
      );
      return;
    }
    const wanted = bytesToFree(disk, policy);
    if (wanted === 0) return;
    const freed = await this.free(wanted);
    if (freed >= wanted) return;
    const capacity = quantityOf(disk.capacityBytes, "BinarySI").toString();
    const message =
      `Insufficient free disk space on the node's image filesystem (${usedPercent(disk)}% of ` +
      `${capacity} used). Failed to free sufficient space by deleting unused images (freed ${freed} ` +
      "bytes). Consider resizing the disk or deleting unused files.";
    recorder.event(node(), "Warning", "FreeDiskSpaceFailed", message);
  }
}
