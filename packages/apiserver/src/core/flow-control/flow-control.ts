/**
 * Overload: requests of each priority level get their share of the server, and wait fairly.
 *
 * Shapes  FlowSchemas choose a level and a flow; a level has seats by its shares of the total
 *         --max-requests-inflight + --max-mutating-requests-inflight, and borrows idle ones
 *         with priority and fairness off those two limit alone
 * Errors  429 "Too many requests, please try again later." with Retry-After: 1
 * Source  apiserver pkg/server/filters/{priority-and-fairness,maxinflight}.go,
 *         pkg/util/flowcontrol/apf_controller.go
 */
import type { FlowSchema, PriorityLevelConfiguration } from "@nanokube/api/flowcontrol/v1";
import type { Clock } from "@nanokube/machinery";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { RequestInfo } from "../request-info.ts";
import { adjustSeats, type LevelSeats } from "./borrowing.ts";
import { distinguisher, inOrder, matchesSchema } from "./classify.ts";
import { FairQueues, type Observer, type QueueSettings } from "./fair-queues.ts";
import { type FlowCounts, FlowMetrics } from "./flow-metrics.ts";
import { estimateWork, type ResourceLoad, seatsMaxOf } from "./work-estimate.ts";

export interface FlowControlOptions {
  readOnlyMax: number;
  mutatingMax: number;
  /** False: only the two limits. */
  fairness: boolean;
  clock: Clock;
  schemas(): readonly FlowSchema[];
  levels(): readonly PriorityLevelConfiguration[];
  /** Grows with every change of both. */
  generation(): number;
  /** What there is of the resource, and who watches it; every request takes a seat when absent. */
  loadOf?(info: RequestInfo): ResourceLoad | undefined;
}

/** A request that may go on; `leave` is called once at its end. */
export interface Ticket {
  headers: Readonly<Record<string, string>>;
  /** For its seats. */
  waitedSeconds: number;
  leave(): void;
}

export interface LevelState {
  name: string;
  executing: number;
  waiting: number;
  /** By its shares. */
  seats: number;
  /** Queues in which somebody waits. */
  activeQueues: number;
  dispatched: number;
  rejected: number;
  timedOut: number;
  exempt?: boolean;
  limits?: LevelSeats & { current: number };
  queues?: FairQueues<SeatedRequest>;
}

/** Whose seats they are. */
export interface SeatedRequest {
  schema: string;
  distinguisher: string;
  user: string;
  info: RequestInfo;
  counts: FlowCounts;
}

export interface FlowControl {
  /** Undefined: there is no place for it now. */
  enter(info: RequestInfo, user: UserInfo, query?: URLSearchParams): Promise<Ticket | undefined>;
  /** Requests at work and waiting, by level. */
  levels(): LevelState[];
  readonly metrics: FlowMetrics;
  /** The time of day at this reading of the clock that never goes back. */
  timeOf(monotonicMs: number): number;
}

/** A quarter of the time a request may take, as upstream's default. */
const waitMaxMs = 15_000;
const readVerbs = new Set(["get", "list", "watch"]);
const streams = new Set(["attach", "exec", "proxy", "log", "portforward"]);

export function isReadOnly({ verb }: RequestInfo): boolean {
  return readVerbs.has(verb);
}

/** Requests that last as long as their caller likes are not counted. */
export function isLongRunning({ verb, isResourceRequest, subresource }: RequestInfo): boolean {
  return verb === "watch" || verb === "proxy" || (isResourceRequest && streams.has(subresource));
}

const noQuery = new URLSearchParams();
const free: Ticket = { headers: {}, waitedSeconds: 0, leave: () => undefined };

export function createFlowControl(options: FlowControlOptions): FlowControl {
  return options.fairness ? new Fairness(options) : inFlight(options);
}

const timeOf = (clock: Clock, ms: number): number => clock.now() - (clock.monotonic() - ms);

