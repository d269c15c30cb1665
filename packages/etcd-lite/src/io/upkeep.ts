/**
 * What a member does by itself now and then: follows the cluster's version, compares itself with
 * the others.
 */
import type { Channel } from "@nanokube/rpc";
import { CorruptionCheck, type CorruptionOptions } from "./corruption-check.ts";
import type { Member } from "./member.ts";
import { followVersion, versionCheckMs } from "./version-monitor.ts";

export const noChecks: CorruptionOptions = {
  checkEveryMs: 0,
  compactHashCheckMs: 0,
  initialCheck: false,
};

export class Upkeep {
  readonly #member: Member;
  readonly #timers = new Set<unknown>();
  readonly #check: CorruptionCheck;

  constructor(member: Member, connect: (url: string) => Channel) {
    this.#member = member;
    this.#check = new CorruptionCheck(member, connect);
  }

  /** Throws when the member must not go on. */
  async start(corruption: CorruptionOptions): Promise<void> {
    const { checkEveryMs, compactHashCheckMs, initialCheck } = corruption;
    // Who has just begun has nothing that could be wrong.
    if (initialCheck && this.#member.state.store.revision > 1) await this.#check.initial();
    this.#every(versionCheckMs, () => followVersion(this.#member));
    this.#every(checkEveryMs, () => this.#check.periodic());
    this.#every(compactHashCheckMs, () => this.#check.ofCompactions());
  }

  #every(ms: number, work: () => Promise<void>): void {
    if (ms <= 0) return;
    const { clock, log } = this.#member;
    const again = () => {
      const timer = clock.setTimeout(async () => {
        this.#timers.delete(timer);
        try {
          await work();
        } catch (error) {
          log.warn({ error: String(error) }, "upkeep was not possible");
        }
        if (!this.#isClosed) again();
      }, ms);
      this.#timers.add(timer);
    };
    again();
  }

  #isClosed = false;

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) this.#member.clock.clearTimeout(timer as never);
  }
}
