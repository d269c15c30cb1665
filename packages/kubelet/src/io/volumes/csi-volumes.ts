/** CSI volumes. */
import type { Node } from "@nanokube/api/core/v1";
import type { Client } from "@nanokube/client";
import type { Clock, Log } from "@nanokube/machinery";
import type { MountedVolume, VolumeDeps, VolumeRequest } from "./volume.ts";

export interface CSIVolumes {
  setUp(deps: VolumeDeps, request: VolumeRequest): Promise<MountedVolume>;
  tearDown(deps: VolumeDeps, uid: string): Promise<void>;
}

export interface CSIPluginsOptions {
  client: Client;
  clock: Clock;
  log: Log;
  nodeName: string;
  rootDir: string;
  node(): Node | undefined;
  onChange(): void;
}

export class CSIPlugins implements CSIVolumes {
  constructor(_options: CSIPluginsOptions) {}
  volumesInUse(): string[] {
    return [];
  }
  async run(_signal: AbortSignal): Promise<void> {}
  async setUp(_deps: VolumeDeps, _request: VolumeRequest): Promise<MountedVolume> {
    throw new Error("later");
  }
  async tearDown(_deps: VolumeDeps, _uid: string): Promise<void> {}
}