function inFlight({ readOnlyMax, mutatingMax, clock }: FlowControlOptions): FlowControl {
  const limits = { read: readOnlyMax, write: mutatingMax };
  const running = { read: 0, write: 0 };
  const none = { dispatched: 0, rejected: 0, timedOut: 0 };
  const counts = { read: { ...none }, write: { ...none } };
  return {
    metrics: new FlowMetrics(),
    timeOf: (ms) => timeOf(clock, ms),
    async enter(info, user) {
      const kind = isReadOnly(info) ? "read" : "write";
      if (isLongRunning(info) || limits[kind] === 0) return free;
      if (running[kind] >= limits[kind]) {
        if (user.groups.includes("system:masters")) return free;
        counts[kind].rejected++;
        return undefined;
      }
      running[kind]++;
      counts[kind].dispatched++;
      return { ...free, leave: () => void running[kind]-- };
    },
    levels: () =>
      (["read", "write"] as const).map((name) => ({
        name,
        executing: running[name],
        waiting: 0,
        seats: limits[name],
        activeQueues: 0,
        ...counts[name],
      })),
  };
}

interface Level {
  uid: string;
  exempt: boolean;
  /** With as many seats as it has by its shares. */
  settings: QueueSettings;
  seats: LevelSeats;
  /** No request takes more. */
  seatsMax: number;
}

/** A level's counters of /metrics follow its requests. */
const observer: Observer<SeatedRequest> = {
  queued({ counts }, seats, change) {
    counts.inQueue += change;
    counts.seatsInQueue += change * seats;
  },
  executing({ counts }, seats, change) {
    counts.executing += change;
    counts.seats += change * seats;
    if (change > 0) counts.dispatched++;
  },
  seatsOnly({ counts }, seats) {
    counts.seats += seats;
  },
};

const adjustEveryMs = 10_000;

class Fairness implements FlowControl {
  readonly metrics = new FlowMetrics();
  readonly #options: FlowControlOptions;
  readonly #queues = new Map<string, FairQueues<SeatedRequest>>();
  #schemas: FlowSchema[] = [];
  #levels = new Map<string, Level>();
  #builtAt = -1;
  #adjustedMs: number;

  constructor(options: FlowControlOptions) {
    this.#options = options;
    this.#adjustedMs = options.clock.monotonic();
  }

