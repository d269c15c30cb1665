/**
 * What etcd's key-value store means, in the simplest words there are: a list of changes.
 *
 * Nothing is indexed, nothing is forgotten, every question is answered by reading the list again.
 * It shares no line with etcd-lite, so that one is not the proof of the other; the transcripts
 * recorded from etcd are what holds it to the truth. Source  etcd v3.6 server/storage/mvcc,
 * server/etcdserver/txn; etcd.io/docs learning/api
 */
import {
  type Kv,
  type Operation,
  type Query,
  type RangeReply,
  type Reply,
  type Step,
  type StepReply,
  sortVersions,
} from "./operation.ts";

interface Change {
  readonly revision: number;
  readonly key: string;
  /** Undefined: the key was deleted. */
  readonly value: string | undefined;
  readonly lease: number;
}

/** Undefined: the interface promises nothing for this question, so that nothing may be concluded. */
export type ModelReply = Reply | undefined;

export interface Bound {
  readonly sizeBytesMax: number;
}

class Refused extends Error {
  readonly kind: "Compacted" | "FutureRevision";
  constructor(kind: "Compacted" | "FutureRevision") {
    super(kind);
    this.kind = kind;
  }
}

export class Model {
  readonly #changes: Change[] = [];
  revision = 1;
  compactedRevision = -1;
  #forkRevision: number | undefined;

  apply(op: Operation): ModelReply {
    try {
      return this.#apply(op);
    } catch (error) {
      if (error instanceof Refused) return { error: error.kind };
      throw error;
    }
  }

  #apply(op: Operation): ModelReply {
    switch (op.op) {
      case "range":
        return this.#range(op.query, this.revision);
      case "txn":
        return this.#transaction(op);
      case "compact":
        return this.#compact(op.revision);
      case "changes":
        return this.#changesFrom(op.from);
      case "versions":
        return { versions: this.#versions() };
      case "state":
        return { compactedRevision: this.compactedRevision, revision: this.revision };
      case "fork":
        this.#forkRevision = this.revision;
        return { forked: this.revision };
      case "forkRange":
        return this.#forkRange(op.query);
      case "measure":
        return { sizeBytes: this.#liveBytes(), heapBytes: this.#liveBytes() };
    }
  }

  /** Keys that live at the revision, in byte order. */
  aliveAt(revision: number): Kv[] {
    const alive = new Map<string, Kv>();
    for (const change of this.#changes) {
      if (change.revision > revision) break;
      if (change.value === undefined) alive.delete(change.key);
      else alive.set(change.key, born(change, alive.get(change.key)));
    }
    return [...alive.values()].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  /** `current` is one ahead of the store's inside a transaction that has written. */
  #range(query: Query, current: number): RangeReply {
    const asked = query.revision ?? 0;
    if (asked > current) throw new Refused("FutureRevision");
    if (asked > 0 && asked < this.compactedRevision) throw new Refused("Compacted");
    const found = this.aliveAt(asked > 0 ? asked : current).filter(([key]) => isIn(query, key));
    const limit = query.limit !== undefined && query.limit > 0 ? query.limit : found.length;
    const kvs = query.countOnly === true ? [] : found.slice(0, limit);
    return { kvs, count: found.length, revision: current };
  }

  #transaction({ guard, steps }: Operation & { op: "txn" }): Reply {
    const before = this.revision;
    const [guarded] = guard === undefined ? [] : this.#range({ key: guard.key }, before).kvs;
    if (guard !== undefined && (guarded?.[4] ?? 0) !== guard.version) {
      return { done: false, revision: before, steps: [] };
    }
    // What is refused is refused before anything is written.
    for (const step of steps) if (step.do === "range") this.#range(step.query, before);
    const replies = steps.map((step) => this.#step(step, before));
    const hasWritten = this.#changes.at(-1)?.revision === before + 1;
    if (hasWritten) this.revision = before + 1;
    return { done: true, revision: this.revision, steps: replies };
  }

  #step(step: Step, before: number): StepReply {
    const revision = before + 1;
    const seen = this.#changes.at(-1)?.revision === revision ? revision : before;
    switch (step.do) {
      case "range":
        return this.#range(step.query, seen);
      case "peek":
        return this.#range(step.query, before);
      case "put": {
        const { key, value, lease } = step;
        this.#changes.push({ revision, key, value, lease });
        return { kv: this.#range({ key }, revision).kvs[0]! };
      }
      case "delete": {
        const { kvs } = this.#range(step, seen);
        for (const [key] of kvs) this.#changes.push({ revision, key, value: undefined, lease: 0 });
        return { deleted: kvs.length };
      }
    }
  }

  #compact(revision: number): ModelReply {
    if (revision < 1) return undefined;
    if (revision <= this.compactedRevision) throw new Refused("Compacted");
    if (revision > this.revision) throw new Refused("FutureRevision");
    this.compactedRevision = revision;
    return { compactedRevision: revision, revision: this.revision };
  }

  #changesFrom(from: number): ModelReply {
    if (from < 2 || from <= this.compactedRevision || from > this.revision) return undefined;
    const changes: Kv[][] = [];
    for (let revision = from; revision <= this.revision; revision++) {
      changes.push(this.#versionsAt(revision));
    }
    return { changes };
  }

  /** In the order of the transaction; a tombstone is its key and its revision. */
  #versionsAt(revision: number): Kv[] {
    const alive = new Map(this.aliveAt(revision - 1).map((kv) => [kv[0], kv]));
    return this.#changes
      .filter((change) => change.revision === revision)
      .map((change) => {
        if (change.value === undefined) return [change.key, "", 0, revision, 0, "0"];
        return born(change, alive.get(change.key));
      });
  }

  #versions(): Kv[] {
    const kept = this.compactedRevision > 0 ? this.aliveAt(this.compactedRevision) : [];
    const since: Kv[] = [];
    for (let at = Math.max(this.compactedRevision + 1, 2); at <= this.revision; at++) {
      since.push(...this.#versionsAt(at));
    }
    return sortVersions([...kept, ...since]);
  }

  #forkRange(query: Query): ModelReply {
    const forked = this.#forkRevision;
    if (forked === undefined || (query.revision ?? 0) > forked) return undefined;
    if (this.compactedRevision > 0) return undefined;
    return this.#range({ ...query, revision: query.revision || forked }, forked);
  }

  #liveBytes(): number {
    const live = this.aliveAt(this.revision);
    return live.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  }
}

function born({ key, value, revision, lease }: Change, before: Kv | undefined): Kv {
  const version = before === undefined ? 1 : before[4] + 1;
  return [key, value ?? "", before?.[2] ?? revision, revision, version, String(lease)];
}

function isIn({ key, end }: Query, candidate: string): boolean {
  if (end === undefined) return candidate === key;
  return candidate >= key && (end === "" || candidate < end);
}
