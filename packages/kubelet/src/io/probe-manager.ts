/**
 * One worker per container and kind of probe; their verdicts for whoever asks.
 *
 * A verdict that changes is told at once (`onChange`), so that a pod becomes Ready when its probe
 * says so and not a period later.
 * Source  pkg/kubelet/prober/prober_manager.go, worker.go
 */
import type { Container, ContainerStatus, Pod, PodStatus, Probe } from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import type { Clock, Log, Random, TimerHandle } from "@nanokube/machinery";
import {
  containerReference,
  containersOf,
  formatPod,
  initContainersOf,
  isSidecar,
  podUID,
} from "../core/pod.ts";
import type { ProbeResults, ProbeVerdict } from "../core/pod-actions.ts";
import type { ReadinessView } from "../core/pod-status.ts";
import {
  enterProbeResult,
  newProbeState,
  nextProbeStep,
  type ProbeKind,
  type ProbeState,
} from "../core/probe-state.ts";
import { parseTime } from "../core/time.ts";
import type { Prober } from "./prober.ts";

const KINDS: readonly ProbeKind[] = ["startup", "liveness", "readiness"];
/** A probe that could not be run at all is tried that often. */
const TRIES = 3;
/** A container older than the kubelet by that much was running before it started. */
const RESTART_SLACK_MS = 10_000;

interface Worker {
  kind: ProbeKind;
  probe: Probe;
  container: Container;
  state: ProbeState;
  timer: TimerHandle | undefined;
  stopped: boolean;
  busy: boolean;
}

export interface ProbeManagerOptions {
  prober: Prober;
  recorder: EventRecorder;
  clock: Clock;
  random: Random;
  log: Log;
  /** The pod as last seen and the status last written for it. */
  podWithStatus(uid: string): { pod: Pod; status: PodStatus } | undefined;
  onChange(uid: string): void;
}

const probeOf = (container: Container, kind: ProbeKind): Probe | undefined =>
  container[`${kind}Probe`];

export class ProbeManager implements ProbeResults {
  readonly #options: ProbeManagerOptions;
  readonly #pods = new Map<string, Map<string, Worker>>();
  readonly #startMs: number;

  constructor(options: ProbeManagerOptions) {
    this.#options = options;
    this.#startMs = options.clock.now();
  }

  add(pod: Pod): void {
    const uid = podUID(pod);
    const workers = this.#pods.get(uid) ?? new Map<string, Worker>();
    this.#pods.set(uid, workers);
    const sidecars = initContainersOf(pod.spec).filter(isSidecar);
    for (const container of [...sidecars, ...containersOf(pod.spec)]) {
      for (const kind of KINDS) {
        const probe = probeOf(container, kind);
        const key = `${container.name}/${kind}`;
        if (probe === undefined || workers.has(key)) continue;
        const worker: Worker = {
          kind,
          probe,
          container,
          state: newProbeState(),
          timer: undefined,
          stopped: false,
          busy: false,
        };
        workers.set(key, worker);
        this.#schedule(uid, worker, this.#firstDelayMs(probe));
      }
    }
  }

