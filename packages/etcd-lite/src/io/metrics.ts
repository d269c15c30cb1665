/**
 * What is counted for /metrics while the member works, under etcd's names; metrics-text.ts has the
 * gauges, which are read from the member when somebody asks.
 *
 * Source  etcd v3.6 server/etcdserver/metrics.go, server/storage/mvcc/metrics.go,
 *         go-grpc-prometheus server_metrics.go; prometheus text format 0.0.4
 */
import { codes } from "@nanokube/rpc";

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
  learnerPromoted: [
    "etcd_server_learner_promote_successes",
    "The total number of successful learner promotions while this member is leader.",
  ],
} as const;

export type CounterName = keyof typeof counterFacts;

const histogramFacts = {
  walFsync: [
    "etcd_disk_wal_fsync_duration_seconds",
    "The latency distributions of fsync called by WAL.",
    { from: 0.001, count: 14 },
  ],
  defragment: [
    "etcd_disk_backend_defrag_duration_seconds",
    "The latency distribution of backend defragmentation.",
    { from: 0.1, count: 13 },
  ],
  sendSnapshot: [
    "etcd_disk_backend_snapshot_duration_seconds",
    "The latency distribution of backend snapshots.",
    { from: 0.01, count: 17 },
  ],
  hash: [
    "etcd_mvcc_hash_duration_seconds",
    "The latency distribution of storage hash operation.",
    { from: 0.01, count: 15 },
  ],
  hashRevision: [
    "etcd_mvcc_hash_rev_duration_seconds",
    "The latency distribution of storage hash by revision operation.",
    { from: 0.01, count: 15 },
  ],
} as const;

export type HistogramName = keyof typeof histogramFacts;

/** Bounds in seconds, each twice the one before. */
function boundsOf(name: HistogramName): number[] {
  const [, , { from, count }] = histogramFacts[name];
  return Array.from({ length: count }, (_, i) => Number((from * 2 ** i).toFixed(3)));
}

interface Histogram {
  readonly bounds: readonly number[];
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
  readonly #histograms = new Map(
    (Object.keys(histogramFacts) as HistogramName[]).map((name) => {
      const bounds = boundsOf(name);
      return [name, { bounds, counts: bounds.map(() => 0), sumSeconds: 0, count: 0 }] as const;
    }),
  ) as ReadonlyMap<HistogramName, Histogram>;
  isDefragmenting = false;
  lastCompactionSeconds = 0;
  scrapes = 0;
  readonly #checks = new Map<string, { isHealthy: boolean; success: number; error: number }>();
  readonly methods: MethodCounter[] = [];

  count(name: CounterName, by = 1): void {
    this.#counters[name] += by;
  }

  observe(name: HistogramName, ms: number): void {
    const histogram = this.#histograms.get(name)!;
    const seconds = ms / 1000;
    const at = histogram.bounds.findIndex((bound) => seconds <= bound);
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
      yield* histogramLines(name, help, this.#histograms.get(key as HistogramName)!);
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

export interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
}

export function* described(
  { name, help, type }: Described,
  values: Iterable<readonly [labels: string, value: number]>,
): Iterable<string> {
  yield `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  for (const [labels, value] of values) yield `${name}${labels} ${value}\n`;
}

function* histogramLines(name: string, help: string, histogram: Histogram): Iterable<string> {
  yield `# HELP ${name} ${help}\n# TYPE ${name} histogram\n`;
  let sum = 0;
  for (const [i, bound] of histogram.bounds.entries()) {
    sum += histogram.counts[i]!;
    yield `${name}_bucket{le="${bound}"} ${sum}\n`;
  }
  yield `${name}_bucket{le="+Inf"} ${histogram.count}\n`;
  yield `${name}_sum ${histogram.sumSeconds}\n`;
  yield `${name}_count ${histogram.count}\n`;
}
