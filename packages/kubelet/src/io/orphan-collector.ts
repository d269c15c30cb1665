/**
 * Takes off the node what belongs to no pod of this node any more: containers of pods that were
 * deleted while the kubelet was down, sandboxes that were replaced, directories, control groups.
 *
 * Source  pkg/kubelet/kubelet_pods.go HandlePodCleanups, pkg/kubelet/kuberuntime/kuberuntime_gc.go
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "@nanokube/api/core/v1";
import type { Log } from "@nanokube/machinery";
import { type PodRuntimeStatus, runningContainers } from "../core/runtime-status.ts";
import type { Cgroups } from "./cgroups.ts";
import type { ContainerKiller } from "./container-killer.ts";
import { isNotFound, type RuntimeClient } from "./cri-runtime.ts";
import type { PodWorkers } from "./pod-workers.ts";
import type { RuntimeCache } from "./runtime-cache.ts";
import type { VolumeManager } from "./volume-manager.ts";

/** For a container that does not say. */
const GRACE_SECONDS = 30;

export interface OrphanCollectorOptions {
  runtime: RuntimeClient;
  cache: RuntimeCache;
  workers: PodWorkers;
  killer: ContainerKiller;
  volumes: VolumeManager;
  cgroups: Cgroups;
  log: Log;
  rootDir: string;
  podLogsDir: string;
}

export class OrphanCollector {
  readonly #options: OrphanCollectorOptions;
  readonly #busy = new Set<string>();

  constructor(options: OrphanCollectorOptions) {
    this.#options = options;
  }

  async #removeFromRuntime(status: PodRuntimeStatus): Promise<void> {
    const { runtime } = this.#options;
    const ignoreGone = (error: unknown) => {
      if (!isNotFound(error)) throw error;
    };
    for (const { id } of status.containers) {
      await runtime.removeContainer({ containerId: id }).catch(ignoreGone);
    }
    for (const { id } of status.sandboxes) {
      await runtime.stopPodSandbox({ podSandboxId: id }).catch(ignoreGone);
      await runtime.removePodSandbox({ podSandboxId: id }).catch(ignoreGone);
    }
  }

  /**
   * All that is left is what the runtime knows: name, namespace, uid and the containers' own notes.
   */
  async #endUnknown(status: PodRuntimeStatus): Promise<void> {
    const { cache, killer, log } = this.#options;
    const { uid, name, namespace } = status;
    const running = runningContainers(status);
    log.info({ uid, pod: `${namespace}/${name}` }, "Clean up orphaned pod");
    const pod: Pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { uid, name, namespace },
      spec: {
        terminationGracePeriodSeconds: Math.max(
          ...running.map((run) => run.gracePeriodSeconds ?? GRACE_SECONDS),
          0,
        ),
        containers: running.map(({ name: container, preStop }) => ({
          name: container,
          ...(preStop === undefined ? {} : { lifecycle: { preStop } }),
        })),
      },
    };
    await killer.killPod(pod, status);
    await this.forgetPod(uid);
    await cache.refresh(uid);
  }

  /** Removes a pod's containers, sandboxes, volumes, group, directories and logs. */
  async forgetPod(uid: string): Promise<void> {
    const { cache, volumes, cgroups, rootDir, podLogsDir } = this.#options;
    const status = await cache.refresh(uid);
    await this.#removeFromRuntime(status);
    await volumes.unmount(uid);
    await cgroups.remove(uid);
    await rm(join(rootDir, "pods", uid), { recursive: true, force: true });
    for (const name of await readdir(podLogsDir).catch(() => [])) {
      if (name.endsWith(`_${uid}`))
        await rm(join(podLogsDir, name), { recursive: true, force: true });
    }
    await cache.refresh(uid);
  }

  async #once(uid: string, work: () => Promise<void>): Promise<void> {
    if (this.#busy.has(uid)) return;
    this.#busy.add(uid);
    try {
      await work();
    } catch (error) {
      this.#options.log.warn({ uid, err: String(error) }, "orphan not collected, will retry");
    } finally {
      this.#busy.delete(uid);
    }
  }

  /** Sandboxes that a newer one replaced. */
  async #collectOldSandboxes(status: PodRuntimeStatus): Promise<void> {
    const { runtime } = this.#options;
    for (const sandbox of status.sandboxes.slice(1)) {
      const used = status.containers.some((c) => c.sandboxID === sandbox.id);
      if (sandbox.ready || used) continue;
      await runtime.removePodSandbox({ podSandboxId: sandbox.id });
    }
  }

  async collect(): Promise<void> {
    const { cache, workers, volumes, cgroups } = this.#options;
    const known = (uid: string) => workers.phase(uid) !== undefined;
    for (const status of cache.all()) {
      const { uid } = status;
      // Not awaited: the grace of one pod must not hold up the others.
      if (!known(uid)) void this.#once(uid, () => this.#endUnknown(status));
      else if (status.sandboxes.length > 1) {
        void this.#once(uid, () => this.#collectOldSandboxes(status));
      }
    }
    const leftovers = new Set([...(await volumes.podDirectories()), ...(await cgroups.list())]);
    for (const uid of leftovers) {
      if (known(uid) || cache.get(uid) !== undefined) continue;
      await this.#once(uid, () => this.forgetPod(uid));
    }
  }
}
