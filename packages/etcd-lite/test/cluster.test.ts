/**
 * Three members over real sockets, with everything that happens to processes and networks.
 *
 *     NANOKUBE_CLUSTER_SECONDS=600 npx vitest run packages/etcd-lite/test/cluster    for long
 */
import { createClient, etcd } from "@nanokube/rpc";
import { afterEach, describe, expect, test } from "vitest";
import { nonLinearizableKeys } from "../src/sim/linearizability.ts";
import {
  canIsolate,
  etcdLite,
  hasUpstream,
  RealCluster,
  runClients,
  upstreamEtcd,
} from "./real-cluster.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const seconds = Number(process.env["NANOKUBE_CLUSTER_SECONDS"] ?? 6);
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

type Fault = (cluster: RealCluster, n: number) => Promise<void>;

const faults: Readonly<Record<string, Fault>> = {
  async "kill -9"(cluster, n) {
    await cluster.kill(n);
    await pause(800);
    cluster.launch(n);
    await cluster.untilHealthy(); // Else the next one to go would leave no majority.
  },
  async SIGSTOP(cluster, n) {
    cluster.stop(n);
    await pause(1800);
    cluster.goOn(n);
    await pause(700);
  },
  async "network cut"(cluster, n) {
    cluster.setLink(n, "down");
    await pause(1800);
    cluster.setLink(n, "up");
    await pause(1000);
  },
};

const subjects = [
  { subject: etcdLite, skip: canIsolate ? false : "network namespaces need root and ip" },
  { subject: upstreamEtcd, skip: canIsolate && hasUpstream ? false : "needs root, ip and etcd" },
];

describe.each(subjects)("$subject.name", ({ subject, skip }) => {
  test.skipIf(skip !== false).each(Object.keys(faults))(
    `three members under %s: linearizable, and all alike in the end${skip ? ` (skipped: ${skip})` : ""}`,
    { timeout: 120_000 + seconds * 10_000 },
    async (fault) => {
      const cluster = new RealCluster(subject);
      cleanups.push(() => cluster.close());
      await cluster.start();
      const over = Promise.withResolvers<void>();
      const clients = runClients(cluster, { count: 5, keys: ["a", "b", "c"], until: over.promise });
      const untilMs = Date.now() + seconds * 1000;
      for (let n = 0; Date.now() < untilMs; n = (n + 1) % 3) await faults[fault]!(cluster, n);
      await cluster.untilHealthy();
      await pause(500);
      over.resolve();
      const history = await clients;
      const done = history.filter(({ returnMs }) => returnMs !== Number.POSITIVE_INFINITY);
      expect(done.length).toBeGreaterThan(60);
      expect(nonLinearizableKeys(history)).toEqual([]);
      expect(new Set(await cluster.hashes()).size).toBe(1);
    },
  );
});

test.skipIf(!canIsolate)(
  `members that show each other certificates make a cluster${canIsolate ? "" : " (skipped: needs root and ip)"}`,
  { timeout: 60_000 },
  async () => {
    const cluster = new RealCluster(etcdLite, { isSecure: true });
    cleanups.push(() => cluster.close());
    await cluster.start();
    const [first, second] = cluster.members;
    const key = Buffer.from("k");
    await createClient(first!.channel, etcd.KV).put({ key, value: Buffer.from("v") });
    const { kvs } = await createClient(second!.channel, etcd.KV).range({ key });
    expect(String(kvs[0]!.value)).toBe("v");
  },
);
