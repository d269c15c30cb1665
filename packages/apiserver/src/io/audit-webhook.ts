/**
 * Audit events sent to another server as an EventList, again and again with growing pauses while
 * it does not take them.
 *
 * Units   five attempts; the first pause is initialBackoffMs, each further one half as long again
 * Source  apiserver plugin/pkg/audit/webhook/webhook.go, pkg/util/webhook/webhook.go
 */
import { type Clock, type KubeObject, type Random, sleep } from "@nanokube/machinery";
import type { AuditBackend, AuditFailure } from "../core/audit/backend.ts";

const attemptsMax = 5;
const growth = 1.5;
const jitter = 0.2;

export interface AuditWebhookOptions {
  send(list: KubeObject): Promise<unknown>;
  initialBackoffMs: number;
  clock: Clock;
  random: Random;
  failed: AuditFailure;
}

export function createAuditWebhook(options: AuditWebhookOptions): AuditBackend {
  const { send, initialBackoffMs, clock, random, failed } = options;
  const deliver = async (items: readonly KubeObject[]): Promise<boolean> => {
    const list = { kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items };
    let pauseMs = initialBackoffMs;
    for (let attempt = 1; ; attempt++) {
      try {
        await send(list);
        return true;
      } catch (error) {
        if (attempt === attemptsMax) {
          failed("webhook", (error as Error).message, items);
          return false;
        }
      }
      await sleep(clock, pauseMs * (1 + jitter * random.next()));
      pauseMs *= growth;
    }
  };
  return { process: deliver, close: async () => undefined };
}
