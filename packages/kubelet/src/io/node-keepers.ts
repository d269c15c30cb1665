/**
 * What keeps the node itself in order: logs that grow, images that nothing runs, pods that must go.
 */
import type { ObjectReference, Pod } from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import type { ImageClient, RuntimeClient } from "./cri-runtime.ts";
import { EvictionManager } from "./eviction-manager.ts";
import { ImageCollector } from "./image-collector.ts";
import type { KubeletOptions } from "./kubelet-options.ts";
import { LogRotator } from "./log-rotator.ts";
import type { PodWorkers } from "./pod-workers.ts";

const LOG_SIZE_BYTES = 10 * 1024 * 1024;
const LOG_FILES = 5;
const LOG_EVERY_MS = 10_000;
const TRANSITION_MS = 300_000;

export interface NodeKeepersDeps {
  options: KubeletOptions;
  runtime: RuntimeClient;
  images: ImageClient;
  recorder: EventRecorder;
  node(): ObjectReference;
  workers(): PodWorkers;
  active(): Pod[];
  onPressure(): void;
}

export interface NodeKeepers {
  eviction: EvictionManager | undefined;
  run(signal: AbortSignal): Promise<unknown>;
}

export function createNodeKeepers(deps: NodeKeepersDeps): NodeKeepers {
  const { options, runtime, images, recorder, node, workers, active, onPressure } = deps;
  const { clock, log, rootDir, logRotation = {}, imageGC, eviction: wanted } = options;
  const logs = new LogRotator({
    runtime,
    clock,
    log,
    maxSizeBytes: logRotation.maxSizeBytes ?? LOG_SIZE_BYTES,
    maxFiles: logRotation.maxFiles ?? LOG_FILES,
    everyMs: logRotation.everyMs ?? LOG_EVERY_MS,
  });
  const base = { runtime, recorder, clock, log, node };
  const collector =
    imageGC === undefined ? undefined : new ImageCollector({ ...base, images, policy: imageGC });
  const eviction =
    wanted === undefined
      ? undefined
      : new EvictionManager({
          ...base,
          hard: wanted.hard,
          transitionMs: wanted.transitionMs ?? TRANSITION_MS,
          rootDir,
          images: collector,
          active,
          evict: (pod, why, graceSeconds) =>
            workers().terminate(pod.metadata?.uid ?? "", { eviction: why, graceSeconds }),
          onChange: onPressure,
        });
  return {
    eviction,
    run: (signal) => Promise.all([logs.run(signal), collector?.run(signal), eviction?.run(signal)]),
  };
}
