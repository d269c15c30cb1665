/**
 * Why a pod fits nowhere, in the words that users search for.
 *
 * Shapes  "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. …"
 * Source  pkg/scheduler/framework/types.go FitError
 */
import type { Status } from "./status.ts";

export interface Diagnosis {
  nodesTotal: number;
  /** Each node's own answer. */
  nodes: ReadonlyMap<string, Status>;
  /** The answer of the nodes that were not asked. */
  absent?: Status;
  /** Set when the pod was refused before any node was looked at. */
  preFilter?: string;
  postFilter?: string;
  plugins: ReadonlySet<string>;
}

export const noNodes = "no nodes available to schedule pods";

export function describe(diagnosis: Diagnosis): string {
  let text = `0/${diagnosis.nodesTotal} nodes are available:`;
  if (diagnosis.preFilter !== undefined) {
    text += ` ${diagnosis.preFilter}.`;
  } else {
    const histogram = new Map<string, number>();
    const count = (reason: string, by: number) =>
      histogram.set(reason, (histogram.get(reason) ?? 0) + by);
    for (const status of diagnosis.nodes.values()) {
      for (const reason of status.reasons) count(reason, 1);
    }
    const absent = diagnosis.nodesTotal - diagnosis.nodes.size;
    if (absent > 0) for (const reason of diagnosis.absent?.reasons ?? []) count(reason, absent);
    const lines = [...histogram].map(([reason, times]) => `${times} ${reason}`).sort();
    if (lines.length > 0) text += ` ${lines.join(", ")}.`;
  }
  return diagnosis.postFilter === undefined ? text : `${text} ${diagnosis.postFilter}`;
}
