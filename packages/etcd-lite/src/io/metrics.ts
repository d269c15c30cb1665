/**
 * What is counted and timed for /metrics while the member works, named as metric-facts.ts says;
 * metrics-text.ts has the gauges, which are read from the member when somebody asks.
 *
 * Source  go-grpc-prometheus server_metrics.go; prometheus text format 0.0.4
 */
import { isUtf8 } from "node:buffer";
import { codes, type Traffic } from "@nanokube/rpc";
import { EtcdError } from "../core/errors.ts";
import { Histogram } from "../core/histogram.ts";
import {
  applySeconds,
  type CounterName,
  callSeconds,
  counterFacts,
  type HistogramName,
  histogramFacts,
  type OtherHistogramName,
  otherHistogramFacts,
} from "./metric-facts.ts";

/** How often a method was called, and how it ended. */
export interface MethodCounter {
  readonly labels: string;
  started: number;
  received: number;
  sent: number;
  readonly handled: number[];
  /** Only with --metrics extensive. */
  readonly seconds: Histogram | undefined;
}

/** Only what those need who write to the disk. */
export type DiskMetrics = Pick<MetricsRegistry, "observe" | "walBytes">;

/** Series of one histogram, by their labels. */
type Series = Map<string, Histogram>;

export class MetricsRegistry {
  /** Also how long calls take. */
  readonly isExtensive: boolean;
  readonly #counters = valuesOf(counterFacts, () => 0);
  readonly #histograms = valuesOf(histogramFacts, ([, , bounds]) => new Histogram(bounds));
  readonly #others = valuesOf(otherHistogramFacts, ([, , bounds]) => new Histogram(bounds));
  /** By operation: those that did what they were to do, and those that did not. */
  readonly #applied: Series = new Map();
  readonly #refused: Series = new Map();
  readonly #ranged: Series = new Map();
  readonly #checks = new Map<string, { isHealthy: boolean; success: number; error: number }>();
  /** By the version that clients tell. */
  readonly #unary = new Map<string, { count: number }>();
  readonly #streams = new Map<string, { count: number }>();
  readonly #labelled = new Map<string, number>();
  readonly methods: MethodCounter[] = [];
  readonly traffic: Traffic = { received: 0, sent: 0 };
  isDefragmenting = false;
  lastCompactionSeconds = 0;
  scrapes = 0;
  walBytes = 0;
  putBytes = 0;
  snapshotsApplying = 0;

  constructor({ isExtensive = false } = {}) {
    this.isExtensive = isExtensive;
  }

  count(name: CounterName, by = 1): void {
    this.#counters[name] += by;
  }

  observe(name: HistogramName, ms: number): void {
    this.#histograms[name].observe(ms / 1000);
  }

  /** In the unit that its name ends with. */
  observeOther(name: OtherHistogramName, value: number): void {
    this.#others[name].observe(value);
  }

  applied(operation: string, success: boolean, ms: number): void {
    const series = success ? this.#applied : this.#refused;
    seriesOf(series, operation, applySeconds).observe(ms / 1000);
  }

