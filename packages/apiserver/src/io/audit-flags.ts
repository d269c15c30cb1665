/**
 * The names and kinds of the audit's flags.
 *
 * Source  apiserver pkg/server/options/audit.go
 */
import type { FlagKind } from "./flags.ts";

export const auditPlugins = ["log", "webhook"] as const;
export type AuditPlugin = (typeof auditPlugins)[number];

const ofEach: Readonly<Record<string, FlagKind>> = {
  mode: "string",
  version: "string",
  "batch-buffer-size": "int",
  "batch-max-size": "int",
  "batch-max-wait": "string",
  "batch-throttle-enable": "bool",
  "batch-throttle-qps": "string",
  "batch-throttle-burst": "int",
  "truncate-enabled": "bool",
  "truncate-max-batch-size": "int",
  "truncate-max-event-size": "int",
};

export const auditFlagKinds: Readonly<Record<string, FlagKind>> = {
  "audit-policy-file": "string",
  "audit-log-path": "string",
  "audit-log-maxage": "int",
  "audit-log-maxbackup": "int",
  "audit-log-maxsize": "int",
  "audit-log-format": "string",
  "audit-log-compress": "bool",
  "audit-webhook-config-file": "string",
  "audit-webhook-initial-backoff": "string",
  "audit-webhook-batch-initial-backoff": "string",
  ...Object.fromEntries(
    auditPlugins.flatMap((plugin) =>
      Object.entries(ofEach).map(([name, kind]) => [`audit-${plugin}-${name}`, kind]),
    ),
  ),
};
