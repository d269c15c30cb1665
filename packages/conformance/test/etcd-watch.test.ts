/** Watch, lease and compaction, on etcd-lite and on etcd itself: the same steps, every subject. */
import type { Init, etcd as proto } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcome } from "../src/etcd/plain.ts";
import { bytes, play, words } from "../src/etcd/words.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

type Create = Init<proto.WatchCreateRequest>;

/** One watch stream; every answer as a line. */
function watching(etcd: EtcdInstance, ...creates: Create[]) {
  const stream = etcd.watch.watch();
  for (const createRequest of creates) stream.write({ createRequest });
  const answers = stream.responses[Symbol.asyncIterator]();
  return {
    stream,
    /** Lines of the next answers, until there are `count` of them. */
    async lines(count: number): Promise<string[]> {
      const lines: string[] = [];
      while (lines.length < count) {
        const { value, done } = await answers.next();
        if (done) throw new Error("the stream ended");
        lines.push(...linesOf(value));
      }
      return lines;
    },
    stop: () => stream.cancel(),
  };
}

function linesOf(answer: proto.WatchResponse): string[] {
  const { watchId, created, canceled, compactRevision, cancelReason, events } = answer;
  const flags = [created && "created", canceled && "canceled"].filter(Boolean).join(" ");
  const compact = compactRevision > 0 ? ` compacted ${compactRevision}` : "";
  const reason = cancelReason === "" ? "" : `: ${cancelReason}`;
  if (flags !== "") return [`${watchId} ${flags}${compact}${reason}`];
  if (events.length === 0) return [`${watchId} progress ${answer.header!.revision}`];
  return events.map(({ type, kv, prevKv }) => {
    const what = type === 1 ? `del ${words(kv!.key)}` : `put ${words(kv!.key)}=${words(kv!.value)}`;
    const before = prevKv === undefined ? "" : ` was ${words(prevKv.value)}`;
    return `${watchId} ${what} at ${kv!.modRevision}${before}`;
  });
}

