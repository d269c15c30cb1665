/**
 * What every kind of volume gets and gives.
 *
 * Shapes  directory  <root>/pods/<uid>/volumes/<plugin>/<name>, upstream's, so that either kubelet
 *                    finds what the other mounted
 * Source  pkg/volume/volume.go, plugins.go
 */
import type { Pod, Volume } from "@nanokube/api/core/v1";
import type { Client } from "@nanokube/client";
import type { Clock, Log } from "@nanokube/machinery";
import type { DownwardContext } from "../../core/downward-api.ts";
import { podUID } from "../../core/pod.ts";
import type { Mounter } from "../mounts.ts";
import type { ObjectCache } from "../object-cache.ts";
import type { TokenManager } from "../token-manager.ts";

export interface MountedVolume {
  hostPath: string;
  readOnly: boolean;
  /** A block device: `hostPath` is its node. */
  device?: boolean;
  /** An image volume: the runtime mounts it itself. */
  image?: { reference: string; pullPolicy: string };
  /** Groups every container of the pod must be in to use the volume. */
  groups?: number[];
}

export interface VolumeDeps {
  client: Client;
  clock: Clock;
  log: Log;
  rootDir: string;
  nodeName: string;
  mounter: Mounter;
  objects: ObjectCache;
  tokens: TokenManager;
  /** Is this process allowed to mount and chown? */
  privileged: boolean;
}

export interface VolumeRequest {
  pod: Pod;
  volume: Volume;
  downward: DownwardContext;
  signal: AbortSignal;
  /** Ask to be set up again at that time (a token's renewal). */
  renewAt(ms: number): void;
}

export type SetUp = (deps: VolumeDeps, request: VolumeRequest) => Promise<MountedVolume>;

/** `kubernetes.io/empty-dir` → `kubernetes.io~empty-dir`. */
export const volumeDirectory = (
  deps: { rootDir: string },
  pod: Pod,
  plugin: string,
  name: string,
): string => `${deps.rootDir}/pods/${podUID(pod)}/volumes/${plugin.replaceAll("/", "~")}/${name}`;

export const fsGroupOf = (pod: Pod): number | undefined => pod.spec?.securityContext?.fsGroup;
