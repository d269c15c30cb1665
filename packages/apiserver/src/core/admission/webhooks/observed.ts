/** Asks a webhook and counts what came of it. */
import { type Clock, StatusError } from "@nanokube/machinery";
import type { Webhook } from "./match.ts";
import { WebhookFailure } from "./review.ts";
import type { WebhookMetrics, WebhookOutcome } from "./webhook-metrics.ts";

export interface Observation {
  webhook: Webhook;
  type: WebhookOutcome["type"];
  operation: string;
  clock: Clock;
  metrics: WebhookMetrics;
}

export async function observed<T>(
  { webhook, type, operation, clock, metrics }: Observation,
  consult: () => Promise<T>,
): Promise<T> {
  const startedMs = clock.monotonic();
  const name = webhook.name ?? "";
  const note = (outcome: Pick<WebhookOutcome, "code" | "rejected" | "error">): void => {
    const seconds = (clock.monotonic() - startedMs) / 1000;
    metrics.observe({ name, type, operation, seconds, ...outcome });
  };
  try {
    const result = await consult();
    note({ code: 200, rejected: false, error: "no_error" });
    return result;
  } catch (error) {
    if (error instanceof WebhookFailure) {
      const failsOpen = webhook.failurePolicy === "Ignore";
      note({ code: error.code, rejected: !failsOpen, error: "calling_webhook_error" });
      if (failsOpen) metrics.failedOpen(name, type);
    } else {
      const said = error instanceof StatusError ? error.code : 0;
      const why = said === 0 ? "apiserver_internal_error" : "no_error";
      note({ code: said, rejected: true, error: why });
    }
    throw error;
  }
}
