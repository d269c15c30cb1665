/**
 * The scheduler's loop: take the next pod, decide on a snapshot, carry the decision out.
 *
 * Decisions are made one after the other; binding runs beside them, on the assumption that it will
 * succeed, and a failure puts the pod back into the queue.
 *
 * Source  pkg/scheduler/scheduler.go, schedule_one.go, eventhandlers.go
 */
import type { Node, Pod } from "@nanokube/api/core/v1";
import {
  type Client,
  createEventRecorder,
  createInformerFactory,
  csiNodes,
  type EventRecorder,
  type InformerFactory,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type ResourceRef,
  services,
  storageClasses,
} from "@nanokube/client";
import type { Clock, Log, Random, TimerHandle } from "@nanokube/machinery";
import { podKey } from "../core/node-info.ts";
import { defaultPlugins } from "../core/plugins/registry.ts";
import { schedulingGates } from "../core/plugins/scheduling-gates.ts";
import { SchedulingQueue } from "../core/queue.ts";
import { type Decision, schedule } from "../core/schedule.ts";
import type { Profile } from "../core/scheduler-configuration.ts";
import { Binder } from "./binder.ts";
import { ClusterView } from "./cluster-view.ts";

export interface SchedulerDeps {
  client: Client;
  clock: Clock;
  random: Random;
  log: Log;
  /** Pods that name this scheduler are ours. */
  schedulerName?: string;
  /** 0 lets the size of the cluster decide. */
  percentageOfNodesToScore?: number;
  /** In place of the two above: each takes the pods that name it. */
  profiles?: readonly Profile[];
  backoff?: { initialMs: number; maxMs: number };
  /** Informers of the process, when components share them. */
  informers?: InformerFactory;
  /** Told of each decision: for simulations and traces. */
  onDecision?(pod: Pod, decision: Decision): void;
}

export interface Scheduler {
  /** Runs until the signal; resolves once the caches are filled. */
  start(signal: AbortSignal): Promise<void>;
}

export function createScheduler(deps: SchedulerDeps): Scheduler {
  return new SchedulerLoop(deps);
}

interface RunningProfile {
  profile: Profile;
  recorder: EventRecorder;
  binder: Binder;
}

const profilesOf = ({ profiles, schedulerName, percentageOfNodesToScore }: SchedulerDeps) =>
  profiles ?? [
    {
      schedulerName: schedulerName ?? "default-scheduler",
      plugins: defaultPlugins,
      percentageOfNodesToScore: percentageOfNodesToScore ?? 0,
      preempts: true,
    },
  ];

const isFinished = (pod: Pod) =>
  pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

class SchedulerLoop implements Scheduler {
  readonly #deps: SchedulerDeps;
  readonly #profiles = new Map<string, RunningProfile>();
  readonly #informers: InformerFactory;
  readonly #view: ClusterView;
  readonly #queue: SchedulingQueue;
  #signal = new AbortController().signal;
  #timer: TimerHandle | undefined;
  #turnPlanned = false;
  #start = 0;

  constructor(deps: SchedulerDeps) {
    const { client, clock, random, log } = deps;
    this.#deps = deps;
    const isGated = (pod: Pod) => schedulingGates.preEnqueue!(pod) !== undefined;
    this.#queue = new SchedulingQueue(isGated, deps.backoff);
    this.#informers = deps.informers ?? createInformerFactory({ client, clock, random, log });
    this.#view = new ClusterView(this.#informers);
    for (const profile of profilesOf(deps)) {
      const component = profile.schedulerName;
      const recorder = createEventRecorder({ client, component, clock, random, log });
      const claim = (namespace: string, name: string) => this.#claims().get(namespace, name);
      const binder = new Binder({ client, clock, recorder, claim });
      this.#profiles.set(component, { profile, recorder, binder });
    }
  }

