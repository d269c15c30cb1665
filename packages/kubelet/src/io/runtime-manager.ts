/**
 * Carries out what `computePodActions` decided: kill, sandbox, then containers in their order.
 *
 * Answers which containers could not be started and why; that becomes their waiting state.
 * Errors  StartError {reason, message}: CrashLoopBackOff, CreateContainerConfigError, …
 * Source  pkg/kubelet/kuberuntime/kuberuntime_manager.go SyncPod
 */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod } from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import type { Clock, Log } from "@nanokube/machinery";
import { BackOff } from "../core/back-off.ts";
import type { StartFailure } from "../core/container-statuses.ts";
import {
  containerReference,
  containersOf,
  ephemeralContainersOf,
  formatPod,
  initContainersOf,
  isHostNetwork,
  isSidecar,
  podKey,
  podReference,
  podUID,
} from "../core/pod.ts";
import { computePodActions, type PodActions, type ProbeResults } from "../core/pod-actions.ts";
import { isResize } from "../core/resize.ts";
import { latestRun, type PodRuntimeStatus, runtimeIPs } from "../core/runtime-status.ts";
import { podLogsDirectory, type SandboxConfig } from "../core/sandbox-config.ts";
import { formatDuration } from "../core/time.ts";
import type { ContainerKiller } from "./container-killer.ts";
import type { ContainerMaker, PodContext } from "./container-maker.ts";
import { describeRpcError, isNotFound, type RuntimeClient, rpcDetails } from "./cri-runtime.ts";
import { ImageError, type ImageManager } from "./image-manager.ts";
import type { HookRunner } from "./lifecycle-hooks.ts";
import type { PodResizer } from "./pod-resizer.ts";
import type { ResourceLedger } from "./resource-ledger.ts";
import type { RuntimeCache } from "./runtime-cache.ts";

const CRASH_LOOP_MS = 10_000;
const CRASH_LOOP_MS_MAX = 300_000;
const RESIZE_RETRY_MS = 10_000;

export class StartError extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface SyncOutcome {
  /** Containers that were tried and could not be started; undefined clears an old failure. */
  failures: Map<string, StartFailure | undefined>;
  /** When something may be tried again. */
  retryMs: number | undefined;
  /** Something was done: the runtime is not as it was. */
  acted: boolean;
}

export interface RuntimeManagerOptions {
  runtime: RuntimeClient;
  cache: RuntimeCache;
  images: ImageManager;
  maker: ContainerMaker;
  killer: ContainerKiller;
  hooks: HookRunner;
  probes: ProbeResults;
  resizer: PodResizer;
  ledger: ResourceLedger;
  recorder: EventRecorder;
  clock: Clock;
  log: Log;
  podLogsDir: string;
  hostIPs: readonly string[];
}

interface Sync {
  pod: Pod;
  status: PodRuntimeStatus;
  context: PodContext;
  config: SandboxConfig;
  sandboxID: string;
  outcome: SyncOutcome;
  signal: AbortSignal;
}

export class RuntimeManager {
  readonly #options: RuntimeManagerOptions;
  readonly #crashLoop = new BackOff(CRASH_LOOP_MS, CRASH_LOOP_MS_MAX);

  constructor(options: RuntimeManagerOptions) {
    this.#options = options;
  }

