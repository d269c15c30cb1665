/**
 * /metrics: the numbers of etcd's that this member has, under etcd's names.
 *
 * Counters and histograms are kept here; gauges are read from the member when somebody asks. What
 * has no counterpart here (the backend's commits, Go's runtime) is not printed at all.
 * Source  etcd v3.6 server/etcdserver/metrics.go, server/storage/mvcc/metrics.go,
 *         go-grpc-prometheus server_metrics.go; prometheus text format 0.0.4
 */
import { codes } from "@nanokube/rpc";
import {
  committedIndex,
  hasLeader,
  isLeader,
  isLearner,
  pendingProposals,
} from "./consensus-facts.ts";
import type { Member } from "./member.ts";
import { processMetrics } from "./process-metrics.ts";
import { serverVersion } from "./version.ts";

const counterFacts = {
  healthSuccess: ["etcd_server_health_success", "The total number of successful health checks"],
  healthFailures: ["etcd_server_health_failures", "The total number of failed health checks"],
  put: ["etcd_mvcc_put_total", "Total number of puts seen by this member."],
  delete: ["etcd_mvcc_delete_total", "Total number of deletes seen by this member."],
  range: ["etcd_mvcc_range_total", "Total number of ranges seen by this member."],
  txn: ["etcd_mvcc_txn_total", "Total number of txns seen by this member."],
  leaseExpired: [
    "etcd_debugging_server_lease_expired_total",
    "The total number of expired leases.",
  ],
  proposalsFailed: [
    "etcd_server_proposals_failed_total",
    "The total number of failed proposals seen.",
  ],
  leaderChanges: ["etcd_server_leader_changes_seen_total", "The number of leader changes seen."],
} as const;

export type CounterName = keyof typeof counterFacts;

const histogramFacts = {
  walFsync: [
    "etcd_disk_wal_fsync_duration_seconds",
    "The latency distributions of fsync called by WAL.",
  ],
} as const;

export type HistogramName = keyof typeof histogramFacts;

/** Bounds in seconds, each twice the one before: 1 ms to 8 s. */
const bounds = Array.from({ length: 14 }, (_, i) => 0.001 * 2 ** i);

interface Histogram {
  readonly counts: number[];
  sumSeconds: number;
  count: number;
}

/** How often a method was called, and how it ended. */
export interface MethodCounter {
  readonly labels: string;
  started: number;
  received: number;
  sent: number;
  readonly handled: number[];
}

/** What is counted while the member works. */
export class MetricsRegistry {
  readonly #counters = Object.fromEntries(
    Object.keys(counterFacts).map((name) => [name, 0]),
  ) as Record<CounterName, number>;
  readonly #histograms = new Map<HistogramName, Histogram>();
  readonly #checks = new Map<string, { isHealthy: boolean; success: number; error: number }>();
  readonly methods: MethodCounter[] = [];

  count(name: CounterName, by = 1): void {
    this.#counters[name] += by;
  }

  observe(name: HistogramName, ms: number): void {
    let histogram = this.#histograms.get(name);
    if (histogram === undefined) {
      histogram = { counts: bounds.map(() => 0), sumSeconds: 0, count: 0 };
      this.#histograms.set(name, histogram);
    }
    const seconds = ms / 1000;
    const at = bounds.findIndex((bound) => seconds <= bound);
    if (at >= 0) histogram.counts[at]!++;
    histogram.sumSeconds += seconds;
    histogram.count++;
  }

  checked(kind: string, name: string, isHealthy: boolean): void {
    const labels = `type="${kind}",name="${name}"`;
    const before = this.#checks.get(labels) ?? { isHealthy, success: 0, error: 0 };
    this.#checks.set(labels, {
      isHealthy,
      success: before.success + (isHealthy ? 1 : 0),
      error: before.error + (isHealthy ? 0 : 1),
    });
  }

  *lines(): Iterable<string> {
    for (const [key, [name, help]] of Object.entries(counterFacts)) {
      const value = this.#counters[key as CounterName];
      yield* described({ name, help, type: "counter" }, [["", value]]);
    }
    for (const [key, [name, help]] of Object.entries(histogramFacts)) {
      yield* histogramLines(name, help, this.#histograms.get(key as HistogramName));
    }
    yield* this.#checkLines();
    yield* this.#methodLines();
  }

  *#checkLines(): Iterable<string> {
    const checks = [...this.#checks];
    const gauge = {
      name: "etcd_server_healthcheck",
      help: "The result of each kind of healthcheck.",
    };
    yield* described(
      { ...gauge, type: "gauge" },
      checks.map(([labels, { isHealthy }]) => [`{${labels}}`, isHealthy ? 1 : 0]),
    );
    const total = {
      name: "etcd_server_healthchecks_total",
      help: "The total number of each kind of healthcheck.",
    };
    const counts = checks.flatMap(([labels, { success, error }]) => [
      [`{${labels},status="success"}`, success] as const,
      [`{${labels},status="error"}`, error] as const,
    ]);
    yield* described(
      { ...total, type: "counter" },
      counts.filter(([, count]) => count > 0),
    );
  }

  *#methodLines(): Iterable<string> {
    const each = (pick: (method: MethodCounter) => number) =>
      this.methods.map((method) => [`{${method.labels}}`, pick(method)] as const);
    const rpcs = (what: string) => `Total number of ${what} on the server.`;
    const started = { name: "grpc_server_started_total", help: rpcs("RPCs started") };
    yield* described(
      { ...started, type: "counter" },
      each((m) => m.started),
    );
    const handled = this.methods.flatMap(({ labels, handled }) =>
      handled.flatMap((count, code) =>
        count > 0 ? [[`{grpc_code="${goCodeNames[code]}",${labels}}`, count] as const] : [],
      ),
    );
    const done = {
      name: "grpc_server_handled_total",
      help: "Total number of RPCs completed on the server, regardless of success or failure.",
    };
    yield* described({ ...done, type: "counter" }, handled);
    const received = {
      name: "grpc_server_msg_received_total",
      help: rpcs("RPC stream messages received"),
    };
    yield* described(
      { ...received, type: "counter" },
      each((m) => m.received),
    );
    const sent = {
      name: "grpc_server_msg_sent_total",
      help: "Total number of gRPC stream messages sent by the server.",
    };
    yield* described(
      { ...sent, type: "counter" },
      each((m) => m.sent),
    );
  }
}