  /** After a restart of the kubelet all probes at once would be a stampede. */
  #firstDelayMs(probe: Probe): number {
    const { clock, random } = this.#options;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    return periodMs > clock.now() - this.#startMs ? random.next() * Math.min(periodMs, 1000) : 0;
  }

  #schedule(uid: string, worker: Worker, delayMs: number): void {
    const { clock } = this.#options;
    if (worker.timer !== undefined) clock.clearTimeout(worker.timer);
    if (worker.stopped) return;
    worker.timer = clock.setTimeout(() => void this.#tick(uid, worker), delayMs);
  }

  async #tick(uid: string, worker: Worker): Promise<void> {
    if (worker.busy || worker.stopped) return;
    worker.busy = true;
    const { clock } = this.#options;
    const started = clock.monotonic();
    try {
      const keepGoing = await this.#probeOnce(uid, worker);
      if (!keepGoing) {
        this.#stop(worker);
        return;
      }
    } finally {
      worker.busy = false;
    }
    const periodMs = (worker.probe.periodSeconds ?? 10) * 1000;
    this.#schedule(uid, worker, Math.max(0, periodMs - (clock.monotonic() - started)));
  }

  async #probeOnce(uid: string, worker: Worker): Promise<boolean> {
    const { clock, onChange } = this.#options;
    const known = this.#options.podWithStatus(uid);
    if (known === undefined) return true;
    const pod: Pod = { ...known.pod, status: known.status };
    const subject = { kind: worker.kind, probe: worker.probe, pod, container: worker.container };
    const before = worker.state.verdict;
    const restartedMs = this.#startMs - RESTART_SLACK_MS;
    const step = nextProbeStep(subject, worker.state, clock.now(), restartedMs);
    if (step !== "run") {
      if (worker.state.verdict !== before) onChange(uid);
      return step !== "stop";
    }
    const { containerID } = worker.state;
    const result = await this.#run(pod, worker, containerID);
    if (result === undefined || worker.state.containerID !== containerID) return true;
    if (enterProbeResult(subject, worker.state, result)) onChange(uid);
    return true;
  }

  /** undefined: the probe could not be run, which says nothing about the container. */
  async #run(pod: Pod, worker: Worker, containerID: string) {
    const { prober, recorder, log } = this.#options;
    const { kind, probe, container } = worker;
    const id = containerID.replace(/^[^:]*:\/\//, "");
    const about = containerReference(pod, container.name ?? "");
    const name = kind[0]!.toUpperCase() + kind.slice(1);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const podIP = pod.status?.podIP ?? "";
        const { result, output } = await prober.probe(probe, pod, container, id, podIP);
        if (worker.stopped) return undefined;
        if (result === "warning") {
          recorder.event(about, "Warning", "ProbeWarning", `${name} probe warning: ${output}`);
        } else if (result === "failure") {
          recorder.event(about, "Warning", "Unhealthy", `${name} probe failed: ${output}`);
          log.info(
            { pod: formatPod(pod), container: container.name, kind, output },
            "probe failed",
          );
        }
        return result === "failure" ? ("failure" as const) : ("success" as const);
      } catch (error) {
        if (worker.stopped) return undefined;
        if (attempt < TRIES) continue;
        const text = error instanceof Error ? error.message : String(error);
        const message = `${name} probe errored and resulted in unknown state: ${text}`;
        recorder.event(about, "Warning", "Unhealthy", message);
        return undefined;
      }
    }
  }

  #stop(worker: Worker): void {
    worker.stopped = true;
    if (worker.timer !== undefined) this.#options.clock.clearTimeout(worker.timer);
  }

  /** The pod is ending: it may be unready, but not be restarted. */
  stopLivenessAndStartup(uid: string): void {
    for (const worker of this.#pods.get(uid)?.values() ?? []) {
      if (worker.kind !== "readiness") this.#stop(worker);
    }
  }

  remove(uid: string): void {
    for (const worker of this.#pods.get(uid)?.values() ?? []) this.#stop(worker);
    this.#pods.delete(uid);
  }

  stopAll(): void {
    for (const uid of [...this.#pods.keys()]) this.remove(uid);
  }

  #verdict(kind: ProbeKind, containerID: string): ProbeVerdict | undefined {
    for (const workers of this.#pods.values()) {
      for (const worker of workers.values()) {
        const id = worker.state.containerID.replace(/^[^:]*:\/\//, "");
        if (worker.kind === kind && id === containerID) return worker.state.verdict;
      }
    }
    return undefined;
  }

  liveness(containerID: string): ProbeVerdict | undefined {
    return this.#verdict("liveness", containerID);
  }

  startup(containerID: string): ProbeVerdict | undefined {
    return this.#verdict("startup", containerID);
  }

  /** A container that ran before this kubelet did keeps what the API server says of it. */
  #ranBefore(status: ContainerStatus): boolean {
    const startedMs = parseTime(status.state?.running?.startedAt);
    return startedMs > 0 && startedMs < this.#startMs - RESTART_SLACK_MS;
  }

  /** How a pod's containers stand with their probes. */
  view(pod: Pod): ReadinessView {
    const workers = this.#pods.get(podUID(pod));
    const has = (name: string, kind: ProbeKind): boolean =>
      [...containersOf(pod.spec), ...initContainersOf(pod.spec)].some(
        (container) => container.name === name && probeOf(container, kind) !== undefined,
      );
    const stateOf = (name: string, kind: ProbeKind, status: ContainerStatus) => {
      const worker = workers?.get(`${name}/${kind}`);
      return worker?.state.containerID === status.containerID ? worker : undefined;
    };
    const wasReady = (name: string) =>
      pod.status?.containerStatuses?.find((c) => c.name === name)?.ready === true;
    return {
      started: (name, status) => {
        const verdict = stateOf(name, "startup", status)?.state.verdict;
        if (verdict !== undefined) return verdict === "success";
        return status.started === true || !has(name, "startup");
      },
      ready: (name, status) => {
        const worker = stateOf(name, "readiness", status);
        if (worker?.state.verdict === "success") return true;
        if (!has(name, "readiness")) return true;
        const waiting = workers?.get(`${name}/readiness`);
        // The container has just started: don't let it wait for the next tick.
        if (waiting !== undefined && !waiting.busy)
          this.#schedule(podUID(pod), waiting, this.#soon(waiting));
        const undecided = worker?.state.verdict === undefined;
        return undecided && this.#ranBefore(status) && wasReady(name);
      },
    };
  }

  #soon(worker: Worker): number {
    const fresh = worker.state.run === 0;
    return fresh ? 0 : (worker.probe.periodSeconds ?? 10) * 1000;
  }
}
