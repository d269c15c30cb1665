/**
 * Flags of the audit: the policy, and where events go.
 *
 * Errors  complaints, one line each, in upstream's words where it has some
 * Source  apiserver pkg/server/options/audit.go
 */
import { readFileSync } from "node:fs";
import { type Clock, type Log, parseYAML, type Random } from "@nanokube/machinery";
import { readAuditPolicy } from "../core/audit/policy.ts";
import { Auditor, type AuditSink } from "../core/audit/trail.ts";
import { createAuditLog, createAuditWebhook } from "./audit-log.ts";
import type { Flags } from "./flags.ts";
import { createReviewWebhook } from "./review-webhook.ts";

const webhookTimeoutMs = 30_000;

export function auditorOf(
  flags: Flags,
  deps: { clock: Clock; random: Random; log: Log },
  complaints: string[],
): Auditor | undefined {
  const one = (name: string): string | undefined => flags.get(name)?.at(-1);
  const sinks: AuditSink[] = [];
  const path = one("audit-log-path");
  const webhook = one("audit-webhook-config-file");
  if (path !== undefined) {
    const maxSizeBytes = Number(one("audit-log-maxsize") ?? "0") * 1024 * 1024;
    const maxBackups = Number(one("audit-log-maxbackup") ?? "0");
    sinks.push(createAuditLog({ path, maxSizeBytes, maxBackups, clock: deps.clock }));
  }
  if (webhook !== undefined) {
    sinks.push(
      createAuditWebhook({ ...deps, send: createReviewWebhook(webhook, webhookTimeoutMs) }),
    );
  }
  const file = one("audit-policy-file");
  // Without a policy nothing is written down, as upstream says in its log.
  if (file === undefined || sinks.length === 0) return undefined;
  try {
    const policy = readAuditPolicy(parseYAML(readFileSync(file, "utf8")), complaints);
    return new Auditor({ ...deps, policy, sinks });
  } catch (error) {
    complaints.push(`loading audit policy file: ${(error as Error).message}`);
    return undefined;
  }
}
