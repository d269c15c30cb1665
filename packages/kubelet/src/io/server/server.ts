/** The kubelet's server. */
import type { Pod } from "@nanokube/api/core/v1";
import type { RuntimeClient } from "../cri-runtime.ts";
import type { KubeletOptions } from "../kubelet-options.ts";
import type { PodWorkers } from "../pod-workers.ts";
import type { RuntimeCache } from "../runtime-cache.ts";
import type { StatusManager } from "../status-manager.ts";

export interface KubeletServer {
  readonly port: number;
  listen(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
export interface KubeletServerDeps {
  options: KubeletOptions;
  runtime: RuntimeClient;
  cache: RuntimeCache;
  workers: PodWorkers;
  statuses: StatusManager;
  pods(): Pod[];
}
export function createKubeletServer(deps: KubeletServerDeps): KubeletServer {
  return { port: deps.options.serving?.port ?? 10250, async listen() {}, async close() {} };
}
