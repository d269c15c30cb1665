/**
 * The points at which plugins take part in a scheduling cycle.
 *
 * A plugin is an object of pure functions. What it works out once for a pod (`preFilter`,
 * `preScore`) it keeps in the cycle under its own name.
 *
 * Units   scores from 0 to 100 after normalisation
 * Source  staging/src/k8s.io/kube-scheduler/framework/interface.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import type { NodeInfo, PodInfo } from "./node-info.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Status } from "./status.ts";

export const scoreMax = 100;

export interface Cycle {
  pod: Pod;
  info: PodInfo;
  snapshot: Snapshot;
  /** What plugins keep between points of one cycle, by plugin name. */
  state: Map<string, unknown>;
}

export interface PreFilterResult {
  status?: Status;
  /** Only these nodes can do, when given. */
  nodeNames?: ReadonlySet<string>;
}

export interface Plugin {
  name: string;
  weight?: number;
  preEnqueue?(pod: Pod): Status | undefined;
  preFilter?(cycle: Cycle): PreFilterResult | undefined;
  filter?(cycle: Cycle, node: NodeInfo): Status | undefined;
  /** Keeps preFilter state true while preemption tries the node without (or with) a pod. */
  removePod?(cycle: Cycle, pod: PodInfo, node: NodeInfo): void;
  addPod?(cycle: Cycle, pod: PodInfo, node: NodeInfo): void;
  /** `skip` leaves the plugin out of scoring. */
  preScore?(cycle: Cycle, nodes: readonly NodeInfo[]): Status | undefined;
  score?(cycle: Cycle, node: NodeInfo): number;
  /** Brings raw scores, in the order of `nodes`, to 0 … 100 in place. */
  normalize?(cycle: Cycle, nodes: readonly NodeInfo[], scores: number[]): void;
}

/** Scales so that the largest score becomes 100 (or 0, when less is better). */
export function normalizeByMax(scores: number[], reverse: boolean): void {
  let max = 0;
  for (const score of scores) max = Math.max(max, score);
  for (let i = 0; i < scores.length; i += 1) {
    if (max === 0) {
      scores[i] = reverse ? scoreMax : 0;
      continue;
    }
    const scaled = Math.trunc((scoreMax * scores[i]!) / max);
    scores[i] = reverse ? scoreMax - scaled : scaled;
  }
}