  /** Who schedules the pod; undefined: somebody else does. */
  #runnerOf(pod: Pod): RunningProfile | undefined {
    return this.#profiles.get(pod.spec?.schedulerName ?? "default-scheduler");
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#watchNodes();
    this.#watchPods();
    const mayHelp = [persistentVolumes, persistentVolumeClaims, storageClasses, csiNodes, services];
    for (const ref of mayHelp) {
      const moved = () => this.#moveAll();
      this.#informers.for(ref as ResourceRef).onEvent({ add: moved, update: moved });
    }
    signal.addEventListener("abort", () => this.#stopTimer(), { once: true });
    this.#informers.start(signal);
    await this.#informers.waitForSync();
    this.#wake();
  }

  #claims() {
    return this.#informers.for(persistentVolumeClaims).indexer;
  }

  #watchNodes(): void {
    this.#informers.for(nodes).onEvent({
      add: (node) => this.#nodeChanged(node),
      update: (old, node) => {
        this.#view.setNode(node);
        // A heartbeat changes nothing that a pod could wait for.
        if (schedulingRelevant(old) !== schedulingRelevant(node)) this.#moveAll();
      },
      delete: (node) => this.#view.deleteNode(node.metadata?.name ?? ""),
    });
  }

  #nodeChanged(node: Node): void {
    this.#view.setNode(node);
    this.#moveAll();
  }

  #watchPods(): void {
    this.#informers.for(pods).onEvent({
      add: (pod) => this.#podChanged(pod),
      update: (old, pod) => this.#podChanged(pod, old),
      delete: (pod) => {
        this.#queue.delete(pod);
        if (!pod.spec?.nodeName) return;
        this.#view.deletePod(pod);
        this.#moveAll();
      },
    });
  }

  #podChanged(pod: Pod, old?: Pod): void {
    if (pod.spec?.nodeName) {
      this.#queue.delete(pod);
      const wasFinished = old === undefined || isFinished(old);
      this.#view.setPod(pod);
      // Bound pods can be somebody's affinity, finished ones leave room.
      if (!old?.spec?.nodeName || (isFinished(pod) && !wasFinished)) this.#moveAll();
      return;
    }
    if (this.#runnerOf(pod) === undefined || isFinished(pod)) return;
    if (this.#view.isAssumed(pod)) return;
    this.#queue.addOrUpdate(pod, this.#deps.clock.now());
    const gate = schedulingGates.preEnqueue!(pod);
    if (gate !== undefined)
      this.#reportGated(pod, "Scheduling is blocked due to non-empty scheduling gates");
    this.#wake();
  }

  #reportGated(pod: Pod, message: string): void {
    this.#runnerOf(pod)!
      .binder.reportFailure(pod, "SchedulingGated", message, undefined)
      .catch((err) => this.#deps.log.warn({ pod: podKey(pod), err }, "cannot report gated pod"));
  }

  #moveAll(): void {
    this.#queue.moveAll(this.#deps.clock.now());
    this.#wake();
  }

  /** Plans one turn; many events in a row cause one. */
  #wake(): void {
    if (this.#turnPlanned || this.#signal.aborted) return;
    this.#turnPlanned = true;
    setImmediate(() => {
      this.#turnPlanned = false;
      this.#turn();
    });
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Schedules one pod and lets others have the event loop before the next. */
  #turn(): void {
    if (this.#signal.aborted || !this.#informers.for(pods).hasSynced()) return;
    this.#stopTimer();
    const nowMs = this.#deps.clock.now();
    const next = this.#queue.pop(nowMs);
    if (next !== undefined) {
      this.#scheduleOne(next.pod);
      this.#wake();
      return;
    }
    const readyMs = this.#queue.nextReadyMs();
    if (readyMs === undefined) return;
    this.#timer = this.#deps.clock.setTimeout(() => this.#wake(), Math.max(0, readyMs - nowMs));
  }

  #scheduleOne(pod: Pod): void {
    if (pod.metadata?.deletionTimestamp !== undefined) {
      const text = `skip schedule deleting pod: ${podKey(pod)}`;
      this.#runnerOf(pod)!.recorder.event(pod, "Warning", "FailedScheduling", text);
      this.#queue.delete(pod);
      return;
    }
    const moves = this.#queue.moves;
    const { random, log } = this.#deps;
    const { plugins, preempts, percentageOfNodesToScore } = this.#runnerOf(pod)!.profile;
    const decision = schedule(pod, this.#view.snapshot(), {
      random: () => random.next(),
      start: this.#start,
      percentageOfNodesToScore,
      plugins,
      preempts,
    });
    this.#start = decision.nextStart;
    this.#deps.onDecision?.(pod, decision);
    const object = `pods/${podKey(pod)}`;
    const { resourceVersion } = pod.metadata ?? {};
    if (decision.outcome === "scheduled") {
      const fields = { hop: "scheduler.schedule", object, resourceVersion, node: decision.node };
      log.debug({ ...fields, feasible: decision.feasible, scores: decision.scores }, "hop");
      this.#view.assume(pod, decision.node);
      void this.#bind(pod, decision, moves);
    } else {
      log.debug(
        { hop: "scheduler.schedule", object, resourceVersion, reason: decision.message },
        "hop",
      );
      void this.#fail(pod, decision, moves);
    }
  }

  async #bind(
    pod: Pod,
    decision: Decision & { outcome: "scheduled" },
    moves: number,
  ): Promise<void> {
    const { log } = this.#deps;
    try {
      await this.#runnerOf(pod)!.binder.bind(pod, decision.node, decision.volumes, this.#signal);
      const object = `pods/${podKey(pod)}`;
      log.debug({ hop: "scheduler.bind", object, node: decision.node }, "hop");
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#view.forget(pod);
      const message = error instanceof Error ? error.message : String(error);
      log.warn({ pod: podKey(pod), err: error }, "binding failed");
      this.#runnerOf(pod)!.recorder.event(pod, "Warning", "FailedScheduling", message);
      await this.#report(pod, "SchedulerError", message, undefined);
      this.#queue.requeue(pod, this.#deps.clock.now(), moves, true);
      this.#moveAll();
    }
  }

  async #fail(
    pod: Pod,
    decision: Decision & { outcome: "unschedulable" },
    moves: number,
  ): Promise<void> {
    const { message, preemption } = decision;
    this.#runnerOf(pod)!.recorder.event(pod, "Warning", "FailedScheduling", message);
    await this.#report(pod, "Unschedulable", message, preemption?.node);
    if (preemption !== undefined) {
      const { binder } = this.#runnerOf(pod)!;
      const evictions = preemption.victims.map((v) => binder.evict(pod, v, preemption.node));
      for (const result of await Promise.allSettled(evictions)) {
        if (result.status === "rejected") {
          this.#deps.log.warn({ pod: podKey(pod), err: result.reason }, "eviction failed");
        }
      }
    }
    this.#queue.requeue(pod, this.#deps.clock.now(), moves);
    this.#wake();
  }

  async #report(
    pod: Pod,
    reason: "Unschedulable" | "SchedulerError",
    message: string,
    nominatedNodeName: string | undefined,
  ): Promise<void> {
    try {
      await this.#runnerOf(pod)!.binder.reportFailure(pod, reason, message, nominatedNodeName);
    } catch (err) {
      this.#deps.log.warn({ pod: podKey(pod), err }, "cannot report the pod's condition");
    }
  }
}

/** What of a node can let a waiting pod in. */
function schedulingRelevant(node: Node): string {
  const { spec, metadata, status } = node;
  return JSON.stringify([
    spec?.unschedulable,
    spec?.taints,
    metadata?.labels,
    status?.allocatable,
    status?.conditions?.map((c) => [c.type, c.status]),
  ]);
}