/** As Go writes them: InvalidArgument, not INVALID_ARGUMENT. */
const goCodeNames = Object.entries(codes)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => {
    if (name === "OK") return name;
    if (name === "CANCELLED") return "Canceled";
    return name
      .toLowerCase()
      .replace(/(^|_)([a-z])/g, (_all, _line, letter) => letter.toUpperCase());
  });

interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
}

function* described(
  { name, help, type }: Described,
  values: Iterable<readonly [labels: string, value: number]>,
): Iterable<string> {
  yield `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  for (const [labels, value] of values) yield `${name}${labels} ${value}\n`;
}

function* histogramLines(
  name: string,
  help: string,
  histogram: Histogram | undefined,
): Iterable<string> {
  yield `# HELP ${name} ${help}\n# TYPE ${name} histogram\n`;
  let sum = 0;
  for (const [i, bound] of bounds.entries()) {
    sum += histogram?.counts[i] ?? 0;
    yield `${name}_bucket{le="${bound}"} ${sum}\n`;
  }
  yield `${name}_bucket{le="+Inf"} ${histogram?.count ?? 0}\n`;
  yield `${name}_sum ${histogram?.sumSeconds ?? 0}\n`;
  yield `${name}_count ${histogram?.count ?? 0}\n`;
}

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
    "etcd_mvcc_db_total_size_in_bytes",
    "Total size of the underlying database physically allocated in bytes.",
    ({ state }) => state.sizeBytes,
  ],
  [
    "etcd_mvcc_db_total_size_in_use_in_bytes",
    "Total size of the underlying database logically in use in bytes.",
    ({ state }) => state.sizeBytes,
  ],
];

export function metricsText(member: Member): string {
  const parts: string[] = [];
  for (const [name, help, value] of gauges) {
    parts.push(...described({ name, help, type: "gauge" }, [["", value(member)]]));
  }
  for (const [name, help, labels] of labelled(member)) {
    parts.push(...described({ name, help, type: "gauge" }, [[labels, 1]]));
  }
  parts.push(...member.metrics.lines());
  for (const { name, help, type, value } of processMetrics()) {
    parts.push(...described({ name, help, type }, [["", value]]));
  }
  return parts.join("");
}

function labelled({ identity }: Member): readonly (readonly [string, string, string])[] {
  const which = (what: string) => `Which ${what} version is running. 1 for`;
  const current = "label with current";
  return [
    [
      "etcd_server_version",
      `${which("")} 'server_version' ${current} version.`.replace("  ", " "),
      `{server_version="${serverVersion}"}`,
    ],
    [
      "etcd_cluster_version",
      `${which("")} 'cluster_version' ${current} cluster version`.replace("  ", " "),
      `{cluster_version="${serverVersion.replace(/\.\d+$/, "")}"}`,
    ],
    [
      "etcd_server_id",
      "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.",
      `{server_id="${identity.memberId.toString(16)}"}`,
    ],
  ];
}
