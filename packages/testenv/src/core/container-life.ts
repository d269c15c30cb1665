/**
 * A scripted container as a function of time: which run is it in, and when does that change?
 *
 * Shapes  script   cri-embedded's Behaviour: ready after so long, ends after so long with that code
 * Units   milliseconds since the epoch; a script's own fields are seconds
 * Source  kubernetes pkg/kubelet/kuberuntime (doBackOff), client-go util/flowcontrol/backoff.go
 */
import type { Behaviour } from "@nanokube/cri-embedded";

export type RestartPolicy = "Always" | "OnFailure" | "Never";

export interface Run {
  startedMs: number;
  /** Absent: runs until it is stopped. */
  endedMs: number | undefined;
  exitCode: number;
}

export type ContainerState =
  | { kind: "running"; run: Run; ready: boolean }
  | { kind: "backing-off"; waitMs: number }
  | { kind: "refused"; message: string }
  | { kind: "ended"; run: Run };

export interface ContainerLife {
  state: ContainerState;
  /** Runs that were begun before the present one. */
  restarts: number;
  lastRun: Run | undefined;
  /** When the state changes next by itself. */
  nextMs: number | undefined;
}

const firstBackOffMs = 10_000;
const longestBackOffMs = 300_000;
/** Who has run this long starts over without waiting. */
const forgivenAfterMs = 2 * longestBackOffMs;

function restartsAfter(policy: RestartPolicy, exitCode: number): boolean {
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

interface LifeOptions {
  script: Behaviour;
  policy: RestartPolicy;
  startMs: number;
  nowMs: number;
}

export function containerLife({ script, policy, startMs, nowMs }: LifeOptions): ContainerLife {
  if (script.failStart !== undefined) {
    const state = { kind: "refused", message: script.failStart } as const;
    return { state, restarts: 0, lastRun: undefined, nextMs: undefined };
  }
  const durationMs =
    script.exitAfterSeconds === undefined ? undefined : script.exitAfterSeconds * 1000;
  let startedMs = startMs;
  let backOffMs = 0;
  let lastRun: Run | undefined;
  for (let restarts = 0; ; restarts++) {
    const endedMs = durationMs === undefined ? undefined : startedMs + durationMs;
    const run = { startedMs, endedMs, exitCode: script.exitCode };
    if (endedMs === undefined || nowMs < endedMs) {
      return { ...running(run, script, nowMs), restarts, lastRun };
    }
    if (!restartsAfter(policy, script.exitCode)) {
      return { state: { kind: "ended", run }, restarts, lastRun, nextMs: undefined };
    }
    if (durationMs! >= forgivenAfterMs) backOffMs = 0;
    lastRun = run;
    startedMs = endedMs + backOffMs;
    if (nowMs < startedMs) {
      const state = { kind: "backing-off", waitMs: backOffMs } as const;
      return { state, restarts, lastRun, nextMs: startedMs };
    }
    backOffMs = Math.min(Math.max(firstBackOffMs, backOffMs * 2), longestBackOffMs);
  }
}

function running(
  run: Run,
  script: Behaviour,
  nowMs: number,
): Pick<ContainerLife, "state" | "nextMs"> {
  const readyMs = run.startedMs + script.readyAfterSeconds * 1000;
  const ready = nowMs >= readyMs;
  return {
    state: { kind: "running", run, ready },
    nextMs: ready ? run.endedMs : nearer(readyMs, run.endedMs),
  };
}

/** The earlier of two times, either of which may never come. */
export function nearer(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
