/**
 * HashKV after random puts, deletes and compactions: of now, of the past, and of revisions that
 * were compacted to, where both answer with what they took while compacting.
 */
import { createSeededRandom } from "@nanokube/machinery";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcome } from "../src/etcd/plain.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

const [, lite, upstream] = etcdSubjects();
const skip = upstream!.skip;
const stepCount = Number(process.env["HASH_STEPS"] ?? 250);

describe.skipIf(skip !== undefined)(`HashKV, beside etcd${skip ? `: ${skip}` : ""}`, () => {
  let open: EtcdInstance[] = [];
  beforeAll(async () => {
    open = await Promise.all([lite!.open(), upstream!.open()]);
  });
  afterAll(() => Promise.all(open.map((one) => one.close())));

  const both = async (ask: (subject: EtcdInstance) => Promise<unknown>, what: string) => {
    const [mine, theirs] = await Promise.all(open.map((one) => outcome(ask(one))));
    expect(mine, what).toEqual(theirs);
  };

  test.each([1, 2, 3, 4])("seed %i", async (seed) => {
    const random = createSeededRandom(seed);
    const { header } = await open[0]!.kv.range({ key: Buffer.from("x") });
    let revision = header!.revision;
    const compactions: number[] = [];
    for (let i = 0; i < stepCount; i++) {
      const what = `seed ${seed}, step ${i}`;
      const [dice, other] = [random.next(), random.next()];
      const back = Math.max(1, revision - Math.floor(random.next() * 8));
      const key = Buffer.from(`k${Math.floor(random.next() * 5)}`);
      if (dice < 0.45) {
        await both(({ kv }) => kv.put({ key, value: Buffer.from(String(i)) }), what);
        revision++;
      } else if (dice < 0.7) {
        const rangeEnd = Buffer.from(other < 0.4 ? "z" : "");
        const before = (await open[0]!.kv.range({ key, rangeEnd, countOnly: true })).count;
        await both(({ kv }) => kv.deleteRange({ key, rangeEnd }), what);
        if (before > 0) revision++;
      } else if (dice < 0.85) {
        await both(({ kv }) => kv.compact({ revision: back, physical: true }), what);
        compactions.push(back);
      } else {
        const earlier = compactions[Math.floor(random.next() * compactions.length)] ?? 0;
        const asked = other < 0.6 ? earlier : back;
        await both(
          ({ maintenance }) => maintenance.hashKV({ revision: asked }),
          `${what}: ${asked}`,
        );
      }
    }
  });
});
