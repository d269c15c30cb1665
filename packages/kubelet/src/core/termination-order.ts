/**
 * In which order the containers of a pod with sidecars end: main containers first, then the
 * sidecars, the last started first.
 *
 * Shapes  mine   resolves when all that must end before this one have ended
 *         done   this one has ended
 * Source  pkg/kubelet/kuberuntime/kuberuntime_termination_order.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import { containersOf, initContainersOf, isSidecar } from "./pod.ts";

export interface Turn {
  mine: Promise<unknown>;
  done(): void;
}

/** undefined: no sidecars, everything ends at once. */
export function terminationOrder(
  pod: Pod,
  running: readonly string[],
): Map<string, Turn> | undefined {
  const sidecars = initContainersOf(pod.spec).filter(isSidecar);
  if (sidecars.length === 0) return undefined;
  const ended = new Map<string, { promise: Promise<void>; resolve: () => void }>();
  for (const name of running) {
    let resolve = () => {};
    const promise = new Promise<void>((yes) => {
      resolve = yes;
    });
    ended.set(name, { promise, resolve });
  }
  const waitsFor = (names: readonly (string | undefined)[]) =>
    Promise.all(names.map((name) => ended.get(name ?? "")?.promise));
  const main = containersOf(pod.spec).map((container) => container.name);
  const turns = new Map<string, Turn>();
  for (const [name, { resolve }] of ended) {
    const index = sidecars.findIndex((container) => container.name === name);
    const later = index < 0 ? [] : sidecars.slice(index + 1).map((container) => container.name);
    const mine = index < 0 ? Promise.resolve() : waitsFor([...main, ...later]);
    turns.set(name, { mine, done: resolve });
  }
  return turns;
}
