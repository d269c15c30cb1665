/**
 * Events that are too large lose what was sent and answered; those that are still too large are
 * not written down. Batches are split so that none is larger than the other side takes.
 *
 * Units   bytes of the event's line of JSON
 * Source  apiserver plugin/pkg/audit/truncate/truncate.go
 */
import type { KubeObject } from "@nanokube/machinery";
import type { AuditBackend, AuditFailure } from "./backend.ts";

export interface TruncateSettings {
  maxEventBytes: number;
  maxBatchBytes: number;
}

const encoder = new TextEncoder();

export function truncating(
  backend: AuditBackend,
  { maxEventBytes, maxBatchBytes }: TruncateSettings,
  failed: AuditFailure,
): AuditBackend {
  const fitting = (event: KubeObject): { event: KubeObject; size: number } | undefined => {
    const size = sizeOf(event);
    if (size <= maxEventBytes) return { event, size };
    if (event.level !== "Request" && event.level !== "RequestResponse") return undefined;
    const short = shortened(event);
    const rest = sizeOf(short);
    return rest <= maxEventBytes ? { event: short, size: rest } : undefined;
  };
  return {
    process(events) {
      const tooLarge: KubeObject[] = [];
      const batches: KubeObject[][] = [];
      let batchSize = Number.POSITIVE_INFINITY;
      for (const one of events) {
        const found = fitting(one);
        if (found === undefined) {
          tooLarge.push(one);
          continue;
        }
        if (batchSize + found.size > maxBatchBytes) {
          batches.push([]);
          batchSize = 0;
        }
        batchSize += found.size;
        batches.at(-1)!.push(found.event);
      }
      const outcomes = batches.map((batch) => backend.process(batch));
      if (tooLarge.length > 0) {
        failed("truncate", "event is too large even after truncating", tooLarge);
      }
      if (outcomes.every((done) => typeof done === "boolean")) return outcomes.every(Boolean);
      return Promise.all(outcomes).then((all) => all.every(Boolean));
    },
    close: () => backend.close(),
  };
}

/** As a line: the end of the line counts. */
const sizeOf = (event: KubeObject): number => encoder.encode(JSON.stringify(event)).length + 1;

function shortened(event: KubeObject): KubeObject {
  const { requestObject: _sent, responseObject: _answered, ...rest } = event;
  const annotations = event.annotations as object | undefined;
  return { ...rest, annotations: { ...annotations, "audit.k8s.io/truncated": "true" } };
}
