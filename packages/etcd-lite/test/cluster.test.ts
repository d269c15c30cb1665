/**
 * Three members over real sockets, with everything that happens to processes and networks.
 *
 *     NANOKUBE_CLUSTER_SECONDS=600 npx vitest run packages/etcd-lite/test/cluster    for long
 */
import { createClient, etcd } from "@nanokube/rpc";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { nonLinearizableKeys } from "../src/sim/linearizability.ts";
import {
  canIsolate,
  etcdLite,
  hasUpstream,
  RealCluster,
  runClients,
  type Subject,
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

/** One cluster a subject, which lives through all faults. */
const clusters = new Map<string, { cluster: RealCluster; started: Promise<void> }>();
afterAll(async () => {
  for (const { cluster } of clusters.values()) await cluster.close();
});

async function clusterOf(subject: Subject): Promise<RealCluster> {
  const known = clusters.get(subject.name);
  const cluster = known?.cluster ?? new RealCluster(subject);
  const started = known?.started ?? cluster.start();
  clusters.set(subject.name, { cluster, started });
  await started;
  return cluster;
}

// Both subjects at once: they mostly wait.
describe.each(Object.keys(faults))("three members under %s", (fault) => {
  for (const { subject, skip } of subjects) {
    test
      .skipIf(skip !== false)
      .concurrent(
        `${subject.name}: linearizable, and all alike in the end${skip ? ` (skipped: ${skip})` : ""}`,
        { timeout: 120_000 + seconds * 10_000 },
        async ({ expect }) => {
          const cluster = await clusterOf(subject);
          const keys = ["a", "b", "c"].map((key) => `${fault}/${key}`);
          const over = Promise.withResolvers<void>();
          const clients = runClients(cluster, { count: 5, keys, until: over.promise });
          const untilMs = Date.now() + seconds * 1000;
          for (let n = 0; Date.now() < untilMs; n = (n + 1) % 3) await faults[fault]!(cluster, n);
          await cluster.untilHealthy();
          await pause(500);
          over.resolve();
          const history = await clients;
          const done = history.filter(({ returnMs }) => returnMs !== Number.POSITIVE_INFINITY);
          expect(done.length).toBeGreaterThan(15);
          expect(nonLinearizableKeys(history)).toEqual([]);
          expect(new Set(await cluster.hashes()).size).toBe(1);
        },
      );
  }
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
