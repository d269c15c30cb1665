/**
 * Seeded histories: operations drawn so that they meet (few keys, revisions near the borders).
 *
 * The generator plays along on the model, so that it knows which revisions exist and which are
 * compacted; what it asks is always inside the interface's promise.
 */
import type { Random } from "@nanokube/machinery";
import { Model, type ModelReply } from "./model.ts";
import type { Operation, Query, Step } from "./operation.ts";

/** What may be drawn, by weight. */
export type Kind =
  | "put"
  | "get"
  | "range"
  | "pastGet"
  | "pastRange"
  | "futureGet"
  | "compactedGet"
  | "delete"
  | "deleteAbsent"
  | "txn"
  | "guarded"
  | "peekTxn"
  | "compact"
  | "refusedCompact"
  | "changes"
  | "versions"
  | "state"
  | "fork"
  | "forkRange";

export interface Recipe {
  readonly keys: readonly string[];
  readonly mix: Readonly<Partial<Record<Kind, number>>>;
  readonly length: number;
  /** Ends of ranges; default covers single keys, halves and "from here on". */
  readonly ends?: readonly string[];
  readonly limits?: boolean;
  /** What every history must do at least twice, else the check would pass by luck. */
  tells(op: Operation, reply: ModelReply): boolean;
  /** Asked at the end. */
  readonly last?: readonly Kind[];
}

const stepsMax = 4;

export function drawHistory(recipe: Recipe, random: Random): Operation[] {
  return new Generator(recipe, random).history();
}

class Generator {
  readonly #recipe: Recipe;
  readonly #random: Random;
  readonly #model = new Model();
  readonly #history: Operation[] = [];
  #told = 0;

  constructor(recipe: Recipe, random: Random) {
    this.#recipe = recipe;
    this.#random = random;
  }

  history(): Operation[] {
    const { length, last = [] } = this.#recipe;
    this.#add(this.#draw("put"));
    for (let i = 1; i < length * 4 && (i < length || this.#told < 2); i++) {
      this.#add(this.#draw(this.#kind()));
    }
    for (const kind of last) this.#add(this.#draw(kind));
    return this.#history;
  }

  #add(op: Operation): void {
    const reply = this.#model.apply(op);
    if (reply === undefined) return;
    if (this.#recipe.tells(op, reply)) this.#told++;
    this.#history.push(op);
  }

  #kind(): Kind {
    const entries = Object.entries(this.#recipe.mix) as [Kind, number][];
    let roll = this.#random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [kind, weight] of entries) {
      roll -= weight;
      if (roll < 0) return kind;
    }
    return entries[0]![0];
  }

  #draw(kind: Kind): Operation {
    const { revision, compactedRevision: compacted } = this.#model;
    const oldest = Math.max(compacted, 1);
    switch (kind) {
      case "put":
        return { op: "txn", steps: [this.#put(this.#key())] };
      case "get":
        return { op: "range", query: { key: this.#key() } };
      case "range":
        return { op: "range", query: this.#span() };
      case "pastGet":
        return { op: "range", query: { key: this.#key(), revision: this.#past() } };
      case "pastRange":
        return { op: "range", query: { ...this.#span(), revision: this.#past() } };
      case "futureGet":
        return { op: "range", query: { key: this.#key(), revision: revision + this.#upTo(3) } };
      case "compactedGet":
        return { op: "range", query: { key: this.#key(), revision: this.#around(oldest) } };
      case "delete":
        return { op: "txn", steps: [this.#delete()] };
      case "deleteAbsent":
        return { op: "txn", steps: [{ do: "delete", key: `absent-${this.#upTo(9)}` }] };
      case "txn":
        return { op: "txn", steps: this.#steps(false) };
      case "peekTxn":
        return { op: "txn", steps: this.#steps(true) };
      case "guarded":
        return { op: "txn", guard: this.#guard(), steps: this.#steps(false) };
      case "compact":
        return { op: "compact", revision: this.#past() };
      case "refusedCompact": {
        const tooNew = this.#chance(0.5);
        return { op: "compact", revision: tooNew ? revision + this.#upTo(3) : oldest };
      }
      case "changes":
        return { op: "changes", from: Math.max(this.#past(), compacted + 1, 2) };
      case "forkRange":
        return { op: "forkRange", query: this.#span() };
      case "versions":
      case "state":
      case "fork":
        return { op: kind };
    }
  }

  #chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  /** 1 … most */
  #upTo(most: number): number {
    return 1 + Math.floor(this.#random.next() * most);
  }

  #one<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random.next() * items.length)]!;
  }

  #key(): string {
    return this.#one(this.#recipe.keys);
  }

  /** A revision that can be read; the borders more often than the middle. */
  #past(): number {
    const { revision, compactedRevision } = this.#model;
    const oldest = Math.max(compactedRevision, 1);
    const within = oldest + Math.floor(this.#random.next() * (revision - oldest + 1));
    return this.#one([within, within, within, oldest, revision, Math.max(oldest, revision - 1)]);
  }

  /** At, just before or just after the border, and always one that exists. */
  #around(border: number): number {
    const near = border + this.#one([-2, -1, -1, 0, 0, 1]);
    return Math.min(Math.max(near, 1), this.#model.revision);
  }

  #span(): Query {
    const limit = this.#recipe.limits === true ? this.#one([0, 1, 2, 3]) : 0;
    const countOnly = this.#recipe.limits === true && this.#chance(0.2);
    return {
      ...this.#bounds(),
      ...(limit > 0 ? { limit } : {}),
      ...(countOnly ? { countOnly } : {}),
    };
  }

  #bounds(): { key: string; end?: string } {
    const ends = this.#recipe.ends ?? [...this.#recipe.keys, ""];
    const key = this.#key();
    return this.#chance(0.15) ? { key } : { key, end: this.#one(ends) };
  }

  #put(key: string): Step {
    const lease = this.#chance(0.2) ? this.#upTo(3) : 0;
    return { do: "put", key, value: String(this.#upTo(99)), lease };
  }

  #delete(): Step {
    if (this.#chance(0.6)) return { do: "delete", key: this.#key() };
    return { do: "delete", ...this.#bounds() };
  }

  #guard(): { key: string; version: number } {
    const key = this.#key();
    const now = this.#model.aliveAt(this.#model.revision).find((kv) => kv[0] === key);
    return { key, version: this.#chance(0.6) ? (now?.[4] ?? 0) : this.#upTo(3) };
  }

  /** A key is written once in a transaction: etcd refuses more. */
  #steps(isPeeking: boolean): Step[] {
    const steps: Step[] = [];
    const written = new Set<string>();
    const count = 1 + this.#upTo(stepsMax - 1);
    for (let i = 0; i < count; i++) {
      const key = this.#key();
      const roll = this.#random.next();
      if (roll < 0.45 || i === 0) {
        if (!written.has(key)) steps.push(this.#put(key));
        written.add(key);
      } else if (roll < 0.6) {
        if (!written.has(key)) steps.push({ do: "delete", key });
        written.add(key);
      } else if (isPeeking) steps.push({ do: "peek", query: this.#span() });
      else steps.push({ do: "range", query: this.#span() });
    }
    if (isPeeking) steps.push({ do: "peek", query: { key: this.#recipe.keys[0]!, end: "" } });
    return steps;
  }
}
