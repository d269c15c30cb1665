/**
 * How long each entry of the log takes to be applied, under the names that etcd gives its requests.
 *
 * Source  etcd v3.6 server/etcdserver/apply/uber_applier.go dispatch, server/etcdserver/txn/util.go
 */
import type { Clock, Log } from "@nanokube/machinery";
import type { Entry, PlainKind } from "../core/entry.ts";
import { EtcdError } from "../core/errors.ts";
import type { ApplyTiming } from "../core/replica.ts";
import type { MetricsRegistry } from "./metrics.ts";

export interface ApplyTimesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  /** From here on it is told of; 100. */
  readonly warnAfterMs: number;
}

const operations = {
  put: "Put",
  deleteRange: "DeleteRange",
  txn: "Txn",
  compact: "Compaction",
  leaseGrant: "LeaseGrant",
  leaseRevoke: "LeaseRevoke",
  leaseCheckpoint: "LeaseCheckpoint",
  alarm: "Alarm",
  memberAttributes: "ClusterMemberAttrSet",
  clusterVersion: "ClusterVersionSet",
  downgradeInfo: "DowngradeInfoSet",
} as const satisfies Partial<Record<PlainKind, string>>;

/** What is no request in etcd's log has no name: undefined. */
function operationOf(kind: PlainKind): string | undefined {
  const known = (operations as Partial<Record<PlainKind, string>>)[kind];
  if (known !== undefined || kind === "memberChange") return known;
  const name = kind[0]!.toUpperCase() + kind.slice(1);
  return /^(User|Role)/.test(name) ? `Auth${name}` : name;
}

export function createApplyTimes(options: ApplyTimesOptions): ApplyTiming {
  const { clock, metrics } = options;
  return {
    now: () => clock.monotonic(),
    applied(entry: Entry, error: unknown, sinceMs: number) {
      const tookMs = clock.monotonic() - sinceMs;
      const { kind } = entry.kind === "as" ? entry.entry : entry;
      const operation = operationOf(kind);
      if (operation === undefined) return;
      const isDone =
        error === undefined || (error instanceof EtcdError && error.kind === "Compacted");
      metrics.applied(operation, isDone, tookMs);
      if (kind === "compact" && error === undefined) metrics.observeOther("compactMs", tookMs);
      if (tookMs > options.warnAfterMs) warnOfSlowness(options, operation, tookMs);
    },
  };
}

/** Writes and reads alike. */
export function warnOfSlowness(
  { log, metrics, warnAfterMs }: Omit<ApplyTimesOptions, "clock">,
  operation: string,
  tookMs: number,
): void {
  metrics.count("slowApplies");
  log.warn(
    { took: `${tookMs.toFixed(3)}ms`, "expected-duration": `${warnAfterMs}ms`, operation },
    "apply request took too long",
  );
}
