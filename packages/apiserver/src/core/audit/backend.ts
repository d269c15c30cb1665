/**
 * Where audit events go, and what stands in front of it: whether requests wait for it, and whether
 * they fail with it.
 *
 * Shapes  process: whether all of the events were taken; a promise where that is told later
 *         modes "batch" (nobody waits), "blocking" (waits, failures are only told),
 *         "blocking-strict" (a request that cannot be written down at its beginning fails)
 * Source  apiserver pkg/server/options/audit.go, pkg/audit/{types,union}.go
 */
import type { KubeObject } from "@nanokube/machinery";

export interface AuditBackend {
  process(events: readonly KubeObject[]): boolean | Promise<boolean>;
  /** What still waits is sent. */
  close(): Promise<void>;
}

export const auditModes = ["batch", "blocking", "blocking-strict"] as const;
export type AuditMode = (typeof auditModes)[number];

/** Events of this plugin did not arrive. */
export type AuditFailure = (plugin: string, error: string, events: readonly KubeObject[]) => void;

/** Its failures are told, and nobody suffers from them. */
export function ignoringErrors(backend: AuditBackend): AuditBackend {
  return {
    process(events) {
      const done = backend.process(events);
      return typeof done === "boolean" ? true : done.then(() => true);
    },
    close: () => backend.close(),
  };
}

/** All of them get every event, each after the other, as upstream's. */
export function allOf(backends: readonly AuditBackend[]): AuditBackend {
  if (backends.length === 1) return backends[0]!;
  return {
    process(events) {
      const outcomes = backends.map((backend) => backend.process(events));
      if (outcomes.every((done) => typeof done === "boolean")) return outcomes.every(Boolean);
      return Promise.all(outcomes).then((all) => all.every(Boolean));
    },
    async close() {
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
}