  ranged(success: boolean, ms: number): void {
    const labels = success ? 'success="true"' : 'success="false"';
    seriesOf(this.#ranged, labels, applySeconds).observe(ms / 1000);
  }

  /** A call of a client that says which API it speaks; InvalidClientVersion when that is no text. */
  requested(type: "unary" | "stream", version = "unknown"): void {
    const versions = type === "unary" ? this.#unary : this.#streams;
    const known = versions.get(version);
    if (known !== undefined) {
      known.count++;
      return;
    }
    // Headers are bytes, each of them one character here.
    if (!isUtf8(Buffer.from(version, "latin1"))) throw new EtcdError("InvalidClientVersion");
    if (versions.size < versionsMax) versions.set(version, { count: 1 });
  }

  /** One more under a counter that has labels. */
  countLabelled(name: LabelledName, labels: string): void {
    const key = `${name} ${labels}`;
    this.#labelled.set(key, (this.#labelled.get(key) ?? 0) + 1);
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
      yield* histogramLines(name, help, [["", this.#histograms[key as HistogramName]]]);
    }
    for (const [key, [name, help]] of Object.entries(otherHistogramFacts)) {
      yield* histogramLines(name, help, [["", this.#others[key as OtherHistogramName]]]);
    }
    const backend = "The latency distributions of v2 apply called by backend.";
    const applied = [
      ...[...this.#applied].map(labelsOf("true")),
      ...[...this.#refused].map(labelsOf("false")),
    ];
    yield* histogramLines("etcd_server_apply_duration_seconds", backend, applied);
    const ranges = "The latency distributions of txn.Range";
    yield* histogramLines("etcd_server_range_duration_seconds", ranges, this.#ranged);
    yield* this.#requestLines();
    yield* this.#labelledLines();
    yield* this.#checkLines();
    yield* this.#methodLines();
  }

  *#requestLines(): Iterable<string> {
    const name = "etcd_server_client_requests_total";
    const help = "The total number of client requests per client version.";
    const all = { unary: this.#unary, stream: this.#streams };
    const values = Object.entries(all).flatMap(([type, versions]) =>
      [...versions].map(
        ([version, { count }]) =>
          [`{client_api_version=${quoted(utf8(version))},type="${type}"}`, count] as const,
      ),
    );
    if (values.length > 0) yield* described({ name, help, type: "counter" }, values);
    const { received, sent } = this.traffic;
    for (const [what, way, bytes] of [
      ["received", "from", received],
      ["sent", "to", sent],
    ] as const) {
      const name = `etcd_network_client_grpc_${what}_bytes_total`;
      const help = `The total number of bytes ${what} ${way} grpc clients.`;
      yield* described({ name, help, type: "counter" }, [["", bytes]]);
    }
  }

  *#labelledLines(): Iterable<string> {
    for (const [name, help] of Object.entries(labelledFacts)) {
      const values = [...this.#labelled].filter(([key]) => key.startsWith(`${name} `));
      if (values.length === 0) continue;
      const each = values.map(
        ([key, count]) => [`{${key.slice(name.length + 1)}}`, count] as const,
      );
      yield* described({ name, help, type: "counter" }, each);
    }
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
    const handled = this.methods.flatMap(({ labels, handled }) =>
      handled.flatMap((count, code) =>
        count > 0 ? [[`{grpc_code="${goCodeNames[code]}",${labels}}`, count] as const] : [],
      ),
    );
    const series = {
      started_total: ["RPCs started on the server.", each((m) => m.started)],
      handled_total: ["RPCs completed on the server, regardless of success or failure.", handled],
      msg_received_total: ["RPC stream messages received on the server.", each((m) => m.received)],
      msg_sent_total: ["gRPC stream messages sent by the server.", each((m) => m.sent)],
    } as const;
    for (const [name, [what, values]] of Object.entries(series)) {
      const help = `Total number of ${what}`;
      yield* described({ name: `grpc_server_${name}`, help, type: "counter" }, values);
    }
    const help =
      "Histogram of response latency (seconds) of gRPC that had been application-level handled by the server.";
    const timed = this.methods.flatMap(({ labels, seconds }) =>
      seconds === undefined ? [] : [[labels, seconds] as const],
    );
    yield* histogramLines("grpc_server_handling_seconds", help, timed);
  }

  /** For calls of one method, when that is wanted. */
  newCallHistogram(): Histogram | undefined {
    return this.isExtensive ? new Histogram(callSeconds) : undefined;
  }
}

/** Whoever makes up versions must not fill memory. */
const versionsMax = 1000;

const labelledFacts = {
  etcd_server_learner_promote_failures:
    "The total number of failed learner promotions (likely learner not ready) while this member is leader.",
} as const;

type LabelledName = keyof typeof labelledFacts;

function valuesOf<Facts extends object, T>(
  facts: Facts,
  make: (fact: Facts[keyof Facts]) => T,
): Record<keyof Facts, T> {
  const entries = Object.entries(facts).map(([key, fact]) => [key, make(fact)]);
  return Object.fromEntries(entries) as Record<keyof Facts, T>;
}

function labelsOf(success: "true" | "false") {
  return ([operation, histogram]: readonly [string, Histogram]) =>
    [`op="${operation}",success="${success}",version="v3"`, histogram] as const;
}

function seriesOf(series: Series, labels: string, bounds: readonly number[]): Histogram {
  let found = series.get(labels);
  if (found === undefined) {
    found = new Histogram(bounds);
    series.set(labels, found);
  }
  return found;
}

function utf8(header: string): string {
  return Buffer.from(header, "latin1").toString();
}

/** A label's value; what a client says may hold anything. */
export function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
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

export function* histogramLines(
  name: string,
  help: string,
  series: Iterable<readonly [labels: string, histogram: Histogram]>,
): Iterable<string> {
  let isFirst = true;
  for (const [labels, histogram] of series) {
    if (isFirst) yield `# HELP ${name} ${help}\n# TYPE ${name} histogram\n`;
    isFirst = false;
    yield* histogram.lines(name, labels);
  }
}
