/**
 * What etcd promises of watches, as properties of what watchers saw while several clients wrote:
 *
 *   ordered       revisions never go back
 *   unique        a change comes once
 *   reliable      no change is left out in the middle
 *   atomic        the changes of one transaction come together
 *   resumable     a watch from the revision after the last one goes on where that one ended
 *   bookmarkable  a progress answer says that everything up to its revision has come
 *   no gaps       several watches of parts are the whole
 *
 * The truth is what the writers were answered. Seeded; ETCD_SEED makes it another one.
 * Source  etcd.io/docs/v3.6/learning/api_guarantees, "Watch APIs"
 */
import { createSeededRandom, type Random } from "@nanokube/machinery";
import type { ClientStream, etcd } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytes, words } from "../src/etcd/words.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

const seed = Number(process.env["ETCD_SEED"] ?? 1);
const writers = 4;
const writesEach = 150;

/** `put key` or `delete key`, by revision. */
type History = Map<number, string[]>;

const keyOf = (random: Random) => `${"abc"[Math.floor(random.next() * 3)]}/${pick(random, 8)}`;
const pick = (random: Random, count: number) => Math.floor(random.next() * count);

async function write({ kv }: EtcdInstance, random: Random, truth: History): Promise<void> {
  const roll = random.next();
  if (roll < 0.6) {
    const key = keyOf(random);
    const { header } = await kv.put({ key: bytes(key), value: bytes(String(random.next())) });
    truth.set(header!.revision, [`put ${key}`]);
    return;
  }
  if (roll < 0.75) {
    const key = keyOf(random);
    const range = { key: bytes(key), rangeEnd: bytes(`${key.slice(0, 2)}9`), prevKv: true };
    const { header, prevKvs } = await kv.deleteRange(range);
    const gone = prevKvs.map((kv) => `delete ${words(kv.key)}`);
    if (gone.length > 0) truth.set(header!.revision, gone);
    return;
  }
  const keys = [...new Set([keyOf(random), keyOf(random), keyOf(random)])];
  const success = keys.map((key) => ({ requestPut: { key: bytes(key) } }));
  const { header } = await kv.txn({ success });
  truth.set(
    header!.revision,
    keys.map((key) => `put ${key}`),
  );
}

interface Seen {
  readonly revision: number;
  readonly what: string;
  /** Which answer it came with. */
  readonly answer: number;
}

class Watcher {
  readonly seen: Seen[] = [];
  readonly bookmarks: { readonly revision: number; readonly seenCount: number }[] = [];
  readonly prefix: string;
  readonly #subject: EtcdInstance;
  readonly #random: Random;
  #stream: ClientStream<etcd.WatchRequest, etcd.WatchResponse> | undefined;
  #answers = 0;
  #next: number;
  #isOver = false;
  #done: Promise<void> | undefined;

  constructor(subject: EtcdInstance, prefix: string, random: Random) {
    this.#subject = subject;
    this.#random = random;
    this.prefix = prefix;
    this.#next = 2;
  }

