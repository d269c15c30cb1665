/**
 * The same random script on etcd-lite and on etcd: every reply, every error text, every watch event.
 *
 * ETCD_OPERATIONS and ETCD_SEED make it longer or another one.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { outcome, plain } from "../src/etcd/plain.ts";
import { type Operation, RandomScript } from "../src/etcd/random-script.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

const operations = Number(process.env["ETCD_OPERATIONS"] ?? 1500);
const firstSeed = Number(process.env["ETCD_SEED"] ?? 1);

function run(subject: EtcdInstance, { op, request }: Operation): Promise<unknown> {
  switch (op) {
    case "leaseGrant":
    case "leaseRevoke":
      return outcome(subject.lease[op](request as never));
    case "leaseTimeToLive":
      return outcome(subject.lease[op](request as never)).then((reply) => {
        // The remaining time is the clock's, and etcd lists the keys in any order.
        const { TTL: _, keys, ...rest } = reply as { TTL?: number; keys?: string[] };
        return { ...rest, ...(keys === undefined ? {} : { keys: [...keys].sort() }) };
      });
    case "hashKV":
      return outcome(subject.maintenance.hashKV(request as never));
    default:
      return outcome(subject.kv[op](request as never));
  }
}

interface Watched {
  readonly events: unknown[];
  untilRevision(revision: number): Promise<void>;
  stop(): void;
}

/** Several watches on one stream; the bookmark at the end says that everything has come. */
function watch(subject: EtcdInstance): Watched {
  const stream = subject.watch.watch();
  const all = { key: Buffer.from("\0"), rangeEnd: Buffer.from("\0") };
  const specs = [
    { ...all, watchId: 1, prevKv: true },
    { ...all, watchId: 2, filters: [0] },
    { ...all, watchId: 3, filters: [1], prevKv: true },
    { key: Buffer.from("a"), watchId: 4 },
    { key: Buffer.from("a"), rangeEnd: Buffer.from("c"), watchId: 5 },
    { key: Buffer.from("k/"), rangeEnd: Buffer.from("k0"), watchId: 6, startRevision: 1 },
  ];
  for (const createRequest of specs) stream.write({ createRequest });
  const events: unknown[] = [];
  let last = 0;
  const reading = (async () => {
    for await (const response of stream.responses) {
      if (response.watchId === -1) last = Math.max(last, response.header?.revision ?? 0);
      for (const event of response.events) {
        events.push({ watch: response.watchId, event: plain(event) });
      }
    }
  })();
  reading.catch(() => {}); // Ends by cancel.
  return {
    events,
    async untilRevision(revision) {
      while (last < revision) {
        stream.write({ progressRequest: {} });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    stop: () => stream.cancel(),
  };
}

/** etcd tells different watches of one change in any order: each watch's own order counts. */
function byWatch(events: readonly unknown[]): Record<string, unknown[]> {
  return Object.groupBy(events, (e) => String((e as { watch: number }).watch)) as Record<
    string,
    unknown[]
  >;
}

const [, lite, upstream] = etcdSubjects();

describe.skipIf(upstream!.skip !== undefined)(
  `etcd-lite and etcd give the same replies${upstream!.skip ? `: ${upstream!.skip}` : ""}`,
  () => {
    let ours: EtcdInstance;
    let theirs: EtcdInstance;
    beforeEach(async () => {
      [ours, theirs] = await Promise.all([lite!.open(), upstream!.open()]);
    });
    afterEach(() => Promise.all([ours?.close(), theirs?.close()]));

    test.each([firstSeed, firstSeed + 1])("seed %i", async (seed) => {
      const script = new RandomScript(seed);
      const watches = [watch(ours), watch(theirs)] as const;
      // etcd looks at a new watch only every 100 ms: a compaction before that would end it.
      for (const watched of watches) await watched.untilRevision(1);
      let revision = 1;
      for (let i = 0; i < operations; i++) {
        const operation = script.next(revision);
        const [mine, wanted] = await Promise.all([run(ours, operation), run(theirs, operation)]);
        if (JSON.stringify(mine) !== JSON.stringify(wanted)) {
          const what = JSON.stringify(plain(operation));
          expect(mine, `seed ${seed}, operation ${i}: ${what}`).toEqual(wanted);
        }
        revision = (wanted as { header?: { revision: number } }).header?.revision ?? revision;
      }
      for (const watched of watches) {
        await watched.untilRevision(revision);
        watched.stop();
      }
      expect(byWatch(watches[0].events)).toEqual(byWatch(watches[1].events));
    });
  },
);
