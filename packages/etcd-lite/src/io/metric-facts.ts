/**
 * What is counted and timed for /metrics: etcd's names, helps and buckets.
 *
 * Absent are the numbers of parts that are not here: bbolt's pages and read transactions, the store
 * of etcd's second version, the gRPC proxy, Go's runtime.
 * Source  etcd v3.6 server/etcdserver/metrics.go, server/etcdserver/txn/metrics.go,
 *         server/storage/{mvcc,wal,backend}/metrics.go, server/lease/metrics.go,
 *         server/etcdserver/api/{snap,v3rpc}/metrics.go
 */
import { doubling } from "../core/histogram.ts";

export const counterFacts = {
  healthSuccess: ["etcd_server_health_success", "The total number of successful health checks"],
  healthFailures: ["etcd_server_health_failures", "The total number of failed health checks"],
  events: ["etcd_debugging_mvcc_events_total", "Total number of events sent by this member."],
  leaseExpired: [
    "etcd_debugging_server_lease_expired_total",
    "The total number of expired leases.",
  ],
  leaseRenewed: [
    "etcd_debugging_lease_renewed_total",
    "The number of renewed leases seen by the leader.",
  ],
  proposalsFailed: [
    "etcd_server_proposals_failed_total",
    "The total number of failed proposals seen.",
  ],
  leaderChanges: ["etcd_server_leader_changes_seen_total", "The number of leader changes seen."],
  learnerPromoted: [
    "etcd_server_learner_promote_successes",
    "The total number of successful learner promotions while this member is leader.",
  ],
  lateHeartbeats: [
    "etcd_server_heartbeat_send_failures_total",
    "The total number of leader heartbeat send failures (likely overloaded from slow disk).",
  ],
  slowApplies: [
    "etcd_server_slow_apply_total",
    "The total number of slow apply requests (likely overloaded from slow disk).",
  ],
} as const;

export type CounterName = keyof typeof counterFacts;

type HistogramFact = readonly [name: string, help: string, bounds: readonly number[]];

const latencies = (of: string) => `The latency distributions of ${of}.`;
const bucketed = (what: string) => `Bucketed histogram of ${what}.`;
const millisecond = doubling(0.001, 14);

export const histogramFacts = {
  walFsync: ["etcd_disk_wal_fsync_duration_seconds", latencies("fsync called by WAL"), millisecond],
  /** A file of the log is open so that a write is a sync: this is its write alone. */
  walWrite: ["etcd_disk_wal_write_duration_seconds", latencies("write called by WAL"), millisecond],
  /** What makes a group of writes last is the log's write of it: there is no other commit. */
  commit: [
    "etcd_disk_backend_commit_duration_seconds",
    latencies("commit called by backend"),
    millisecond,
  ],
  defragment: [
    "etcd_disk_backend_defrag_duration_seconds",
    "The latency distribution of backend defragmentation.",
    doubling(0.1, 13),
  ],
  sendSnapshot: [
    "etcd_disk_backend_snapshot_duration_seconds",
    "The latency distribution of backend snapshots.",
    doubling(0.01, 17),
  ],
  hash: [
    "etcd_mvcc_hash_duration_seconds",
    "The latency distribution of storage hash operation.",
    doubling(0.01, 15),
  ],
  hashRevision: [
    "etcd_mvcc_hash_rev_duration_seconds",
    "The latency distribution of storage hash by revision operation.",
    doubling(0.01, 15),
  ],
  /** Of what this member writes about itself, so that its log can go. */
  saveSnapshot: [
    "etcd_debugging_snap_save_total_duration_seconds",
    "The total latency distributions of save called by snapshot.",
    millisecond,
  ],
  encodeSnapshot: [
    "etcd_debugging_snap_save_marshalling_duration_seconds",
    "The marshalling cost distributions of save called by snapshot.",
    millisecond,
  ],
  syncSnapshot: [
    "etcd_snap_fsync_duration_seconds",
    latencies("fsync called by snap"),
    millisecond,
  ],
  /** Of what came from the leader. */
  saveReceived: [
    "etcd_snap_db_save_total_duration_seconds",
    "The total latency distributions of v3 snapshot save",
    doubling(0.1, 10),
  ],
  syncReceived: [
    "etcd_snap_db_fsync_duration_seconds",
    "The latency distributions of fsyncing .snap.db file",
    millisecond,
  ],
} as const satisfies Record<string, HistogramFact>;

export type HistogramName = keyof typeof histogramFacts;

/** These two are observed in other units than seconds. */
export const otherHistogramFacts = {
  leaseSeconds: ["etcd_debugging_lease_ttl_total", bucketed("lease TTLs"), doubling(1, 24)],
  compactMs: [
    "etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds",
    bucketed("index compaction pause duration"),
    doubling(0.5, 14),
  ],
  tidyPauseMs: [
    "etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds",
    bucketed("db compaction pause duration"),
    doubling(1, 13),
  ],
  tidyMs: [
    "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
    bucketed("db compaction total duration"),
    doubling(100, 14),
  ],
} as const satisfies Record<string, HistogramFact>;

export type OtherHistogramName = keyof typeof otherHistogramFacts;

export const applySeconds = doubling(0.0001, 20);
/** prometheus.DefBuckets: of calls, with --metrics extensive. */
export const callSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
