/**
 * /metrics: the numbers of etcd's that this member has, under etcd's names.
 *
 * Source  etcd v3.6 server/etcdserver/metrics.go, server/storage/mvcc/metrics.go
 */
import type { Member } from "./member.ts";
import { serverVersion } from "./version.ts";

interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly value: (member: Member) => number;
  readonly labels?: string;
}

const metrics: readonly Metric[] = [
  {
    name: "etcd_server_has_leader",
    type: "gauge",
    help: "Whether or not a leader exists. 1 is existence, 0 is not.",
    value: () => 1,
  },
  {
    name: "etcd_server_is_leader",
    type: "gauge",
    help: "Whether or not this member is a leader. 1 if is, 0 otherwise.",
    value: () => 1,
  },
  {
    name: "etcd_server_version",
    type: "gauge",
    help: "Which version is running. 1 for 'server_version' label with current version.",
    value: () => 1,
    labels: `{server_version="${serverVersion}"}`,
  },
  {
    name: "etcd_server_proposals_applied_total",
    type: "gauge",
    help: "The total number of consensus proposals applied.",
    value: ({ state }) => state.index,
  },
  {
    name: "etcd_debugging_mvcc_keys_total",
    type: "gauge",
    help: "Total number of keys.",
    value: ({ state }) => state.store.keyCount,
  },
  {
    name: "etcd_debugging_mvcc_current_revision",
    type: "gauge",
    help: "The current revision of store.",
    value: ({ state }) => state.store.revision,
  },
  {
    name: "etcd_debugging_mvcc_compact_revision",
    type: "gauge",
    help: "The revision of the last compaction in store.",
    value: ({ state }) => state.store.compactedRevision,
  },
  {
    name: "etcd_debugging_mvcc_watcher_total",
    type: "gauge",
    help: "Total number of watchers.",
    value: ({ state }) => state.hub.watchCount,
  },
  {
    name: "etcd_mvcc_db_total_size_in_bytes",
    type: "gauge",
    help: "Total size of the underlying database physically allocated in bytes.",
    value: ({ state }) => state.store.sizeBytes,
  },
  {
    name: "etcd_mvcc_db_total_size_in_use_in_bytes",
    type: "gauge",
    help: "Total size of the underlying database logically in use in bytes.",
    value: ({ state }) => state.store.sizeBytes,
  },
  {
    name: "etcd_server_quota_backend_bytes",
    type: "gauge",
    help: "Current backend storage quota size in bytes.",
    value: ({ state }) => state.quotaBytes,
  },
];

export function metricsText(member: Member): string {
  return metrics
    .map(
      ({ name, type, help, value, labels }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}${labels ?? ""} ${value(member)}\n`,
    )
    .join("");
}
