/**
 * One worker per pod: its steps run one after another, the newest wish wins, pods don't wait for
 * each other.
 *
 *   syncing ── deleted, ended, evicted ──▶ terminating ── containers gone ──▶ terminated
 *
 * A worker never goes back. A wish to end interrupts what a sync is waiting for.
 * Source  pkg/kubelet/pod_workers.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import type { Clock, Log, TimerHandle } from "@nanokube/machinery";
import { isTerminalPhase, podKey, podUID } from "../core/pod.ts";
import { asksForWork } from "../core/pod-change.ts";
import type { Eviction } from "../core/pod-status.ts";

export type WorkerPhase = "syncing" | "terminating" | "terminated";

export interface PodSteps {
  /** Brings the pod to its spec. `terminal`: it has ended by itself. */
  sync(pod: Pod, signal: AbortSignal): Promise<{ terminal: boolean; retryMs?: number | undefined }>;
  /** Ends the pod's containers within the grace; rejects when one could not be ended. */
  terminate(pod: Pod, why: Termination, signal: AbortSignal): Promise<void>;
  /** Takes everything else of the pod off the node. */
  cleanUp(pod: Pod): Promise<void>;
}

export interface Termination {
  graceSeconds: number | undefined;
  eviction: Eviction | undefined;
}

interface Worker {
  pod: Pod;
  phase: WorkerPhase;
  termination: Termination;
  /** The API server's object is gone: nothing is left to write to. */
  orphaned: boolean;
  running: boolean;
  again: boolean;
  abort: AbortController;
  timer: TimerHandle | undefined;
  failures: number;
  finished: { promise: Promise<void>; resolve: () => void };
}

export interface PodWorkersOptions {
  steps: PodSteps;
  clock: Clock;
  log: Log;
  /** Does the runtime still run something of the pod? */
  hasRunningContainers(uid: string): boolean;
  /** The worker has done all and is forgotten. */
  onGone(pod: Pod): void;
}

const RETRY_MS = 1000;
const RETRY_MS_MAX = 60_000;

const graceOf = (pod: Pod): number | undefined =>
  pod.metadata?.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds;

export class PodWorkers {
  readonly #options: PodWorkersOptions;
  readonly #workers = new Map<string, Worker>();

  constructor(options: PodWorkersOptions) {
    this.#options = options;
  }

  phase(uid: string): WorkerPhase | undefined {
    return this.#workers.get(uid)?.phase;
  }

  pod(uid: string): Pod | undefined {
    return this.#workers.get(uid)?.pod;
  }

  uids(): string[] {
    return [...this.#workers.keys()];
  }

  /** A pod that is to run here, or its newest version. */
  update(pod: Pod): void {
    const uid = podUID(pod);
    let worker = this.#workers.get(uid);
    if (worker === undefined) {
      worker = {
        pod,
        phase: "syncing",
        termination: { graceSeconds: undefined, eviction: undefined },
        orphaned: false,
        running: false,
        again: false,
        abort: new AbortController(),
        timer: undefined,
        failures: 0,
        finished: Promise.withResolvers<void>(),
      };
      // It ended under an earlier kubelet: its status is final, the rest is to be cleared away.
      const over = isTerminalPhase(pod.status?.phase) && !this.#options.hasRunningContainers(uid);
      if (over) worker.phase = "terminated";
      this.#workers.set(uid, worker);
    }
    const fresh = worker.pod === pod;
    const work = fresh || asksForWork(worker.pod, pod);
    worker.pod = pod;
    const ending =
      pod.metadata?.deletionTimestamp !== undefined || isTerminalPhase(pod.status?.phase);
    if (ending) this.#end(worker, { graceSeconds: graceOf(pod), eviction: undefined });
    if (work) this.kick(uid);
  }

  /** The pod must go: its object is gone, or the node decided so. */
  terminate(uid: string, why: Partial<Termination> & { orphaned?: boolean } = {}): void {
    const worker = this.#workers.get(uid);
    if (worker === undefined) return;
    if (why.orphaned === true) worker.orphaned = true;
    const graceSeconds = why.graceSeconds ?? graceOf(worker.pod);
    this.#end(worker, { graceSeconds, eviction: why.eviction });
    this.kick(uid);
  }

  #end(worker: Worker, why: Termination): void {
    const before = worker.termination;
    const eviction = before.eviction ?? why.eviction;
    if (worker.phase === "syncing") {
      worker.phase = "terminating";
      worker.termination = { ...why, eviction };
      worker.abort.abort(new Error("pod is terminating"));
      return;
    }
    // A shorter grace counts at once, a longer one never.
    const shorter =
      why.graceSeconds !== undefined &&
      (before.graceSeconds === undefined || why.graceSeconds < before.graceSeconds);
    if (!shorter || worker.phase === "terminated") return;
    worker.termination = { graceSeconds: why.graceSeconds, eviction };
    worker.abort.abort(new Error("grace period was shortened"));
  }