  #retryIn(outcome: SyncOutcome, ms: number): void {
    outcome.retryMs = Math.min(outcome.retryMs ?? ms, Math.max(ms, 1));
  }

  async #restartCount(sync: Sync, container: Container): Promise<number> {
    const last = latestRun(sync.status, container.name);
    if (last !== undefined) return last.restartCount + 1;
    // The runtime forgot (a reboot): the logs on disk tell how far the numbers got.
    const directory = join(
      podLogsDirectory(this.#options.podLogsDir, sync.pod),
      container.name ?? "",
    );
    const files = await readdir(directory).catch(() => []);
    const numbers = files
      .map((name) => /^(\d+)\.log/.exec(name)?.[1])
      .filter((n) => n !== undefined);
    return numbers.reduce((most, n) => Math.max(most, Number(n) + 1), 0);
  }

  #checkCrashLoop(sync: Sync, container: Container): void {
    const { clock, recorder } = this.#options;
    const { pod, status, outcome } = sync;
    const last = status.containers.find((c) => c.name === container.name && c.state === "exited");
    if (last === undefined) return;
    const key = `${podUID(pod)}_${container.name}_${last.hash}`;
    const nowMs = clock.now();
    const waitMs = this.#crashLoop.remainingSince(key, last.finishedAtMs, nowMs);
    if (waitMs === 0) {
      this.#crashLoop.next(key, last.finishedAtMs, nowMs);
      return;
    }
    const where = `container ${container.name} in pod ${formatPod(pod)}`;
    const about = containerReference(pod, container.name ?? "");
    recorder.event(about, "Warning", "BackOff", `Back-off restarting failed ${where}`);
    this.#retryIn(outcome, waitMs);
    throw new StartError(
      "CrashLoopBackOff",
      `back-off ${formatDuration(this.#crashLoop.get(key))} restarting failed container=${container.name} pod=${formatPod(pod)}`,
    );
  }

  #failed(pod: Pod, name: string, text: string): void {
    const about = containerReference(pod, name);
    this.#options.recorder.event(about, "Warning", "Failed", `Error: ${text}`);
  }

  async #create(sync: Sync, container: Container, targetID: string): Promise<string> {
    const { images, maker, runtime, recorder } = this.#options;
    const { pod, sandboxID, config } = sync;
    const name = container.name ?? "";
    const image = await images
      .ensure({
        pod,
        containerName: name,
        image: container.image ?? "",
        policy: container.imagePullPolicy ?? "IfNotPresent",
        sandboxConfig: config,
        signal: sync.signal,
      })
      .catch((error) => {
        if (error instanceof ImageError) {
          this.#failed(pod, name, error.reason);
          this.#retryIn(sync.outcome, images.retryMs(pod, container.image ?? ""));
        }
        throw error;
      });
    const restartCount = await this.#restartCount(sync, container);
    let made: Awaited<ReturnType<ContainerMaker["make"]>>;
    try {
      made = await maker.make(sync.context, container, { image, restartCount, targetID });
    } catch (error) {
      this.#failed(pod, name, rpcDetails(error));
      throw new StartError("CreateContainerConfigError", rpcDetails(error));
    }
    const logs = join(config.logDirectory, name);
    await mkdir(logs, { recursive: true, mode: 0o755 });
    try {
      const { containerId } = await runtime.createContainer({
        podSandboxId: sandboxID,
        config: made,
        sandboxConfig: config,
      });
      recorder.event(containerReference(pod, name), "Normal", "Created", "Container created");
      return containerId;
    } catch (error) {
      this.#failed(pod, name, rpcDetails(error));
      throw new StartError("CreateContainerError", rpcDetails(error));
    }
  }

  async #postStart(sync: Sync, container: Container, id: string): Promise<void> {
    const { hooks, recorder, killer, cache, log } = this.#options;
    const handler = container.lifecycle?.postStart;
    if (handler === undefined) return;
    try {
      await hooks.run(sync.pod, container, id, handler);
    } catch (error) {
      log.warn({ pod: podKey(sync.pod), err: String(error) }, "PostStart hook failed");
      const about = containerReference(sync.pod, container.name ?? "");
      recorder.event(about, "Warning", "FailedPostStartHook", "PostStartHook failed");
      const run = (await cache.refresh(podUID(sync.pod))).containers.find((c) => c.id === id);
      if (run !== undefined) {
        const reason = "FailedPostStartHook";
        await killer.kill({ pod: sync.pod, run, message: reason, reason });
      }
      throw new StartError("PostStartHookError", (error as Error).message);
    }
  }

  async #startContainer(sync: Sync, container: Container): Promise<void> {
    const { runtime, recorder } = this.#options;
    const name = container.name ?? "";
    this.#checkCrashLoop(sync, container);
    sync.outcome.acted = true;
    const target = (container as { targetContainerName?: string }).targetContainerName;
    const targetID = target ? (latestRun(sync.status, target)?.id ?? "") : "";
    const id = await this.#create(sync, container, targetID);
    await this.#removeOldRuns(sync, name);
    try {
      await runtime.startContainer({ containerId: id });
    } catch (error) {
      this.#failed(sync.pod, name, rpcDetails(error));
      throw new StartError("RunContainerError", rpcDetails(error));
    }
    this.#options.ledger.actuate(podUID(sync.pod), name, container.resources ?? {});
    const about = containerReference(sync.pod, name);
    recorder.event(about, "Normal", "Started", "Container started");
    await this.#postStart(sync, container, id);
  }

  /** One ended run is kept for `logs --previous` and lastState; older ones go. */
  async #removeOldRuns(sync: Sync, name: string): Promise<void> {
    const ended = sync.status.containers.filter((c) => c.name === name && c.state !== "running");
    for (const run of ended.slice(1)) {
      await this.#options.runtime.removeContainer({ containerId: run.id }).catch(() => {});
    }
  }

  /** Answers false when it could not be started. */
  async #start(sync: Sync, container: Container): Promise<boolean> {
    const name = container.name ?? "";
    try {
      sync.signal.throwIfAborted();
      await this.#startContainer(sync, container);
      sync.outcome.failures.set(name, undefined);
      return true;
    } catch (error) {
      if (sync.signal.aborted) throw error;
      const known = error instanceof StartError || error instanceof ImageError;
      const reason = known ? error.reason : "CreateContainerError";
      const message = known ? error.message : rpcDetails(error);
      sync.outcome.failures.set(name, { reason, message });
      if (sync.outcome.retryMs === undefined) this.#retryIn(sync.outcome, CRASH_LOOP_MS);
      return false;
    }
  }

  /** Answers false when the pod has no sandbox and can't have one now. */
  async #createSandbox(sync: Sync): Promise<boolean> {
    const { runtime, recorder, log, podLogsDir, maker } = this.#options;
    const { pod, config, outcome, context } = sync;
    outcome.acted = true;
    await mkdir(podLogsDirectory(podLogsDir, pod), { recursive: true, mode: 0o755 });
    try {
      const runtimeHandler = await maker.runtimeHandler(pod);
      const { podSandboxId } = await runtime.runPodSandbox({ config, runtimeHandler });
      sync.sandboxID = podSandboxId;
      const { status } = await runtime.podSandboxStatus({ podSandboxId });
      const network = status?.network;
      const extra = (network?.additionalIps ?? []).map((entry) => entry.ip);
      if (!isHostNetwork(pod)) {
        context.podIPs = [network?.ip ?? "", ...extra].filter((ip) => ip !== "");
      }
      return true;
    } catch (error) {
      if (sync.signal.aborted) throw error;
      const text = describeRpcError(error);
      log.warn({ pod: podKey(pod), err: text }, "sandbox could not be made");
      const message = `Failed to create pod sandbox: ${text}`;
      recorder.event(podReference(pod), "Warning", "FailedCreatePodSandBox", message);
      this.#retryIn(outcome, CRASH_LOOP_MS);
      return false;
    }
  }

  async #killUnwanted(sync: Sync, actions: PodActions): Promise<void> {
    const { killer, runtime } = this.#options;
    const { pod, status, outcome } = sync;
    if (actions.killPod) {
      const alive =
        status.sandboxes.some((s) => s.ready) ||
        status.containers.some((c) => c.state === "running");
      if (alive || status.sandboxes.length > 0) await killer.killPod(pod, status);
      if (alive) outcome.acted = true;
      if (!actions.createSandbox) return;
      const inits = new Set(initContainersOf(pod.spec).map((c) => c.name));
      for (const run of status.containers.filter((c) => inits.has(c.name))) {
        await runtime.removeContainer({ containerId: run.id }).catch((error) => {
          if (!isNotFound(error)) throw error;
        });
      }
      return;
    }
    for (const { id, message, reason } of actions.containersToKill) {
      const run = status.containers.find((c) => c.id === id);
      if (run === undefined) continue;
      outcome.acted = true;
      await killer.kill({ pod, run, message, reason });
    }
  }

  async #startAll(sync: Sync, actions: PodActions): Promise<void> {
    const { pod } = sync;
    for (const index of actions.ephemeralToStart) {
      await this.#start(sync, ephemeralContainersOf(pod.spec)[index]!);
    }
    for (const index of actions.initToStart) {
      const container = initContainersOf(pod.spec)[index]!;
      const started = await this.#start(sync, container);
      if (!started && !isSidecar(container)) return;
    }
    if (isResize(actions.resize)) {
      sync.outcome.acted = true;
      const done = await this.#options.resizer.apply(pod, actions.resize);
      if (!done) this.#retryIn(sync.outcome, RESIZE_RETRY_MS);
    }
    for (const index of actions.containersToStart) {
      await this.#start(sync, containersOf(pod.spec)[index]!);
    }
  }

  /** @hop kubelet.sync: brings a pod's sandbox and containers to what its spec says. */
  async sync(
    pod: Pod,
    status: PodRuntimeStatus,
    context: PodContext,
    signal: AbortSignal,
    onSandbox: () => Promise<void>,
  ): Promise<SyncOutcome> {
    const { probes, maker, recorder, ledger } = this.#options;
    const actions = computePodActions(pod, status, probes, ledger.actuated(podUID(pod)));
    const outcome: SyncOutcome = { failures: new Map(), retryMs: undefined, acted: false };
    if (actions.createSandbox && actions.sandboxID !== "") {
      recorder.event(
        podReference(pod),
        "Normal",
        "SandboxChanged",
        "Pod sandbox changed, it will be killed and re-created.",
      );
    }
    context.podIPs = isHostNetwork(pod) ? [...this.#options.hostIPs] : runtimeIPs(status);
    const config = maker.sandboxConfig(context, actions.attempt);
    const sandboxID = actions.sandboxID;
    const sync: Sync = { pod, status, context, config, sandboxID, outcome, signal };
    await this.#killUnwanted(sync, actions);
    if (actions.killPod && !actions.createSandbox) return outcome;
    if (actions.createSandbox) {
      if (!(await this.#createSandbox(sync))) return outcome;
      void onSandbox();
    }
    await this.#startAll(sync, actions);
    return outcome;
  }

  forget(uid: string): void {
    this.#crashLoop.forget((key) => key.startsWith(`${uid}_`));
  }
}
