/**
 * What came of requests, by FlowSchema and priority level: upstream's series.
 *
 * Units   seconds; seats
 * Source  apiserver pkg/util/flowcontrol/metrics/metrics.go
 */
import { Histogram } from "../histogram.ts";
import type { Refusal } from "./fair-queues.ts";

const secondsBuckets = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const seatsBuckets = [1, 2, 4, 8, 16, 32, 64, 100];
const lead = "apiserver_flowcontrol";

/** The counters of requests that one FlowSchema sends to one level. */
export class FlowCounts {
  readonly labels: string;
  readonly #metrics: FlowMetrics;
  readonly #labels: Record<"waited" | "refused" | "regular" | "watch", string>;
  executing = 0;
  seats = 0;
  inQueue = 0;
  seatsInQueue = 0;
  dispatched = 0;
  readonly rejected = new Map<Refusal, number>();

  constructor(schema: string, level: string, metrics: FlowMetrics) {
    this.labels = `flow_schema="${schema}",priority_level="${level}"`;
    this.#metrics = metrics;
    this.#labels = {
      waited: `execute="true",${this.labels}`,
      refused: `execute="false",${this.labels}`,
      regular: `${this.labels},type="regular"`,
      watch: `${this.labels},type="watch"`,
    };
  }

  waited(isSeated: boolean, seconds: number, seats: number): void {
    const labels = isSeated ? this.#labels.waited : this.#labels.refused;
    this.#metrics.waits.observe(labels, seconds);
    this.#metrics.seats.observe(this.labels, seats);
  }

  refused(why: Refusal): void {
    this.rejected.set(why, (this.rejected.get(why) ?? 0) + 1);
  }

  executed(isWatch: boolean, seconds: number): void {
    const labels = isWatch ? this.#labels.watch : this.#labels.regular;
    this.#metrics.executions.observe(labels, seconds);
  }
}

type Gauge = "executing" | "seats" | "inQueue" | "seatsInQueue" | "dispatched";

const gauges: readonly [Gauge, name: string, type: string, help: string][] = [
  [
    "executing",
    "current_executing_requests",
    "gauge",
    "[BETA] Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem",
  ],
  [
    "seats",
    "current_executing_seats",
    "gauge",
    "[BETA] Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness subsystem",
  ],
  [
    "inQueue",
    "current_inqueue_requests",
    "gauge",
    "[BETA] Number of requests currently pending in queues of the API Priority and Fairness subsystem",
  ],
  [
    "seatsInQueue",
    "current_inqueue_seats",
    "gauge",
    "[ALPHA] Number of seats currently pending in queues of the API Priority and Fairness subsystem",
  ],
  [
    "dispatched",
    "dispatched_requests_total",
    "counter",
    "[BETA] Number of requests executed by API Priority and Fairness subsystem",
  ],
];

export class FlowMetrics {
  readonly waits = new Histogram(secondsBuckets);
  readonly executions = new Histogram(secondsBuckets);
  readonly seats = new Histogram(seatsBuckets);
  readonly #counts = new Map<string, Map<string, FlowCounts>>();

  of(schema: string, level: string): FlowCounts {
    const levels = this.#counts.get(schema) ?? new Map<string, FlowCounts>();
    this.#counts.set(schema, levels);
    let counts = levels.get(level);
    if (counts === undefined) {
      counts = new FlowCounts(schema, level, this);
      levels.set(level, counts);
    }
    return counts;
  }

  lines(): string[] {
    const all = [...this.#counts.values()].flatMap((levels) => [...levels.values()]);
    const lines: string[] = [];
    const family = (name: string, type: string, help: string): void => {
      lines.push(`# HELP ${lead}_${name} ${help}`, `# TYPE ${lead}_${name} ${type}`);
    };
    for (const [field, name, type, help] of gauges) {
      family(name, type, help);
      for (const counts of all) lines.push(`${lead}_${name}{${counts.labels}} ${counts[field]}`);
    }
    const rejected = "[BETA] Number of requests rejected by API Priority and Fairness subsystem";
    family("rejected_requests_total", "counter", rejected);
    for (const counts of all) {
      for (const [reason, count] of counts.rejected) {
        const labels = `${counts.labels},reason="${reason}"`;
        lines.push(`${lead}_rejected_requests_total{${labels}} ${count}`);
      }
    }
    lines.push(
      ...this.waits.lines(
        `${lead}_request_wait_duration_seconds`,
        "[BETA] Length of time a request spent waiting in its queue",
      ),
      ...this.executions.lines(
        `${lead}_request_execution_seconds`,
        "[ALPHA] Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API Priority and Fairness subsystem",
      ),
      ...this.seats.lines(
        `${lead}_work_estimated_seats`,
        "[ALPHA] Number of estimated seats (maximum of initial and final seats) associated with requests in API Priority and Fairness",
      ),
    );
    return lines;
  }
}
