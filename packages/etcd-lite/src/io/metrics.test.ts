/** What /metrics says only when it is asked to, or when something goes slowly. */
import { createFakeClock, createSeededRandom, nullLog } from "@nanokube/machinery";
import { createClient, etcd } from "@nanokube/rpc";
import { afterEach, expect, test } from "vitest";
import { createEtcd, type Etcd, type EtcdOptions } from "./etcd.ts";
import { metricsText } from "./metrics-text.ts";

let server: Etcd | undefined;
afterEach(() => server?.close());

async function start(options: Partial<EtcdOptions> = {}) {
  const clock = createFakeClock();
  server = await createEtcd({ clock, random: createSeededRandom(1), log: nullLog, ...options });
  const kv = createClient(server.channel(), etcd.KV);
  await kv.put({ key: Buffer.from("k") });
  return { kv, lines: () => metricsText(server!.member).split("\n") };
}

const put = 'grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"';

test("how long calls take is told with --metrics extensive", async () => {
  const name = "grpc_server_handling_seconds";
  const { lines } = await start({ metrics: "extensive" });
  const shown = lines().filter((line) => line.startsWith(name) && line.includes('"Put"'));
  const bounds = shown.flatMap((line) => /le="(.*)"/.exec(line)?.[1] ?? []);
  expect(bounds.join(" ")).toBe("0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 +Inf");
  expect(shown).toContain(`${name}_count{${put}} 1`);
});

test("and not without it", async () => {
  const { lines } = await start();
  expect(lines().some((line) => line.includes("grpc_server_handling_seconds"))).toBe(false);
});

test("what is applied slower than --warning-apply-duration is told of, and counted", async () => {
  const told: string[] = [];
  const log = { ...nullLog, warn: (_fields: object, message: string) => void told.push(message) };
  // Whatever takes any time at all is too slow.
  const { kv, lines } = await start({ log, limits: { warnAfterMs: -1 } });
  const before = told.length;
  await kv.put({ key: Buffer.from("k") });
  await kv.range({ key: Buffer.from("k") });
  expect(told.slice(before)).toEqual(Array(2).fill("apply request took too long"));
  expect(lines()).toContain(`etcd_server_slow_apply_total ${told.length}`);
});

test("gates are shown as they were asked for", async () => {
  const featureGates = new Map([["CompactHashCheck", true]]);
  const { lines } = await start({ featureGates });
  const shown = lines().filter((line) => line.startsWith("etcd_server_feature_enabled{"));
  expect(shown).toContain('etcd_server_feature_enabled{name="CompactHashCheck",stage="ALPHA"} 1');
  expect(shown).toContain('etcd_server_feature_enabled{name="AllBeta",stage="BETA"} 0');
});
