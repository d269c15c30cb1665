/**
 * /metrics as text: gauges, read from the member when somebody asks, and what was counted.
 *
 * What has no counterpart here (bbolt's pages, Go's runtime) is not printed at all.
 * Source  etcd v3.6 server/etcdserver/metrics.go, server/storage/mvcc/metrics.go; prometheus text
 *         format 0.0.4
 */
import { newestClusterVersion } from "../core/cluster.ts";
import { describeGates } from "../core/feature-gates.ts";
import {
  committedIndex,
  hasLeader,
  isLeader,
  isLearner,
  pendingProposals,
} from "./consensus-facts.ts";
import type { Member } from "./member.ts";
import { described } from "./metrics.ts";
import { processMetrics } from "./process-metrics.ts";
import { serverVersion } from "./version.ts";

type Gauge = readonly [name: string, help: string, value: (member: Member) => number];

const gauges: readonly Gauge[] = [
  [
    "etcd_server_has_leader",
    "Whether or not a leader exists. 1 is existence, 0 is not.",
    (member) => (hasLeader(member) ? 1 : 0),
  ],
  [
    "etcd_server_is_leader",
    "Whether or not this member is a leader. 1 if is, 0 otherwise.",
    (member) => (isLeader(member) ? 1 : 0),
  ],
  [
    "etcd_server_is_learner",
    "Whether or not this member is a learner. 1 if is, 0 otherwise.",
    (member) => (isLearner(member) ? 1 : 0),
  ],
  [
    "etcd_server_proposals_applied_total",
    "The total number of consensus proposals applied.",
    ({ state }) => state.index,
  ],
  [
    "etcd_server_proposals_committed_total",
    "The total number of consensus proposals committed.",
    committedIndex,
  ],
  [
    "etcd_server_proposals_pending",
    "The current number of pending proposals to commit.",
    pendingProposals,
  ],
  [
    "etcd_server_quota_backend_bytes",
    "Current backend storage quota size in bytes.",
    ({ state }) => state.quotaBytes,
  ],
  [
    "etcd_debugging_auth_revision",
    "The current revision of auth store.",
    (m) => m.state.auth.revision,
  ],
  ["etcd_debugging_mvcc_keys_total", "Total number of keys.", ({ state }) => state.store.keyCount],
  [
    "etcd_debugging_mvcc_current_revision",
    "The current revision of store.",
    ({ state }) => state.store.revision,
  ],
  [
    "etcd_debugging_mvcc_compact_revision",
    "The revision of the last compaction in store.",
    ({ state }) => state.store.compactedRevision,
  ],
  [
    "etcd_debugging_mvcc_watcher_total",
    "Total number of watchers.",
    ({ state }) => state.hub.watchCount,
  ],
  [
    "etcd_debugging_mvcc_watch_stream_total",
    "Total number of watch streams.",
    ({ state }) => state.hub.streamCount,
  ],
  [
    "etcd_debugging_mvcc_slow_watcher_total",
    "Total number of unsynced slow watchers.",
    ({ state }) => state.hub.behindCount,
  ],
  [
    // What cannot be sent is not kept: its watch falls behind, and catches up from the store.
    "etcd_debugging_mvcc_pending_events_total",
    "Total number of pending events to be sent.",
    () => 0,
  ],
  [
    "etcd_debugging_mvcc_total_put_size_in_bytes",
    "The total size of put kv pairs seen by this member.",
    ({ state }) => state.tally.putBytes,
  ],
  [
    "etcd_disk_wal_write_bytes_total",
    "Total number of bytes written in WAL.",
    ({ metrics }) => metrics.walBytes,
  ],
  [
    "etcd_server_snapshot_apply_in_progress_total",
    "1 if the server is applying the incoming snapshot. 0 if none.",
    ({ metrics }) => metrics.snapshotsApplying,
  ],
  [
    "etcd_mvcc_db_total_size_in_bytes",
    "Total size of the underlying database physically allocated in bytes.",
    ({ state }) => state.heldBytes,
  ],
  [
    "etcd_mvcc_db_total_size_in_use_in_bytes",
    "Total size of the underlying database logically in use in bytes.",
    ({ state }) => state.sizeBytes,
  ],
  [
    "etcd_disk_defrag_inflight",
    "Whether or not defrag is active on the member. 1 means active, 0 means not.",
    ({ metrics }) => (metrics.isDefragmenting ? 1 : 0),
  ],
  [
    "etcd_debugging_mvcc_db_compaction_last",
    "The unix time of the last db compaction. Resets to 0 on start.",
    ({ metrics }) => metrics.lastCompactionSeconds,
  ],
  [
    "promhttp_metric_handler_requests_in_flight",
    "Current number of scrapes being served.",
    () => 1,
  ],
];

