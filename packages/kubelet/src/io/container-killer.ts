/**
 * Ends containers: preStop hook, TERM with grace, the order of sidecars, then the sandbox.
 *
 * Units   grace in seconds; never less than 2, so that a process can see its TERM
 * Source  pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer,
 *         kuberuntime_termination_order.go
 */
import type { Container, Pod } from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import { type Clock, type Log, sleep } from "@nanokube/machinery";
import { containerReference, findContainer, formatPod } from "../core/pod.ts";
import type { KillReason } from "../core/pod-actions.ts";
import type { PodRuntimeStatus, RuntimeContainer } from "../core/runtime-status.ts";
import { type Turn, terminationOrder } from "../core/termination-order.ts";
import { describeRpcError, isNotFound, type RuntimeClient } from "./cri-runtime.ts";
import type { HookRunner } from "./lifecycle-hooks.ts";

const MINIMUM_GRACE_SECONDS = 2;

export interface KillRequest {
  pod: Pod;
  run: RuntimeContainer;
  message?: string | undefined;
  reason?: KillReason | undefined;
  graceSeconds?: number | undefined;
  turn?: Turn | undefined;
}

export interface ContainerKillerOptions {
  runtime: RuntimeClient;
  hooks: HookRunner;
  recorder: EventRecorder;
  clock: Clock;
  log: Log;
}

function graceOf(pod: Pod, container: Container | undefined, reason: KillReason): number {
  const deletion = pod.metadata?.deletionGracePeriodSeconds;
  if (deletion !== undefined) return deletion;
  const probe =
    reason === "StartupProbe"
      ? container?.startupProbe
      : reason === "LivenessProbe"
        ? container?.livenessProbe
        : undefined;
  const own = probe?.terminationGracePeriodSeconds;
  return own ?? pod.spec?.terminationGracePeriodSeconds ?? MINIMUM_GRACE_SECONDS;
}

export class ContainerKiller {
  readonly #options: ContainerKillerOptions;

  constructor(options: ContainerKillerOptions) {
    this.#options = options;
  }

  /** Runs the hook for as long as the grace lasts; answers the seconds it took. */
  async #preStop(request: KillRequest, container: Container, grace: number): Promise<number> {
    const { hooks, clock, recorder, log } = this.#options;
    const start = clock.monotonic();
    const handler = container.lifecycle?.preStop ?? {};
    const limit = new AbortController();
    const hook = hooks.run(request.pod, container, request.run.id, handler).catch((error) => {
      log.warn({ pod: formatPod(request.pod), err: String(error) }, "PreStop hook failed");
      const about = containerReference(request.pod, request.run.name);
      recorder.event(about, "Warning", "FailedPreStopHook", "PreStopHook failed");
    });
    await Promise.race([hook, sleep(clock, grace * 1000, limit.signal).catch(() => {})]);
    limit.abort();
    return Math.floor((clock.monotonic() - start) / 1000);
  }

  async kill(request: KillRequest): Promise<void> {
    const { runtime, recorder } = this.#options;
    const { pod, run, turn } = request;
    const container = findContainer(pod, run.name);
    const message = request.message || `Stopping container ${run.name}`;
    recorder.event(containerReference(pod, run.name), "Normal", "Killing", message);
    let grace = request.graceSeconds ?? graceOf(pod, container, request.reason ?? "");
    if (container?.lifecycle?.preStop !== undefined && grace > 0) {
      grace -= await this.#preStop(request, container, grace);
    }
    if (turn !== undefined && grace > 0) grace -= await this.#waitForTurn(turn, grace);
    const timeout = Math.max(grace, MINIMUM_GRACE_SECONDS);
    try {
      await runtime.stopContainer({ containerId: run.id, timeout });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    turn?.done();
  }

  async #waitForTurn(turn: Turn, grace: number): Promise<number> {
    const { clock } = this.#options;
    const start = clock.monotonic();
    const limit = new AbortController();
    await Promise.race([turn.mine, sleep(clock, grace * 1000, limit.signal).catch(() => {})]);
    limit.abort();
    return Math.floor((clock.monotonic() - start) / 1000);
  }

  /** Ends all containers and then the sandboxes. Throws when something could not be ended. */
  async killPod(pod: Pod, status: PodRuntimeStatus, graceSeconds?: number): Promise<void> {
    const { runtime } = this.#options;
    const running = status.containers.filter((c) => c.state === "running" || c.state === "unknown");
    const turns = terminationOrder(
      pod,
      running.map((run) => run.name),
    );
    const results = await Promise.allSettled(
      running.map((run) =>
        this.kill({ pod, run, graceSeconds, turn: turns?.get(run.name) }).catch((error) => {
          turns?.get(run.name)?.done();
          throw error;
        }),
      ),
    );
    const failed = results.find((result) => result.status === "rejected");
    for (const sandbox of status.sandboxes) {
      try {
        await runtime.stopPodSandbox({ podSandboxId: sandbox.id });
      } catch (error) {
        if (!isNotFound(error))
          throw new Error(`failed to "KillPodSandbox": ${describeRpcError(error)}`);
      }
    }
    if (failed !== undefined) throw failed.reason;
  }
}
