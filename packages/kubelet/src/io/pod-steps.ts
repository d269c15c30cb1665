/**
 * The three things a pod worker can do: bring the pod to its spec, end it, clean up after it.
 *
 * Source  pkg/kubelet/kubelet.go SyncPod, SyncTerminatingPod, SyncTerminatedPod
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Pod, PodStatus } from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import { type Clock, formatTime, type Log } from "@nanokube/machinery";
import type { StartFailure } from "../core/container-statuses.ts";
import type { DownwardContext } from "../core/downward-api.ts";
import {
  allContainers,
  isHostNetwork,
  isTerminalPhase,
  podKey,
  podName,
  podNamespace,
  podReference,
  podUID,
} from "../core/pod.ts";
import { type Eviction, podStatus } from "../core/pod-status.ts";
import {
  emptyRuntimeStatus,
  type PodRuntimeStatus,
  runningContainers,
} from "../core/runtime-status.ts";
import { podLogsDirectory } from "../core/sandbox-config.ts";
import { parseTime } from "../core/time.ts";
import type { Cgroups } from "./cgroups.ts";
import type { ContainerKiller } from "./container-killer.ts";
import type { PodContext } from "./container-maker.ts";
import { ImageError, type ImageManager } from "./image-manager.ts";
import type { ObjectCache } from "./object-cache.ts";
import type { PodResizer } from "./pod-resizer.ts";
import type { PodSteps, Termination } from "./pod-workers.ts";
import type { ProbeManager } from "./probe-manager.ts";
import type { ResourceLedger } from "./resource-ledger.ts";
import type { RuntimeCache } from "./runtime-cache.ts";
import type { RuntimeManager } from "./runtime-manager.ts";
import type { StatusManager } from "./status-manager.ts";
import type { VolumeManager } from "./volume-manager.ts";

export interface PodStepsOptions {
  cache: RuntimeCache;
  runtime: RuntimeManager;
  runtimeName: string;
  images: ImageManager;
  killer: ContainerKiller;
  probes: ProbeManager;
  statuses: StatusManager;
  volumes: VolumeManager;
  objects: ObjectCache;
  cgroups: Cgroups;
  ledger: ResourceLedger;
  resizer: PodResizer;
  recorder: EventRecorder;
  clock: Clock;
  log: Log;
  rootDir: string;
  podLogsDir: string;
  hostIPs: readonly string[];
  /** Why the runtime can't mount images; undefined: it can. */
  imageVolumes: string | undefined;
  networkReady(): string | undefined;
  downward(pod: Pod, podIPs: readonly string[]): DownwardContext;
  maker: { sandboxConfig(context: PodContext, attempt: number): unknown };
}

const NETWORK_RETRY_MS = 1000;
/** A resize that waits for room is looked at again when a pod goes, and at least that often. */
const PENDING_RESIZE_MS = 180_000;

export class KubeletPodSteps implements PodSteps {
  readonly #options: PodStepsOptions;
  readonly #failures = new Map<string, Map<string, StartFailure>>();
  readonly #evictions = new Map<string, Eviction>();
  readonly #firstSeen = new Map<string, string>();

  constructor(options: PodStepsOptions) {
    this.#options = options;
  }

