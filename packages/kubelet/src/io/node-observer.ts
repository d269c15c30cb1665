/**
 * Looks at the machine and the runtime for the Node object: are we ready, what images are there.
 *
 * Source  pkg/kubelet/runtime.go runtimeState, pkg/kubelet/images/image_gc_manager.go
 */
import { readFile } from "node:fs/promises";
import { type Clock, formatTime } from "@nanokube/machinery";
import type { Pressure } from "../core/eviction.ts";
import type { MachineFacts, NodeImage, NodeInput } from "../core/node-status.ts";
import { describeRpcError, type ImageClient, type RuntimeClient } from "./cri-runtime.ts";
import type { KubeletOptions } from "./kubelet-options.ts";

const IMAGES_MS = 30_000;
/** A relist that old means that the runtime does not answer. */
const RELIST_MS_MAX = 180_000;
const MEMORY_AVAILABLE_MIN = 100 * 1024 * 1024;

export interface NodeObserverOptions {
  runtime: RuntimeClient;
  images: ImageClient;
  clock: Clock;
  options: KubeletOptions;
  machine(): MachineFacts;
  port(): number;
  lastRelistMs(): number;
  volumesInUse(): string[];
  /** What the eviction manager says; undefined: there is none. */
  pressures(): readonly Pressure[] | undefined;
}

export class NodeObserver {
  readonly #options: NodeObserverOptions;
  #images: NodeImage[] = [];
  #imagesAtMs = 0;
  /** Why pods can't have a network; undefined when they can. */
  networkProblem: string | undefined = "cni plugin not initialized";
  #handlers: NodeInput["handlers"] = [];
  #groupsPolicy = false;

  constructor(options: NodeObserverOptions) {
    this.#options = options;
  }

  async #problems(): Promise<string[]> {
    const { runtime, clock, lastRelistMs } = this.#options;
    const problems: string[] = [];
    try {
      const { status, runtimeHandlers, features } = await runtime.status({});
      this.#handlers = runtimeHandlers.map((handler) => ({
        name: handler.name,
        recursiveReadOnlyMounts: handler.features?.recursiveReadOnlyMounts === true,
        userNamespaces: handler.features?.userNamespaces === true,
      }));
      this.#groupsPolicy = features?.supplementalGroupsPolicy === true;
      const conditionOf = (type: string) => status?.conditions.find((c) => c.type === type);
      const about = (type: string) => {
        const condition = conditionOf(type);
        if (condition?.status === true) return undefined;
        const { reason = "", message = "" } = condition ?? {};
        return `${type}=false reason:${reason} message:${message}`;
      };
      const broken = about("RuntimeReady");
      if (broken !== undefined) problems.push(`container runtime not ready: ${broken}`);
      const network = about("NetworkReady");
      if (network !== undefined) problems.push(`container runtime network not ready: ${network}`);
      this.networkProblem = network && `container runtime network not ready: ${network}`;
    } catch (error) {
      problems.push(
        `container runtime status check may not have completed yet: ${describeRpcError(error)}`,
      );
    }
    const ageMs = clock.now() - lastRelistMs();
    if (lastRelistMs() === 0) problems.push("PLEG is not healthy: pleg has yet to be successful");
    else if (ageMs > RELIST_MS_MAX) {
      problems.push(
        `PLEG is not healthy: pleg was last seen active ${Math.floor(ageMs / 1000)}s ago; threshold is 3m0s`,
      );
    }
    return problems;
  }

  /** Images were pulled or removed: look again with the next report. */
  forgetImages(): void {
    this.#imagesAtMs = 0;
  }

  async #listImages(): Promise<NodeImage[]> {
    const { images, clock } = this.#options;
    if (clock.now() - this.#imagesAtMs < IMAGES_MS) return this.#images;
    try {
      const found = await images.listImages({});
      this.#images = found.images.map((image) => ({
        names: [...image.repoDigests, ...image.repoTags],
        sizeBytes: image.size,
      }));
      this.#imagesAtMs = clock.now();
    } catch {
      // The runtime's own trouble is told by its condition.
    }
    return this.#images;
  }

  async #memoryPressure(): Promise<boolean> {
    const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
    const kibi = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
    return kibi !== undefined && Number(kibi) * 1024 < MEMORY_AVAILABLE_MIN;
  }

  async observe(): Promise<NodeInput> {
    const { options, machine, port, clock, volumesInUse } = this.#options;
    const pressures = this.#options.pressures();
    const [problems, images, memory] = await Promise.all([
      this.#problems(),
      this.#listImages(),
      this.#memoryPressure(),
    ]);
    return {
      name: options.nodeName,
      hostname: options.hostname ?? options.nodeName,
      ips: [options.nodeIP],
      labels: options.labels ?? {},
      taints: options.taints ?? [],
      providerID: options.providerID,
      unschedulable: false,
      maxPods: options.maxPods ?? 110,
      port: port(),
      machine: machine(),
      reserved: options.reserved ?? {},
      images,
      problems,
      pressures: {
        memory: pressures?.includes("MemoryPressure") ?? memory,
        disk: pressures?.includes("DiskPressure") ?? false,
        pid: pressures?.includes("PIDPressure") ?? false,
      },
      handlers: this.#handlers,
      supplementalGroupsPolicy: this.#groupsPolicy,
      volumes: { inUse: volumesInUse() },
      now: formatTime(clock.now()),
    };
  }
}
