import { createFakeClock, nullLog } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { type CompactionOptions, compactRegularly } from "./etcd-compaction.ts";

const fiveMinutes = 5 * 60_000;

/** An etcd whose revision is 100 more at each round; `value` is what stands under the round key. */
function fakeEtcd() {
  const key = { version: 0, value: "0" };
  const compacted: number[] = [];
  let revision = 0;
  const kv = {
    txn: async ({ compare, success }: { compare: { version: number }[]; success: object[] }) => {
      revision += 100;
      const header = { revision };
      const succeeded = compare[0]!.version === key.version;
      if (!succeeded) {
        const kvs = [{ version: key.version, value: new TextEncoder().encode(key.value) }];
        return { header, succeeded, responses: [{ responseRange: { kvs } }] };
      }
      const [{ requestPut }] = success as [{ requestPut: { value: Uint8Array } }];
      key.version += 1;
      key.value = new TextDecoder().decode(requestPut.value);
      return { header, succeeded, responses: [] };
    },
    compact: async (request: { revision: number }) => void compacted.push(request.revision),
  };
  return { kv: kv as unknown as CompactionOptions["kv"], key, compacted };
}

test("a round forgets what the one before it saw, whoever of several servers makes it", async () => {
  const { kv, key, compacted } = fakeEtcd();
  const clock = createFakeClock();
  const stop = new AbortController();
  const told: number[] = [];
  const onRound = (revision: number) => void told.push(revision);
  const done = compactRegularly({ kv, clock, log: nullLog, signal: stop.signal, onRound });
  await clock.step(fiveMinutes);
  await clock.step(fiveMinutes);
  expect(told).toEqual([0, 100]);
  // Another server writes the third round.
  key.version += 1;
  key.value = "250";
  await clock.step(fiveMinutes);
  await clock.step(fiveMinutes);
  expect(told).toEqual([0, 100, 250, 300]);
  expect(compacted).toEqual([100, 300]);
  stop.abort();
  await done;
});