  /** Watches, breaks off now and then, and goes on after the last revision it saw. */
  start(): void {
    this.#done = (async () => {
      while (!this.#isOver) await this.#watchOnce();
    })();
  }

  async #watchOnce(): Promise<void> {
    const stream = this.#subject.watch.watch();
    this.#stream = stream;
    const end = this.prefix === "" ? "\0" : `${this.prefix.slice(0, -1)}0`;
    const key = this.prefix === "" ? "\0" : this.prefix;
    const range = { key: bytes(key), rangeEnd: bytes(end), startRevision: this.#next };
    stream.write({ createRequest: { ...range, watchId: 1, progressNotify: true } });
    const answersMax = 5 + pick(this.#random, 60);
    try {
      for await (const response of stream.responses) {
        if (response.watchId === -1 && !response.created) {
          const { revision } = response.header!;
          this.bookmarks.push({ revision, seenCount: this.seen.length });
        }
        this.#take(response);
        if (response.events.length > 0) stream.write({ progressRequest: {} });
        if (this.#answers % answersMax === answersMax - 1 && !this.#isOver) break;
      }
    } catch {
      // Broken off: it goes on below.
    }
    stream.cancel();
  }

  #take({ events }: etcd.WatchResponse): void {
    this.#answers++;
    for (const { type, kv } of events) {
      const what = `${type === 1 ? "delete" : "put"} ${words(kv!.key)}`;
      this.seen.push({ revision: kv!.modRevision, what, answer: this.#answers });
      this.#next = kv!.modRevision + 1;
    }
  }

  async until(revision: number): Promise<void> {
    // Who resumed behind the last revision gets no bookmark of it: it has not begun.
    const reached = () => Math.max(this.bookmarks.at(-1)?.revision ?? 0, this.#next - 1);
    while (reached() < revision) {
      this.#stream?.write({ progressRequest: {} });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#isOver = true;
    this.#stream?.cancel();
    await this.#done;
  }
}

/** The truth of one prefix as lines, in order of revision. */
function linesOf(truth: History, prefix: string, upTo = Number.POSITIVE_INFINITY): string[] {
  const revisions = [...truth.keys()].filter((r) => r <= upTo).sort((a, b) => a - b);
  return revisions.flatMap((revision) =>
    truth
      .get(revision)!
      .filter((what) => what.split(" ")[1]!.startsWith(prefix))
      .sort()
      .map((what) => `${revision} ${what}`),
  );
}

function seenLines(seen: readonly Seen[]): string[] {
  const order = (a: Seen, b: Seen) => a.revision - b.revision || (a.what < b.what ? -1 : 1);
  return [...seen].sort(order).map(({ revision, what }) => `${revision} ${what}`);
}

describe.each(etcdSubjects())("$name", ({ open, skip }) => {
  describe.skipIf(skip !== undefined)(skip ?? `seed ${seed}`, () => {
    let subject: EtcdInstance;
    let watchers: Watcher[];
    const truth: History = new Map();
    beforeAll(async () => {
      subject = await open();
      watchers = ["", "", "a/", "b/", "c/"].map(
        (prefix, i) => new Watcher(subject, prefix, createSeededRandom(seed * 100 + i)),
      );
      for (const watcher of watchers) watcher.start();
      await Promise.all(
        Array.from({ length: writers }, async (_, i) => {
          const random = createSeededRandom(seed * 1000 + i);
          for (let n = 0; n < writesEach; n++) await write(subject, random, truth);
        }),
      );
      const last = Math.max(...truth.keys());
      await Promise.all(watchers.map((watcher) => watcher.until(last)));
    }, 60_000);
    afterAll(() => subject?.close());

    test("ordered", () => {
      for (const { seen } of watchers) {
        const revisions = seen.map(({ revision }) => revision);
        expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
      }
    });

    test("unique", () => {
      for (const { seen } of watchers) {
        const lines = seenLines(seen);
        expect(new Set(lines).size).toBe(lines.length);
      }
    });

    test("reliable and resumable: everything that was written, over all resumptions", () => {
      for (const { seen, prefix } of watchers) {
        expect(seenLines(seen)).toEqual(linesOf(truth, prefix));
        expect(seen.length).toBeGreaterThan(50);
      }
    });

    test("atomic", () => {
      for (const { seen } of watchers) {
        const answerOf = new Map<number, number>();
        for (const { revision, answer } of seen) {
          expect(answerOf.get(revision) ?? answer, `revision ${revision}`).toBe(answer);
          answerOf.set(revision, answer);
        }
      }
    });

    test("bookmarkable", () => {
      for (const { seen, bookmarks, prefix } of watchers) {
        for (const { revision, seenCount } of bookmarks) {
          const before = seenLines(seen.slice(0, seenCount)).length;
          expect(before).toBeGreaterThanOrEqual(linesOf(truth, prefix, revision).length);
        }
        expect(bookmarks.length).toBeGreaterThan(0);
      }
    });

    test("no gaps: the parts are the whole", () => {
      const [whole, , ...parts] = watchers;
      const together = parts.flatMap(({ seen }) => seen);
      expect(seenLines(together)).toEqual(seenLines(whole!.seen));
    });
  });
});
