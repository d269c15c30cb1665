/**
 * How writes reach the state: proposed, made durable in groups, applied in order, then answered.
 *
 * While one group is being synced the next one gathers: many proposals share one fsync. When the
 * log cannot be written any more nothing is acknowledged again (a write may be in the file or not).
 * Without a log (memory) a proposal is applied at once.
 */
import type { Clock, Log } from "@nanokube/machinery";
import type { Entry } from "../core/entry.ts";
import { EtcdError } from "../core/errors.ts";
import type { MemberState } from "../core/member-state.ts";

/** Where entries become durable. */
export interface EntryLog {
  /** Resolves when all of them would survive a crash. */
  append(entries: readonly Entry[]): Promise<void>;
  /** Called after entries were applied: the time to write a snapshot or drop old segments. */
  applied(): void;
  close(): Promise<void>;
}

interface Waiting {
  readonly entry: Entry;
  resolve(response: unknown): void;
  reject(error: unknown): void;
}

export interface ProposalsOptions {
  readonly state: MemberState;
  readonly log: EntryLog | undefined;
  readonly clock: Clock;
  readonly logger: Log;
}

export class Proposals {
  readonly #state: MemberState;
  readonly #log: EntryLog | undefined;
  readonly #clock: Clock;
  readonly #logger: Log;
  #waiting: Waiting[] = [];
  #isFlushing = false;
  #failure: Error | undefined;
  #idle: (() => void)[] = [];
  #isClosed = false;

  constructor({ state, log, clock, logger }: ProposalsOptions) {
    this.#state = state;
    this.#log = log;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Why writes are not acknowledged any more, if so. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  propose(entry: Entry): unknown | Promise<unknown> {
    if (this.#isClosed || this.#failure !== undefined) throw new EtcdError("Stopped");
    if (this.#log === undefined) return this.#state.apply(entry, this.#clock.now());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      if (this.#isFlushing) return;
      this.#isFlushing = true;
      // The turn of the event loop is the natural group: all that arrived in it share the sync.
      setImmediate(() => this.#flush());
    });
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0 && this.#failure === undefined) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#log!.append(group.map(({ entry }) => entry));
      } catch (error) {
        this.#fail(error as Error, group);
        break;
      }
      for (const waiting of group) this.#apply(waiting);
      this.#log!.applied();
    }
    this.#isFlushing = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #apply({ entry, resolve, reject }: Waiting): void {
    try {
      resolve(this.#state.apply(entry, this.#clock.now()));
    } catch (error) {
      reject(error);
    }
  }

  #fail(error: Error, group: readonly Waiting[]): void {
    this.#failure = error;
    this.#logger.error({ error: error.message }, "the log cannot be written: refusing all writes");
    const refused = [...group, ...this.#waiting];
    this.#waiting = [];
    for (const { reject } of refused) reject(new EtcdError("Timeout"));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#isFlushing) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#log?.close();
  }
}
