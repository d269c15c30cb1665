/**
 * Mounts what a pod needs before its containers start, and takes it away when they are gone.
 *
 * One pass over all volumes of a pod; a volume that fails says so in an event and is tried again
 * with the next sync of the pod, later each time.
 * Units   back-off 500 ms doubling to 2 min 2 s
 * Source  pkg/kubelet/volumemanager, pkg/volume/util/operationexecutor
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Pod, Volume } from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import { BackOff } from "../core/back-off.ts";
import type { DownwardContext } from "../core/downward-api.ts";
import { allContainers, podReference, podUID } from "../core/pod.ts";
import { mountsUnder } from "./mounts.ts";
import { NotAttachedError } from "./volumes/csi-attachment.ts";
import type { CSIVolumes } from "./volumes/csi-volumes.ts";
import {
  setUpConfigMap,
  setUpDownwardAPI,
  setUpProjected,
  setUpSecret,
} from "./volumes/file-volumes.ts";
import { setUpEmptyDir, setUpHostPath } from "./volumes/local-volumes.ts";
import type { MountedVolume, SetUp, VolumeDeps, VolumeRequest } from "./volumes/volume.ts";

const RETRY_MS = 500;
const RETRY_MS_MAX = 122_000;

export type MountOutcome =
  | { ok: true; volumes: Map<string, MountedVolume>; renewAtMs: number | undefined }
  | { ok: false; retryMs: number; unmounted: string[] };

const LOCAL: Readonly<Record<string, SetUp>> = {
  emptyDir: setUpEmptyDir,
  hostPath: setUpHostPath,
  configMap: setUpConfigMap,
  secret: setUpSecret,
  downwardAPI: setUpDownwardAPI,
  projected: setUpProjected,
};

const kindOf = (volume: Volume): string =>
  Object.keys(volume).find((key) => key !== "name" && volume[key as keyof Volume] != null) ?? "";

export interface VolumeManagerOptions extends VolumeDeps {
  recorder: EventRecorder;
  csi: CSIVolumes;
}

export class VolumeManager {
  readonly #deps: VolumeManagerOptions;
  readonly #backOff = new BackOff(RETRY_MS, RETRY_MS_MAX);
  readonly #mounted = new Map<string, Map<string, MountedVolume>>();

  constructor(options: VolumeManagerOptions) {
    this.#deps = options;
  }

  mountedFor(uid: string): ReadonlyMap<string, MountedVolume> {
    return this.#mounted.get(uid) ?? new Map();
  }

  async #setUp(request: VolumeRequest): Promise<MountedVolume> {
    const { volume } = request;
    const kind = kindOf(volume);
    const local = LOCAL[kind];
    if (local !== undefined) return local(this.#deps, request);
    if (kind === "image") {
      const { reference = "", pullPolicy = "IfNotPresent" } = volume.image ?? {};
      return { hostPath: "", readOnly: true, image: { reference, pullPolicy } };
    }
    if (kind === "persistentVolumeClaim" || kind === "ephemeral" || kind === "csi") {
      return this.#deps.csi.setUp(this.#deps, request);
    }
    throw new Error(
      `no volume plugin matched: volume type "${kind}" is not implemented by this kubelet`,
    );
  }

  #report(pod: Pod, volume: Volume, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const stage = (error as { stage?: string }).stage ?? "MountVolume.SetUp";
    const message = `${stage} failed for volume "${volume.name}" : ${text}`;
    const { recorder, log } = this.#deps;
    if (!(error instanceof NotAttachedError)) {
      recorder.event(podReference(pod), "Warning", "FailedMount", message);
    }
    log.info({ pod: podUID(pod), volume: volume.name, err: text }, "volume set-up failed");
  }

  /** Sets up everything the pod's containers mount; also brings files up to date. */
  async mount(pod: Pod, downward: DownwardContext, signal: AbortSignal): Promise<MountOutcome> {
    const uid = podUID(pod);
    const used = new Set(
      allContainers(pod).flatMap((container) => [
        ...(container.volumeMounts ?? []).map((mount) => mount.name),
        ...(container.volumeDevices ?? []).map((device) => device.name),
      ]),
    );
    const mounted = this.#mounted.get(uid) ?? new Map<string, MountedVolume>();
    this.#mounted.set(uid, mounted);
    let renewAtMs: number | undefined;
    let retryMs = 0;
    const unmounted: string[] = [];
    const one = async (volume: Volume) => {
      const name = volume.name ?? "";
      const key = `${uid}/${name}`;
      const nowMs = this.#deps.clock.now();
      const waitMs = this.#backOff.remainingSinceUpdate(key, nowMs);
      if (waitMs > 0 && !this.#canRetryNow.has(uid)) {
        unmounted.push(name);
        retryMs = Math.max(retryMs, waitMs);
        return;
      }
      const renewAt = (ms: number) => {
        renewAtMs = Math.min(renewAtMs ?? ms, ms);
      };
      try {
        mounted.set(name, await this.#setUp({ pod, volume, downward, signal, renewAt }));
        this.#backOff.forget((other) => other === key);
      } catch (error) {
        if (signal.aborted) throw error;
        this.#report(pod, volume, error);
        if (error instanceof NotAttachedError) this.#waiting.add(uid);
        this.#backOff.next(key, nowMs, nowMs);
        retryMs = Math.max(retryMs, this.#backOff.get(key));
        // What is mounted already stays usable with its old contents.
        if (!mounted.has(name)) unmounted.push(name);
      }
    };
    await Promise.all((pod.spec?.volumes ?? []).filter((v) => used.has(v.name)).map(one));
    this.#canRetryNow.delete(uid);
    if (unmounted.length > 0) return { ok: false, retryMs, unmounted };
    return { ok: true, volumes: mounted, renewAtMs };
  }

  /** UIDs of pods with a volume that is not attached yet. */
  readonly #waiting = new Set<string>();
  readonly #canRetryNow = new Set<string>();

  /** The node's attached volumes changed: whoever waits for one looks again. */
  retryWaiting(): string[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const uid of waiting) this.#canRetryNow.add(uid);
    return waiting;
  }

  /** Something the pod's volumes are made of changed: don't wait for the back-off. */
  retryNow(uid: string): void {
    this.#canRetryNow.add(uid);
  }

  /** Takes everything of the pod away: mounts first, then its directory. */
  async unmount(uid: string): Promise<void> {
    const { rootDir, mounter, csi, tokens } = this.#deps;
    const directory = join(rootDir, "pods", uid);
    const subPaths = join(directory, "volume-subpaths");
    for (const path of await mountsUnder(mounter, subPaths)) await mounter.unmount(path);
    await csi.tearDown(this.#deps, uid);
    for (const path of await mountsUnder(mounter, directory)) await mounter.unmount(path);
    await rm(join(directory, "volumes"), { recursive: true, force: true });
    await rm(subPaths, { recursive: true, force: true });
    tokens.forget(uid);
    this.#mounted.delete(uid);
    this.#backOff.forget((key) => key.startsWith(`${uid}/`));
  }

  /** UIDs of pods that have a directory on this node. */
  async podDirectories(): Promise<string[]> {
    return readdir(join(this.#deps.rootDir, "pods")).catch(() => []);
  }
}
