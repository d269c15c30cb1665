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
import { FairQueues, type QueueSettings } from "./fair-queues.ts";

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
}

/** A request that may go on; `leave` is called once at its end. */
export interface Ticket {
  headers: Readonly<Record<string, string>>;
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
}

export interface FlowControl {
  /** Undefined: there is no place for it now. */
  enter(info: RequestInfo, user: UserInfo): Promise<Ticket | undefined>;
  /** Requests at work and waiting, by level. */
  levels(): LevelState[];
}

/** A quarter of the time a request may take, as upstream's default. */
const waitMaxMs = 15_000;
const readVerbs = new Set(["get", "list", "watch"]);
const streams = new Set(["attach", "exec", "proxy", "log", "portforward"]);

/** Requests that last as long as their caller likes are not counted. */
export function isLongRunning({ verb, isResourceRequest, subresource }: RequestInfo): boolean {
  return verb === "watch" || verb === "proxy" || (isResourceRequest && streams.has(subresource));
}

const free: Ticket = { headers: {}, leave: () => undefined };

export function createFlowControl(options: FlowControlOptions): FlowControl {
  return options.fairness ? new Fairness(options) : inFlight(options);
}

function inFlight({ readOnlyMax, mutatingMax }: FlowControlOptions): FlowControl {
  const limits = { read: readOnlyMax, write: mutatingMax };
  const running = { read: 0, write: 0 };
  const none = { dispatched: 0, rejected: 0, timedOut: 0 };
  const counts = { read: { ...none }, write: { ...none } };
  return {
    async enter(info, user) {
      const kind = readVerbs.has(info.verb) ? "read" : "write";
      if (isLongRunning(info) || limits[kind] === 0) return free;
      if (running[kind] >= limits[kind]) {
        if (user.groups.includes("system:masters")) return free;
        counts[kind].rejected++;
        return undefined;
      }
      running[kind]++;
      counts[kind].dispatched++;
      return { headers: {}, leave: () => void running[kind]-- };
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
}

const adjustEveryMs = 10_000;

class Fairness implements FlowControl {
  readonly #options: FlowControlOptions;
  readonly #queues = new Map<string, FairQueues>();
  #schemas: FlowSchema[] = [];
  #levels = new Map<string, Level>();
  #builtAt = -1;
  #adjustedMs: number;

  constructor(options: FlowControlOptions) {
    this.#options = options;
    this.#adjustedMs = options.clock.monotonic();
  }

  async enter(info: RequestInfo, user: UserInfo): Promise<Ticket | undefined> {
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
    if (isLongRunning(info)) return { headers, leave: free.leave };
    const queues = this.#queues.get(name)!;
    const flow = `${schema.metadata?.name}/${distinguisher(schema, user, info)}`;
    const outcome = await queues.enter(flow, waitMaxMs);
    return outcome === "executing" ? { headers, leave: () => queues.leave() } : undefined;
  }

  levels() {
    this.#build();
    return [...this.#levels].flatMap(([name, { settings }]) => {
      const queues = this.#queues.get(name);
      if (queues === undefined) return [];
      const { executing, waiting, activeQueues, counts } = queues;
      return [{ name, executing, waiting, seats: settings.seats, activeQueues, ...counts }];
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
      if (queues === undefined) this.#queues.set(name, new FairQueues(limits, clock));
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
      return [metadata?.name ?? "", { uid: metadata?.uid ?? "", exempt, settings, seats }];
    }),
  );
}