  #runtimeStatus(pod: Pod): PodRuntimeStatus {
    const uid = podUID(pod);
    return this.#options.cache.get(uid) ?? emptyRuntimeStatus(uid, podName(pod), podNamespace(pod));
  }

  #startTime(pod: Pod): string {
    const uid = podUID(pod);
    const known = pod.status?.startTime ?? this.#firstSeen.get(uid);
    const time = known ?? formatTime(this.#options.clock.now());
    this.#firstSeen.set(uid, time);
    return time;
  }

  /** Makes the pod's status from what the runtime has now, and hands it in. */
  report(pod: Pod, runtime: PodRuntimeStatus, terminal: boolean): PodStatus {
    const { statuses, probes, runtimeName, hostIPs, clock, ledger, resizer } = this.#options;
    const uid = podUID(pod);
    if (!terminal) resizer.settle(pod, runtime);
    const { pending, inProgress } = ledger.conditions(uid);
    const status = podStatus({
      pod,
      before: statuses.get(uid) ?? pod.status,
      runtime,
      runtimeName,
      probes: probes.view(pod),
      failure: (name) => this.#failures.get(uid)?.get(name),
      actuated: ledger.actuated(uid),
      resizeConditions: [pending, inProgress].filter((c) => c !== undefined),
      eviction: this.#evictions.get(uid),
      terminal,
      hostIPs,
      startTime: this.#startTime(pod),
      now: formatTime(clock.now()),
    });
    statuses.set(pod, status);
    return status;
  }

  #noteFailures(uid: string, failures: ReadonlyMap<string, StartFailure | undefined>): void {
    const known = this.#failures.get(uid) ?? new Map<string, StartFailure>();
    for (const [name, failure] of failures) {
      if (failure === undefined) known.delete(name);
      else known.set(name, failure);
    }
    this.#failures.set(uid, known);
  }

  /** Milliseconds until the pod is over its deadline; undefined when it has none. */
  #deadlineMs(pod: Pod): number | undefined {
    const seconds = pod.spec?.activeDeadlineSeconds;
    if (seconds === undefined) return undefined;
    return parseTime(this.#startTime(pod)) + seconds * 1000 - this.#options.clock.now();
  }

  async #makeDirectories(pod: Pod): Promise<void> {
    const directory = join(this.#options.rootDir, "pods", podUID(pod));
    for (const part of ["volumes", "plugins", "containers"]) {
      await mkdir(join(directory, part), { recursive: true, mode: 0o750 });
    }
  }

  async #pullImageVolumes(
    context: PodContext,
    signal: AbortSignal,
  ): Promise<StartFailure | undefined> {
    const { images, maker, imageVolumes } = this.#options;
    for (const [name, volume] of context.volumes) {
      if (volume.image === undefined) continue;
      if (imageVolumes !== undefined) {
        return { reason: "CreateContainerError", message: `volume "${name}": ${imageVolumes}` };
      }
      try {
        const { ref } = await images.ensure({
          pod: context.pod,
          containerName: allContainers(context.pod)[0]?.name ?? "",
          image: volume.image.reference,
          policy: volume.image.pullPolicy,
          sandboxConfig: maker.sandboxConfig(context, 0) as never,
          signal,
        });
        context.imageRefs.set(name, ref);
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        return { reason: error.reason, message: error.message };
      }
    }
    return undefined;
  }

  async #syncRuntime(pod: Pod, signal: AbortSignal, context: PodContext) {
    const { cache, runtime, log } = this.#options;
    const uid = podUID(pod);
    const object = `pods/${podKey(pod)}`;
    const { resourceVersion } = pod.metadata ?? {};
    log.debug({ hop: "kubelet.sync", object, resourceVersion }, "hop");
    const onSandbox = async () => {
      this.report(pod, await cache.refresh(uid), false);
    };
    const failed = await this.#pullImageVolumes(context, signal);
    if (failed !== undefined) {
      const names = allContainers(pod).map((container) => [container.name ?? "", failed] as const);
      this.#noteFailures(uid, new Map(names));
      return { retryMs: 10_000, acted: false, failures: new Map(names) };
    }
    const outcome = await runtime.sync(pod, this.#runtimeStatus(pod), context, signal, onSandbox);
    this.#noteFailures(uid, outcome.failures);
    return outcome;
  }

  async sync(wished: Pod, signal: AbortSignal) {
    const { cache, volumes, probes, objects, cgroups, recorder, networkReady } = this.#options;
    const { ledger, resizer } = this.#options;
    const uid = podUID(wished);
    ledger.open(wished);
    const pod = resizer.consider(wished);
    const leftMs = this.#deadlineMs(pod);
    if (leftMs !== undefined && leftMs <= 0) {
      const message = "Pod was active on the node longer than the specified deadline";
      const reason = "DeadlineExceeded";
      this.#evictions.set(uid, { reason, message });
      recorder.event(podReference(pod), "Normal", reason, message);
    }
    const status = this.report(pod, this.#runtimeStatus(pod), false);
    if (isTerminalPhase(status.phase)) return { terminal: true };
    const problem = networkReady();
    if (problem !== undefined && !isHostNetwork(pod)) {
      const message = `network is not ready: ${problem}`;
      recorder.event(podReference(pod), "Warning", "NetworkNotReady", message);
      return { terminal: false, retryMs: NETWORK_RETRY_MS };
    }
    objects.register(pod);
    await Promise.all([this.#makeDirectories(pod), cgroups.ensure(pod)]);
    await ledger.save(uid);
    const downward = this.#options.downward(
      pod,
      (status.podIPs ?? []).map((ip) => ip.ip ?? ""),
    );
    const mounted = await volumes.mount(pod, downward, signal);
    signal.throwIfAborted();
    if (!mounted.ok) return { terminal: false, retryMs: mounted.retryMs };
    probes.add(pod);
    const context: PodContext = {
      pod,
      volumes: mounted.volumes,
      podIPs: [],
      imageRefs: new Map(),
    };
    const outcome = await this.#syncRuntime(pod, signal, context);
    if (outcome.acted || outcome.retryMs !== undefined) {
      const after = this.report(pod, await cache.refresh(uid), false);
      if (isTerminalPhase(after.phase)) return { terminal: true };
    }
    const waits = [outcome.retryMs, leftMs];
    // What was started may have ended before this look at it, and nothing would tell of it again.
    const failed = [...outcome.failures.values()].some((failure) => failure !== undefined);
    if (outcome.acted && !failed) waits.push(0);
    if (ledger.conditions(uid).pending !== undefined) waits.push(PENDING_RESIZE_MS);
    if (mounted.renewAtMs !== undefined) waits.push(mounted.renewAtMs - this.#options.clock.now());
    const retryMs = Math.min(...waits.filter((ms) => ms !== undefined), Number.POSITIVE_INFINITY);
    return {
      terminal: false,
      retryMs: Number.isFinite(retryMs) ? Math.max(1, retryMs) : undefined,
    };
  }

  async terminate(wished: Pod, why: Termination, signal: AbortSignal): Promise<void> {
    const { cache, killer, probes, recorder, ledger } = this.#options;
    const uid = podUID(wished);
    ledger.open(wished);
    const pod = ledger.allocatedPod(wished);
    if (why.eviction !== undefined) this.#evictions.set(uid, why.eviction);
    const before = await cache.refresh(uid);
    this.report(pod, before, false);
    probes.stopLivenessAndStartup(uid);
    const killed = killer.killPod(pod, before, why.graceSeconds);
    killed.catch(() => {});
    const interrupted = Promise.withResolvers<never>();
    const abort = () => interrupted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([killed, interrupted.promise]);
    } catch (error) {
      if (!signal.aborted) {
        const message = `error killing pod: ${(error as Error).message}`;
        recorder.event(podReference(pod), "Warning", "FailedKillPod", message);
      }
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
    const after = await cache.refresh(uid);
    const left = runningContainers(after).map((run) => run.id);
    if (left.length > 0) {
      throw new Error(
        `detected running containers after a successful KillPod, CRI violation: [${left.join(" ")}]`,
      );
    }
    this.report(pod, after, true);
    probes.remove(uid);
  }

  async cleanUp(pod: Pod): Promise<void> {
    const { volumes, objects, cgroups, statuses } = this.#options;
    const uid = podUID(pod);
    await volumes.unmount(uid);
    objects.unregister(uid);
    await cgroups.remove(uid);
    statuses.finish(pod);
  }

  /** The object is gone too: nothing of the pod is kept. */
  async forget(pod: Pod): Promise<void> {
    const uid = podUID(pod);
    const { runtime, images, statuses, ledger, rootDir, podLogsDir } = this.#options;
    ledger.forget(uid);
    this.#failures.delete(uid);
    this.#evictions.delete(uid);
    this.#firstSeen.delete(uid);
    runtime.forget(uid);
    images.forget(uid);
    statuses.remove(uid);
    await rm(join(rootDir, "pods", uid), { recursive: true, force: true });
    await rm(podLogsDirectory(podLogsDir, pod), { recursive: true, force: true });
  }
}