export function metricsText(member: Member): string {
  const parts: string[] = [];
  for (const [name, help, value] of gauges) {
    parts.push(...described({ name, help, type: "gauge" }, [["", value(member)]]));
  }
  if (member.state.alarms.length > 0) parts.push(...described(alarmFacts, alarms(member)));
  for (const [name, help, values] of labelled(member)) {
    parts.push(...described({ name, help, type: "gauge" }, values));
  }
  member.metrics.scrapes++;
  for (const [name, help, value] of counters) {
    parts.push(...described({ name, help, type: "counter" }, [value(member)]));
  }
  parts.push(...member.metrics.lines());
  parts.push(...member.peers.metrics.lines(member.identity.memberId));
  for (const { name, help, type, value } of processMetrics()) {
    parts.push(...described({ name, help, type }, [["", value]]));
  }
  return parts.join("");
}

const alarmFacts = {
  name: "etcd_debugging_server_alarms",
  help: "Alarms for every member in cluster. 1 for 'server_id' label with current ID. 2 for 'alarm_type' label with type of this alarm",
  type: "gauge",
} as const;

const alarmTypes = ["NONE", "NOSPACE", "CORRUPT"];

function alarms({ state }: Member): Value[] {
  return state.alarms.map(({ memberID, alarm }) => {
    const type = alarmTypes[alarm] ?? alarm;
    return [`{alarm_type="${type}",server_id="${memberID.toString(16)}"}`, 1];
  });
}

type Labelled = readonly [name: string, help: string, values: readonly Value[]];
type Value = readonly [labels: string, value: number];

function labelled({ identity, state, featureGates }: Member): readonly Labelled[] {
  const which = "Which version is running. 1 for";
  const current = "label with current";
  const id = (member: bigint) => member.toString(16);
  const { version } = state.cluster;
  const versions = [...new Set([version, newestClusterVersion])].sort();
  const known = state.cluster.sorted.map(
    (member) => [`{Local="${id(identity.memberId)}",Remote="${id(member.id)}"}`, 1] as const,
  );
  return [
    [
      "etcd_server_version",
      `${which} 'server_version' ${current} version.`,
      [[`{server_version="${serverVersion}"}`, 1]],
    ],
    [
      "etcd_cluster_version",
      `${which} 'cluster_version' ${current} cluster version`,
      versions.map((one) => [
        `{cluster_version="${one.replace(/\.\d+$/, "")}"}`,
        one === version ? 1 : 0,
      ]),
    ],
    [
      "etcd_server_id",
      "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.",
      [[`{server_id="${id(identity.memberId)}"}`, 1]],
    ],
    ["etcd_network_known_peers", "The current number of known peers.", known],
    [
      "etcd_server_feature_enabled",
      "Whether or not a feature is enabled. 1 is enabled, 0 is not.",
      describeGates(featureGates).map(({ name, stage, isOn }) => [
        `{name="${name}",stage="${stage}"}`,
        isOn ? 1 : 0,
      ]),
    ],
  ];
}

/** Kept by others than the registry. */
const counters: readonly (readonly [string, string, (member: Member) => Value])[] = [
  [
    "etcd_debugging_lease_granted_total",
    "The total number of granted leases.",
    ({ state }) => ["", state.leasesGranted],
  ],
  [
    "etcd_debugging_lease_revoked_total",
    "The total number of revoked leases.",
    ({ state }) => ["", state.leasesRevoked],
  ],
  [
    "etcd_debugging_mvcc_db_compaction_keys_total",
    "Total number of db keys compacted.",
    ({ state }) => ["", state.store.droppedCount ?? 0],
  ],
  ...(["range", "put", "delete", "txn"] as const).map(
    (what) =>
      [
        `etcd_mvcc_${what}_total`,
        `Total number of ${what}s seen by this member.`,
        ({ state }: Member) => ["", state.tally[`${what}s`]] as const,
      ] as const,
  ),
  [
    "etcd_server_read_indexes_failed_total",
    "The total number of failed read indexes seen.",
    ({ proposals }) => ["", proposals.readsFailed],
  ],
  [
    "etcd_server_slow_read_indexes_total",
    "The total number of pending read indexes not in sync with leader's or timed out read index requests.",
    ({ proposals }) => ["", proposals.readsSlow],
  ],
  [
    "promhttp_metric_handler_requests_total",
    "Total number of scrapes by HTTP status code.",
    ({ metrics }) => ['{code="200"}', metrics.scrapes - 1],
  ],
];