for (const { name, skip, open } of etcdSubjects()) {
  describe.skipIf(skip !== undefined)(skip === undefined ? name : `${name}: ${skip}`, () => {
    let etcd: EtcdInstance;
    beforeAll(async () => {
      etcd = await open();
    });
    afterAll(() => etcd?.close());
    const all = { key: bytes("\0"), rangeEnd: bytes("\0") };

    test("changes come as they happen, a transaction whole, each watch its own", async () => {
      const watch = watching(
        etcd,
        { ...all, prevKv: true },
        { key: bytes("a") },
        { ...all, filters: [0] },
        { ...all, filters: [1] },
      );
      expect(await watch.lines(4)).toEqual(["0 created", "1 created", "2 created", "3 created"]);
      await play(etcd, ["put a 1", "put a 2", "put b 1", "del a c"]);
      // etcd tells the watches of one change in any order: each watch's own order is the promise.
      const lines = await watch.lines(5 + 3 + 2 + 3);
      const of = (id: number) => lines.filter((line) => line.startsWith(`${id} `));
      expect(of(0)).toEqual([
        "0 put a=1 at 2",
        "0 put a=2 at 3 was 1",
        "0 put b=1 at 4",
        "0 del a at 5 was 2",
        "0 del b at 5 was 1",
      ]);
      expect(of(1)).toEqual(["1 put a=1 at 2", "1 put a=2 at 3", "1 del a at 5"]);
      expect(of(2)).toEqual(["2 del a at 5", "2 del b at 5"]);
      expect(of(3)).toEqual(["3 put a=1 at 2", "3 put a=2 at 3", "3 put b=1 at 4"]);
      watch.stop();
    });

    test("a start in the past gives the past, then the present", async () => {
      const watch = watching(etcd, { ...all, startRevision: 4 });
      expect(await watch.lines(4)).toEqual([
        "0 created",
        "0 put b=1 at 4",
        "0 del a at 5",
        "0 del b at 5",
      ]);
      await play(etcd, ["put c 1"]);
      expect(await watch.lines(1)).toEqual(["0 put c=1 at 6"]);
      watch.stop();
    });

    test("a start in the future waits for it", async () => {
      const watch = watching(etcd, { ...all, startRevision: 8 });
      await watch.lines(1);
      await play(etcd, ["put d 1", "put d 2"]);
      expect(await watch.lines(1)).toEqual(["0 put d=2 at 8"]);
      watch.stop();
    });

    test("ids: chosen, taken twice, cancelled; an empty span", async () => {
      const watch = watching(etcd, { ...all, watchId: 7 }, { ...all, watchId: 7 }, all);
      expect(await watch.lines(3)).toEqual([
        "7 created",
        "-1 created canceled: mvcc: duplicate watch ID provided on the WatchStream",
        "0 created",
      ]);
      watch.stream.write({ cancelRequest: { watchId: 7 } });
      watch.stream.write({ cancelRequest: { watchId: 99 } });
      watch.stream.write({ createRequest: { key: bytes("b"), rangeEnd: bytes("a") } });
      watch.stream.write({ createRequest: { ...all, startRevision: -1 } });
      expect(await watch.lines(3)).toEqual([
        "7 canceled",
        "-1 created canceled: mvcc: watcher range is empty",
        "-1 created canceled: etcdserver: mvcc: required revision has been compacted",
      ]);
      watch.stop();
    });

    test("progress on request is a bookmark for the whole stream", async () => {
      const watch = watching(etcd, all);
      await watch.lines(1);
      watch.stream.write({ progressRequest: {} });
      expect(await watch.lines(1)).toEqual(["-1 progress 8"]);
      watch.stop();
    });

    test("compaction: what it forgets, what it refuses, and a watch that comes too late", async () => {
      await play(etcd, ["compact 6"]);
      const compact = (revision: number) => outcome(etcd.kv.compact({ revision }));
      const gone = { code: 11, message: "etcdserver: mvcc: required revision has been compacted" };
      expect(await compact(6)).toEqual(gone);
      expect(await compact(5)).toEqual(gone);
      const future = "etcdserver: mvcc: required revision is a future revision";
      expect(await compact(9)).toEqual({ code: 11, message: future });
      const late = watching(etcd, { ...all, startRevision: 5 });
      expect(await late.lines(2)).toEqual(["0 created", "0 canceled compacted 6"]);
      late.stop();
      const just = watching(etcd, { ...all, startRevision: 6 });
      const rest = ["0 put c=1 at 6", "0 put d=1 at 7", "0 put d=2 at 8"];
      expect(await just.lines(4)).toEqual(["0 created", ...rest]);
      just.stop();
    });

    test("leases: granted, refused, renewed, their keys gone with them", async () => {
      const { lease, kv } = etcd;
      const granted = await lease.leaseGrant({ ID: 21n, TTL: 100 });
      expect({ ID: granted.ID, TTL: granted.TTL }).toEqual({ ID: 21n, TTL: 100 });
      expect((await lease.leaseGrant({ ID: 22n, TTL: 1 })).TTL).toBe(2); // Its least time.
      const refused = (code: number, why: string) => ({ code, message: `etcdserver: ${why}` });
      expect(await outcome(lease.leaseGrant({ ID: 21n, TTL: 5 }))).toEqual(
        refused(9, "lease already exists"),
      );
      expect(await outcome(lease.leaseGrant({ TTL: 9_000_000_001 }))).toEqual(
        refused(11, "too large lease TTL"),
      );
      expect(await outcome(lease.leaseRevoke({ ID: 999n }))).toEqual(
        refused(5, "requested lease not found"),
      );
      await play(etcd, ["put l1 1 21", "put l2 1 21", "put l3 1 22"]);
      const stream = lease.leaseKeepAlive();
      for (const ID of [21n, 999n]) stream.write({ ID });
      stream.end();
      const renewed: string[] = [];
      for await (const { ID, TTL } of stream.responses) renewed.push(`${ID} ${TTL}`);
      expect(renewed).toEqual(["21 100", "999 0"]);
      const time = await lease.leaseTimeToLive({ ID: 21n, keys: true });
      expect(time.grantedTTL).toBe(100);
      expect(time.keys.map(words).sort()).toEqual(["l1", "l2"]);
      expect((await lease.leaseTimeToLive({ ID: 999n })).TTL).toBe(-1);

      const watch = watching(etcd, { key: bytes("l"), rangeEnd: bytes("m") });
      await watch.lines(1);
      await lease.leaseRevoke({ ID: 21n });
      expect(await watch.lines(2)).toEqual(["0 del l1 at 12", "0 del l2 at 12"]);
      // 22 was never renewed: it runs out by itself.
      expect(await watch.lines(1)).toEqual(["0 del l3 at 13"]);
      watch.stop();
      expect((await lease.leaseLeases({})).leases).toEqual([]);
      expect((await kv.range(all)).count).toBe(2);
    });
  });
}
