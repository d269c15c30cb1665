/**
 * What must hold of all members together after every event (the Raft thesis, figure 3.2).
 *
 *     election safety       at most one leader a term
 *     log matching          same index and term: same entry, and same entry before it
 *     leader completeness   a new leader has every entry that was committed
 *     state machine safety  nobody commits another entry at an index; same index, same state
 *     commit moves forward  never back, never beyond the log
 */

import { crc32c } from "../core/crc32c.ts";
import { hashKV } from "../core/hash-kv.ts";
import type { MemberState } from "../core/member-state.ts";
import type { LogEntry, MemberId } from "../core/raft/message.ts";
import type { Raft } from "../core/raft/raft.ts";
import type { Proposal } from "../core/replica.ts";

export class Violation extends Error {
  override readonly name = "Violation";
}

interface Seen {
  /** How far this incarnation was looked at. */
  committed: number;
  checked: number;
  checkedTerm: number;
  wasLeaderOf: number;
  hashedIndex: number;
}

export class Invariants {
  readonly #leaders = new Map<number, MemberId>();
  /** `index:term` → what the entry is, and the term before it. */
  readonly #entries = new Map<string, string>();
  readonly #committed = new Map<number, string>();
  #committedMax = 0;
  readonly #hashes = new Map<number, number>();
  readonly #seen = new WeakMap<Raft, Seen>();

  check(raft: Raft, state: MemberState): void {
    let seen = this.#seen.get(raft);
    if (seen === undefined) {
      seen = { committed: 0, checked: 0, checkedTerm: 0, wasLeaderOf: 0, hashedIndex: 0 };
      this.#seen.set(raft, seen);
    }
    this.#checkLog(raft, seen);
    this.#checkCommit(raft, seen);
    if (raft.role.name === "leader") this.#checkLeader(raft, seen);
    this.#checkState(state, seen);
  }

  #checkLeader(raft: Raft, seen: Seen): void {
    const { id, term, log } = raft;
    const other = this.#leaders.get(term);
    if (other !== undefined && other !== id) {
      throw new Violation(`election safety: ${other} and ${id} both lead in term ${term}`);
    }
    if (seen.wasLeaderOf === term) return;
    seen.wasLeaderOf = term;
    this.#leaders.set(term, id);
    for (let index = log.firstIndex; index <= this.#committedMax; index++) {
      const wanted = this.#committed.get(index);
      const entry = log.entry(index);
      if (wanted === undefined || (entry !== undefined && nameOf(entry) === wanted)) continue;
      throw new Violation(`leader completeness: the leader of term ${term} lacks entry ${index}`);
    }
  }

  /** Only what is new: behind what was looked at, or all when the end was replaced. */
  #checkLog({ log }: Raft, seen: Seen): void {
    const isSame = log.term(seen.checked) === seen.checkedTerm;
    const from = isSame ? seen.checked + 1 : Math.max(log.committed, log.firstIndex);
    for (let index = Math.max(from, log.firstIndex); index <= log.lastIndex; index++) {
      const entry = log.entry(index)!;
      const what = `${nameOf(entry)} after ${log.term(index - 1)}`;
      const known = this.#entries.get(`${index}:${entry.term}`);
      if (known === undefined) this.#entries.set(`${index}:${entry.term}`, what);
      else if (known !== what) {
        throw new Violation(`log matching: entry ${index} is ${what} here, ${known} elsewhere`);
      }
    }
    seen.checked = log.lastIndex;
    seen.checkedTerm = log.lastTerm;
  }

  #checkCommit({ id, log }: Raft, seen: Seen): void {
    if (log.committed < seen.committed) {
      throw new Violation(`commit of ${id} goes back from ${seen.committed} to ${log.committed}`);
    }
    if (log.committed > log.lastIndex) throw new Violation(`commit of ${id} is beyond its log`);
    for (let index = seen.committed + 1; index <= log.committed; index++) {
      const entry = log.entry(index);
      if (entry === undefined) continue; // Part of a snapshot.
      const name = nameOf(entry);
      const known = this.#committed.get(index);
      if (known === undefined) this.#committed.set(index, name);
      else if (known !== name) {
        throw new Violation(
          `state machine safety: ${id} commits ${name} at ${index}, others ${known}`,
        );
      }
    }
    seen.committed = log.committed;
    this.#committedMax = Math.max(this.#committedMax, log.committed);
  }

  /** Every so often: a sum over everything is dear. */
  #checkState(state: MemberState, seen: Seen): void {
    if (state.index < seen.hashedIndex + 16 && state.index % 16 !== 0) return;
    if (state.index === seen.hashedIndex) return;
    seen.hashedIndex = state.index;
    this.checkHash(state);
  }

  checkHash(state: MemberState): void {
    const members = state.cluster.sorted.map(({ id, isLearner }) => `${id}${isLearner}`).join();
    const hash = crc32c(Buffer.from(members), hashKV(state.store, 0).hash);
    const known = this.#hashes.get(state.index);
    if (known === undefined) this.#hashes.set(state.index, hash);
    else if (known !== hash) {
      throw new Violation(`state machine safety: states differ after entry ${state.index}`);
    }
  }
}

const names = new WeakMap<object, string>();

function nameOf({ term, payload }: LogEntry): string {
  if (payload === undefined) return `${term}:leader`;
  const { raw } = payload as Proposal;
  let name = names.get(raw);
  if (name === undefined) {
    name = `${raw.kind}-${crc32c(raw.bytes, 0)}`;
    names.set(raw, name);
  }
  return `${term}:${name}`;
}
