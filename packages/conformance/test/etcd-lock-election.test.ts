/** The Lock and Election services that etcd's server offers: the same answers on every etcd. */
import { createClient, etcd } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcome, plain } from "../src/etcd/plain.ts";
import { bytes, words } from "../src/etcd/words.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

const impatient = { timeoutMs: 300 };

describe.each(etcdSubjects())("$name", ({ open, skip }) => {
  describe.skipIf(skip !== undefined)(skip ?? "is there", () => {
    let subject: EtcdInstance;
    let locks: ReturnType<typeof createClient<typeof etcd.Lock>>;
    let elections: ReturnType<typeof createClient<typeof etcd.Election>>;
    beforeAll(async () => {
      subject = await open();
      locks = createClient(subject.channel, etcd.Lock);
      elections = createClient(subject.channel, etcd.Election);
      for (const ID of [1n, 2n, 3n]) await subject.lease.leaseGrant({ ID, TTL: 600 });
    });
    afterAll(() => subject?.close());

    const name = bytes("mutex");

    test("a lock is held once, waited for, and handed over in order", async () => {
      const first = await locks.lock({ name, lease: 1n });
      expect(words(first.key)).toBe("mutex/1");
      expect(words((await locks.lock({ name, lease: 1n })).key)).toBe("mutex/1");
      const order: string[] = [];
      const second = locks.lock({ name, lease: 2n }).then(({ key }) => order.push(words(key)));
      const isQueued = async () => (await subject.kv.range({ key: bytes("mutex/2") })).count === 1;
      while (!(await isQueued())) await new Promise((resolve) => setTimeout(resolve, 5));
      const third = locks.lock({ name, lease: 3n }).then(({ key }) => order.push(words(key)));
      await locks.unlock({ key: first.key });
      await second;
      await locks.unlock({ key: bytes("mutex/2") });
      await third;
      expect(order).toEqual(["mutex/2", "mutex/3"]);
      await locks.unlock({ key: bytes("mutex/3") });
    });

    test("who gives up waiting leaves no key behind", async () => {
      await locks.lock({ name, lease: 1n });
      await expect(locks.lock({ name, lease: 2n }, impatient)).rejects.toMatchObject({ code: 4 });
      const left = async () => {
        const { kvs } = await subject.kv.range({ key: bytes("mutex/"), rangeEnd: bytes("mutex0") });
        return kvs.map(({ key }) => words(key));
      };
      while ((await left()).length > 1) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await left()).toEqual(["mutex/1"]);
      await locks.unlock({ key: bytes("mutex/1") });
    });

    test("no lease gets one of 60 seconds; a lease that is not there is refused", async () => {
      const { key } = await locks.lock({ name });
      const ID = BigInt(`0x${words(key).split("/")[1]}`);
      expect((await subject.lease.leaseTimeToLive({ ID })).grantedTTL).toBe(60);
      await locks.unlock({ key });
      expect(await outcome(locks.lock({ name, lease: 99n }))).toEqual({
        code: 2,
        message: "etcdserver: requested lease not found",
      });
    });

    test("an election: lead, proclaim, hear, hand over", async () => {
      const election = { name: bytes("election") };
      expect(await outcome(elections.leader(election))).toEqual({
        code: 2,
        message: "election: no leader",
      });
      const heard: string[] = [];
      const observing = elections.observe(election);
      const listening = (async () => {
        for await (const { kv } of observing.responses) heard.push(words(kv!.value));
      })();
      const until = async (count: number) => {
        while (heard.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
      };
      const ann = await elections.campaign({ ...election, lease: 1n, value: bytes("ann") });
      expect(plain(ann.leader)).toMatchObject({ name: "election", key: "election/1", lease: "1n" });
      await until(1);
      await elections.proclaim({ leader: ann.leader!, value: bytes("ann again") });
      await until(2);
      const bob = elections.campaign({ ...election, lease: 2n, value: bytes("bob") });
      await elections.resign({ leader: ann.leader! });
      const { leader } = await bob;
      await until(3);
      expect(heard).toEqual(["ann", "ann again", "bob"]);
      const { kv } = await elections.leader(election);
      expect(words(kv!.value)).toBe("bob");
      expect(await outcome(elections.proclaim({ leader: ann.leader!, value: bytes("x") }))).toEqual(
        {
          code: 2,
          message: "election: not leader",
        },
      );
      expect(await outcome(elections.proclaim({}))).toEqual({
        code: 2,
        message: '"leader" field must be provided',
      });
      expect(await outcome(elections.resign({}))).toEqual({
        code: 2,
        message: '"leader" field must be provided',
      });
      await elections.resign({ leader: leader! });
      observing.cancel();
      await listening.catch(() => {});
    });
  });
});