  /** Look at the pod again, now. */
  kick(uid: string): void {
    const worker = this.#workers.get(uid);
    if (worker === undefined) return;
    if (worker.running) {
      worker.again = true;
      return;
    }
    void this.#run(uid, worker);
  }

  /** Resolves when the worker has done all there is to do. */
  whenGone(uid: string): Promise<void> {
    return this.#workers.get(uid)?.finished.promise ?? Promise.resolve();
  }

  #clearTimer(worker: Worker): void {
    if (worker.timer !== undefined) this.#options.clock.clearTimeout(worker.timer);
    worker.timer = undefined;
  }

  async #run(uid: string, worker: Worker): Promise<void> {
    worker.running = true;
    this.#clearTimer(worker);
    let retryMs: number | undefined;
    do {
      worker.again = false;
      worker.abort = new AbortController();
      try {
        retryMs = await this.#step(worker);
        worker.failures = 0;
      } catch (error) {
        const interrupted = worker.abort.signal.aborted;
        if (interrupted) worker.again = true;
        else retryMs = this.#failed(worker, error);
      }
    } while (worker.again && !this.#done(worker));
    worker.running = false;
    if (this.#done(worker)) {
      this.#workers.delete(uid);
      worker.finished.resolve();
      this.#options.onGone(worker.pod);
      return;
    }
    if (retryMs !== undefined) {
      worker.timer = this.#options.clock.setTimeout(() => this.kick(uid), retryMs);
    }
  }

  /** Terminated, and its object gone as well. */
  #done(worker: Worker): boolean {
    return worker.phase === "terminated" && worker.orphaned;
  }

  #failed(worker: Worker, error: unknown): number {
    worker.failures += 1;
    const text = error instanceof Error ? error.message : String(error);
    this.#options.log.warn({ pod: podKey(worker.pod), err: text }, "Error syncing pod, skipping");
    return Math.min(RETRY_MS * 2 ** (worker.failures - 1), RETRY_MS_MAX);
  }

  async #step(worker: Worker): Promise<number | undefined> {
    const { steps } = this.#options;
    const { signal } = worker.abort;
    if (worker.phase === "syncing") {
      const { terminal, retryMs } = await steps.sync(worker.pod, signal);
      if (!terminal) return retryMs;
      if (worker.phase === "syncing") {
        worker.phase = "terminating";
        worker.termination = { graceSeconds: graceOf(worker.pod), eviction: undefined };
      }
    }
    if (worker.phase === "terminating") {
      await steps.terminate(worker.pod, worker.termination, worker.abort.signal);
      await steps.cleanUp(worker.pod);
      worker.phase = "terminated";
      return undefined;
    }
    // Terminated: a later wish to delete the object only needs its status finished.
    await steps.cleanUp(worker.pod);
    return undefined;
  }

  stop(): void {
    for (const worker of this.#workers.values()) {
      this.#clearTimer(worker);
      worker.abort.abort(new Error("kubelet stops"));
    }
    this.#workers.clear();
  }
}
