/** What the store takes up, and what of that is in use: on Status and on /metrics. */
import { createSeededRandom, nullLog, systemClock } from "@nanokube/machinery";
import { createClient, etcd } from "@nanokube/rpc";
import { expect, test } from "vitest";
import { createEtcd } from "./etcd.ts";
import { metricsText } from "./metrics-text.ts";

test("a compaction frees what is in use at once, and what is held when it is cleared away", async () => {
  const random = createSeededRandom(1);
  const server = await createEtcd({ clock: systemClock, random, log: nullLog });
  const kv = createClient(server.channel(), etcd.KV);
  const maintenance = createClient(server.channel(), etcd.Maintenance);
  const sizes = async () => {
    const { dbSize, dbSizeInUse } = await maintenance.status({});
    const text = metricsText(server.member);
    for (const [name, size] of [
      ["etcd_mvcc_db_total_size_in_bytes", dbSize],
      ["etcd_mvcc_db_total_size_in_use_in_bytes", dbSizeInUse],
    ] as const) {
      expect(text).toContain(`\n${name} ${size}\n`);
    }
    expect(dbSize).toBeGreaterThanOrEqual(dbSizeInUse);
    return { dbSize, dbSizeInUse };
  };
  const empty = await sizes();
  const value = Buffer.alloc(1000, "v");
  let revision = 0;
  for (let i = 0; i < 2000; i++) {
    revision = (await kv.put({ key: Buffer.from(`k${i % 10}`), value })).header!.revision;
  }
  const full = await sizes();
  expect(full.dbSizeInUse).toBeGreaterThan(empty.dbSizeInUse + 2_000_000);
  await kv.compact({ revision, physical: true });
  const compacted = await sizes();
  expect(compacted.dbSizeInUse).toBeLessThan(empty.dbSizeInUse + 20_000);
  expect(compacted.dbSize).toBeLessThan(full.dbSize / 2);
  await maintenance.defragment({});
  expect((await sizes()).dbSize).toBeLessThanOrEqual(compacted.dbSize);
  await server.close();
});
