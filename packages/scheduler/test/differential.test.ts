/**
 * The same clusters and the same pods for upstream's kube-scheduler and for ours: upstream's choice
 * is among our best, and where nothing fits both say the same.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Node, Pod } from "@nanokube/api/core/v1";
import {
  type Client,
  createClient,
  createHttpTransport,
  events,
  namespaces,
  nodes as nodeResource,
  podDisruptionBudgets,
  pods as podResource,
  priorityClasses,
  services,
} from "@nanokube/client";
import { createSeededRandom } from "@nanokube/machinery";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startUpstream, type UpstreamApiServer } from "../../client/test/upstream.ts";
import { findUpstream, missingReason } from "../../conformance/src/upstream/cache.ts";
import { interleaveZones } from "../src/core/snapshot.ts";
import { type Decision, NodeInfo, podInfo, podKey, type Snapshot, schedule } from "../src/index.ts";
import { diceOf, randomNode, randomPod } from "./random-cluster.ts";

const missing = missingReason("etcd", "kube-apiserver", "kube-scheduler");
const seeds = Array.from({ length: Number(process.env.SEEDS ?? 12) }, (_, index) => index + 1);
const podsPerSeed = 10;

async function startScheduler({ config, directory }: UpstreamApiServer): Promise<ChildProcess> {
  const file = join(directory, "scheduler.kubeconfig");
  const cluster = {
    server: config.server,
    "certificate-authority-data": Buffer.from(config.caData ?? "").toString("base64"),
  };
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user: { token: config.token } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  await writeFile(file, JSON.stringify(kubeconfig));
  const args = ["--kubeconfig", file, "--authentication-kubeconfig", file];
  args.push("--authorization-kubeconfig", file, "--secure-port", "0", "--leader-elect=false");
  return spawn(findUpstream("kube-scheduler")!, args, { stdio: "ignore" });
}

const none = () => undefined;
const web = { app: "web" };

function snapshotOf(infos: ReadonlyMap<string, NodeInfo>, namespace: string): Snapshot {
  return {
    nodes: interleaveZones(infos.values()),
    node: (name) => infos.get(name),
    namespace: (name) => ({
      metadata: { name, labels: { "kubernetes.io/metadata.name": namespace } },
    }),
    claim: none,
    volume: none,
    volumes: () => [],
    storageClass: none,
    csiNode: none,
    // A Service that selects a pod spreads it, as long as it does not say how itself.
    ownerSelectors: (pod) => (pod.metadata?.labels?.app === "web" ? [{ matchLabels: web }] : []),
    disruptionBudgets: () => [],
  };
}

const explain = (decision: Decision): string =>
  decision.outcome === "unschedulable"
    ? decision.message
    : decision.scores
        .map(({ node, total, plugins }) => `${node} ${total} ${JSON.stringify(plugins)}`)
        .join("\n");

describe.skipIf(missing !== undefined)(missing ?? "beside kube-scheduler", () => {
  let server: UpstreamApiServer;
  let scheduler: ChildProcess;
  let client: Client;
  beforeAll(async () => {
    server = await startUpstream([
      "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
    ]);
    const transport = createHttpTransport(server.config);
    client = createClient({ transport });
    scheduler = await startScheduler(server);
  }, 120_000);
  afterAll(async () => {
    scheduler?.kill("SIGKILL");
    await server?.stop();
  });

  const podsIn = (namespace: string) => client.resource(podResource).namespace(namespace);

  async function decided(namespace: string, name: string): Promise<Pod> {
    for (let tries = 0; tries < 600; tries += 1) {
      const pod = await podsIn(namespace).get(name);
      const told = pod.status?.conditions?.some(({ type }) => type === "PodScheduled");
      if (pod.spec?.nodeName || told) return pod;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`kube-scheduler said nothing of ${name}`);
  }

  test.each(seeds)("seed %i", { timeout: 120_000 }, async (seed) => {
    const dice = diceOf(createSeededRandom(seed));
    const namespace = `s${seed}`;
    await client.resource(namespaces).create({ metadata: { name: namespace } });
    const service = { metadata: { name: "web" }, spec: { selector: web, ports: [{ port: 80 }] } };
    await client.resource(services).namespace(namespace).create(service);
    const api = client.resource(nodeResource);
    const infos = new Map<string, NodeInfo>();
    try {
      const size = 3 + dice.upTo(4);
      for (let i = 0; i < size; i += 1) {
        const wanted = randomNode(`n${seed}-${i}`, dice);
        await api.create({ ...wanted, status: {} });
        const made: Node = await api.patch(
          wanted.metadata!.name!,
          { status: wanted.status },
          { subresource: "status", type: "merge" },
        );
        infos.set(wanted.metadata!.name!, new NodeInfo(made));
      }
      // The scheduler's own picture of the nodes must be complete before the first pod comes.
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (let i = 0; i < podsPerSeed; i += 1) {
        const name = `p${i}`;
        const made = await podsIn(namespace).create(randomPod(name, dice));
        const theirs = await decided(namespace, name);
        const ours = schedule(made, snapshotOf(infos, namespace), { random: () => 0.999 });
        const about = `${name} ${JSON.stringify(made.spec)}\nupstream: ${theirs.spec?.nodeName}\n${explain(ours)}`;
        if (theirs.spec?.nodeName) {
          expect(ours.outcome, about).toBe("scheduled");
          if (ours.outcome !== "scheduled") continue;
          const best = Math.max(...ours.scores.map(({ total }) => total));
          const ties = ours.scores.filter(({ total }) => total === best).map(({ node }) => node);
          expect(ties, about).toContain(theirs.spec.nodeName);
          infos.get(theirs.spec.nodeName)!.addPod(podInfo(theirs));
        } else {
          const condition = theirs.status?.conditions?.find(({ type }) => type === "PodScheduled");
          expect(explain(ours), about).toBe(condition?.message);
          await podsIn(namespace).delete(name, { gracePeriodSeconds: 0 });
        }
      }
    } finally {
      for (const name of infos.keys()) await api.delete(name);
      await podsIn(namespace).deleteCollection({ gracePeriodSeconds: 0 });
    }
  });

  const priorities = { low: 1, mid: 5, high: 10, shy: 10 };
  const policySeeds = seeds.slice(0, Math.ceil(seeds.length / 2));

  test("priority classes are there", async () => {
    for (const [name, value] of Object.entries(priorities)) {
      const policy = name === "shy" ? { preemptionPolicy: "Never" } : {};
      await client.resource(priorityClasses).create({ metadata: { name }, value, ...policy });
    }
  });

  test.each(policySeeds)("preemption, seed %i", { timeout: 120_000 }, async (seed) => {
    const dice = diceOf(createSeededRandom(1000 + seed));
    const namespace = `v${seed}`;
    await client.resource(namespaces).create({ metadata: { name: namespace } });
    const infos = new Map<string, NodeInfo>();
    const allowed = dice.upTo(1);
    const selector = { matchLabels: { app: "web" } };
    const budgets = client.resource(podDisruptionBudgets).namespace(namespace);
    const service = { metadata: { name: "web" }, spec: { selector: web, ports: [{ port: 80 }] } };
    await client.resource(services).namespace(namespace).create(service);
    await budgets.create({ metadata: { name: "web" }, spec: { selector, maxUnavailable: 1 } });
    await budgets.patch(
      "web",
      { status: { disruptionsAllowed: allowed } },
      { subresource: "status" },
    );
    const snapshot = (): Snapshot => ({
      ...snapshotOf(infos, namespace),
      disruptionBudgets: () => [{ selector, disruptionsAllowed: allowed }],
    });
    const api = client.resource(nodeResource);
    /** One after the other, a minute apart and in no order: who ran longer counts. */
    const started = async (pod: Pod, i: number): Promise<Pod> => {
      const startTime = new Date(Date.UTC(2026, 0, 1, 0, (i * 7) % 13)).toISOString();
      const after = await podsIn(namespace).patch(
        pod.metadata?.name ?? "",
        { status: { startTime: startTime.replace(".000", "") } },
        { subresource: "status", type: "merge" },
      );
      await new Promise((resolve) => setTimeout(resolve, 60));
      return after;
    };
    try {
      for (let i = 0; i < 3; i += 1) {
        const name = `v${seed}-${i}`;
        const labels = { "kubernetes.io/hostname": name };
        await api.create({ metadata: { name, labels } });
        const allocatable = { cpu: "2", memory: "4Gi", pods: "10" };
        const made = await api.patch(
          name,
          { status: { allocatable } },
          { subresource: "status", type: "merge" },
        );
        infos.set(name, new NodeInfo(made));
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (let i = 0; i < 12; i += 1) {
        const name = `p${i}`;
        const cpu = dice.pick(["500m", "700m", "1", "1500m"]);
        // Before the pod is there, for the scheduler is quick.
        const before = (await podsIn(namespace).list()).items.map((pod) => pod.metadata?.name);
        const made = await podsIn(namespace).create({
          metadata: { name, labels: { app: dice.pick(["web", "db"]) } },
          spec: {
            terminationGracePeriodSeconds: 0,
            priorityClassName: dice.pick(Object.keys(priorities)),
            containers: [{ name: "c", image: "i", resources: { requests: { cpu } } }],
          },
        });
        const ours = schedule(made, snapshot(), { random: () => 0.999 });
        let theirs = await decided(namespace, name);
        if (ours.outcome === "unschedulable" && ours.preemption !== undefined) {
          for (let tries = 0; tries < 300 && !theirs.spec?.nodeName; tries += 1) {
            await new Promise((resolve) => setTimeout(resolve, 30));
            theirs = await podsIn(namespace).get(name);
          }
          const after = new Set(
            (await podsIn(namespace).list()).items.map((pod) => pod.metadata?.name),
          );
          const gone = before.filter((other) => !after.has(other)).sort();
          const victims = ours.preemption.victims.map((pod) => pod.metadata?.name).sort();
          const about = `${name} ${explain(ours)}`;
          expect([theirs.spec?.nodeName, gone], about).toEqual([ours.preemption.node, victims]);
          const told = (await client.resource(events).namespace(namespace).list()).items.find(
            (event) => event.involvedObject?.name === name && event.reason === "FailedScheduling",
          );
          expect(explain(ours)).toBe(told?.message);
          const node = infos.get(ours.preemption.node)!;
          for (const victim of ours.preemption.victims) node.removePod(podKey(victim));
          node.addPod(podInfo(await started(theirs, i)));
        } else if (theirs.spec?.nodeName) {
          expect(ours.outcome, `${name} ${explain(ours)}`).toBe("scheduled");
          infos.get(theirs.spec.nodeName)!.addPod(podInfo(await started(theirs, i)));
        } else {
          const condition = theirs.status?.conditions?.find(({ type }) => type === "PodScheduled");
          expect(explain(ours)).toBe(condition?.message);
          await podsIn(namespace).delete(name, { gracePeriodSeconds: 0 });
        }
      }
    } finally {
      for (const name of infos.keys()) await api.delete(name);
      await podsIn(namespace).deleteCollection({ gracePeriodSeconds: 0 });
    }
  });
});