  async enter(info: RequestInfo, user: UserInfo, query = noQuery): Promise<Ticket | undefined> {
    // Those who stay as long as they like are not counted; a watch is, until it has begun.
    if (isLongRunning(info) && info.verb !== "watch") return free;
    this.#build();
    this.#adjust();
    const schema = this.#schemas.find((one) => matchesSchema(one, user, info));
    const name = schema?.spec?.priorityLevelConfiguration?.name ?? "";
    const level = this.#levels.get(name);
    // Before the first objects are there, nobody but the server itself is.
    if (schema === undefined || level === undefined) return free;
    const headers = {
      "x-kubernetes-pf-flowschema-uid": schema.metadata?.uid ?? "",
      "x-kubernetes-pf-prioritylevel-uid": level.uid,
    };
    const schemaName = schema.metadata?.name ?? "";
    const counts = this.metrics.of(schemaName, name);
    const work = estimateWork(info, query, this.#options.loadOf?.(info), level.seatsMax);
    const flow = distinguisher(schema, user, info);
    const details = { schema: schemaName, distinguisher: flow, user: user.name, info, counts };
    const queues = this.#queues.get(name)!;
    const { clock } = this.#options;
    const cameMs = clock.monotonic();
    const asked = { flow: `${schemaName}/${flow}`, work, details };
    const outcome = queues.enter(asked, waitMaxMs);
    const seated = outcome instanceof Promise ? await outcome : outcome;
    const beganMs = clock.monotonic();
    const isSeated = typeof seated !== "string";
    const seats = Math.max(work.initialSeats, work.finalSeats);
    const waitedSeconds = (beganMs - cameMs) / 1000;
    counts.waited(isSeated, waitedSeconds, seats);
    if (!isSeated) {
      counts.refused(seated);
      return undefined;
    }
    const leave = (): void => {
      counts.executed(info.verb === "watch", (clock.monotonic() - beganMs) / 1000);
      seated.leave();
    };
    return { headers, waitedSeconds, leave };
  }

  timeOf(monotonicMs: number): number {
    return timeOf(this.#options.clock, monotonicMs);
  }

  levels() {
    this.#build();
    return [...this.#levels].flatMap(([name, { exempt, settings, seats }]) => {
      const queues = this.#queues.get(name);
      if (queues === undefined) return [];
      const { executing, waiting, activeQueues, counts } = queues;
      const current = queues.seatsNow;
      const limits = { ...seats, current: Number.isFinite(current) ? current : seats.nominal };
      const busy = { executing, waiting, activeQueues, ...counts };
      return [{ name, exempt, seats: settings.seats, limits, queues, ...busy }];
    });
  }

  #build(): void {
    const { generation, schemas, levels, clock } = this.#options;
    if (this.#builtAt === generation()) return;
    this.#builtAt = generation();
    this.#schemas = inOrder(schemas());
    this.#levels = levelsOf(levels(), this.#options.readOnlyMax + this.#options.mutatingMax);
    for (const [name, { exempt, settings }] of this.#levels) {
      // Exempt requests are counted; they never wait.
      const limits = exempt ? { seats: Number.POSITIVE_INFINITY, queuing: undefined } : settings;
      const queues = this.#queues.get(name);
      if (queues === undefined) this.#queues.set(name, new FairQueues(limits, clock, observer));
      else queues.configure(limits);
    }
  }

  /** Seats that nobody uses go to levels that are short of them. Time passes with requests. */
  #adjust(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#adjustedMs < adjustEveryMs) return;
    this.#adjustedMs = now;
    const all = [...this.#levels].map(([name, { seats }]) => {
      const period = this.#queues.get(name)?.closePeriod() ?? { highest: 0, smoothed: 0 };
      return { name, seats, period };
    });
    for (const [i, seats] of adjustSeats(all).entries()) {
      const { name } = all[i]!;
      if (this.#levels.get(name)!.exempt) continue;
      this.#queues.get(name)?.configure({ ...this.#levels.get(name)!.settings, seats });
    }
  }
}

function levelsOf(
  objects: readonly PriorityLevelConfiguration[],
  totalSeats: number,
): Map<string, Level> {
  const sharesOf = ({ spec }: PriorityLevelConfiguration): number =>
    (spec?.type === "Exempt"
      ? spec.exempt?.nominalConcurrencyShares
      : spec?.limited?.nominalConcurrencyShares) ?? 0;
  const sum = objects.reduce((total, object) => total + sharesOf(object), 0);
  const nominalSum = objects.reduce(
    (total, object) => total + Math.ceil((totalSeats * sharesOf(object)) / Math.max(sum, 1)),
    0,
  );
  return new Map(
    objects.map((object) => {
      const { metadata, spec } = object;
      const { type, queuing } = spec?.limited?.limitResponse ?? {};
      const { queues = 64, handSize = 8, queueLengthLimit = 50 } = queuing ?? {};
      const nominal = Math.ceil((totalSeats * sharesOf(object)) / Math.max(sum, 1));
      const settings: QueueSettings = {
        seats: nominal,
        queuing: type === "Queue" ? { queues, handSize, queueLengthLimit } : undefined,
      };
      const exempt = spec?.type === "Exempt";
      const { lendablePercent = 0 } = (exempt ? spec.exempt : spec?.limited) ?? {};
      const borrowed = spec?.limited?.borrowingLimitPercent ?? undefined;
      const part = (percent: number): number => Math.round((nominal * percent) / 100);
      const seats: LevelSeats = {
        nominal,
        min: nominal - part(lendablePercent ?? 0),
        max: borrowed === undefined ? nominalSum : nominal + part(borrowed),
        isExempt: exempt,
      };
      const seatsMax = seatsMaxOf(nominal, settings.queuing?.handSize ?? 1);
      const made = { exempt, settings, seats, seatsMax };
      return [metadata?.name ?? "", { uid: metadata?.uid ?? "", ...made }];
    }),
  );
}
