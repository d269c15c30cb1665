/**
 * `npm run bench -- start`: from nothing to a running pod, ours and upstream's in turn.
 *
 * Units   milliseconds from the first process; processor time is user and system time of every
 *         process until the control plane is ready, which a busy machine changes least; memory is
 *         the sum of resident sets, in MiB, without pods; every figure is the median over the
 *         rounds, ratios are upstream's over ours
 */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Pod } from "@nanokube/api/core/v1";
import {
  type Client,
  createClient,
  createHttpTransport,
  loadKubeconfig,
  nodes,
  pods,
  serviceAccounts,
} from "@nanokube/client";
import { processorMs, residentBytes } from "nanokube";
import { median } from "./median.ts";
import { type BenchSubject, ourSubject, upstreamSubject } from "./subject.ts";

interface Sample {
  controlPlaneReady: number;
  processorTime: number;
  nodeReady: number;
  podRunning: number;
  residentMiB: number;
}

const podsPerRound = 10;
const giveUpMs = 120_000;

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + giveUpMs;
  while (!(await isTrue().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`${what}: not after ${giveUpMs / 1000} s`);
    await delay(5);
  }
}

function isHere(address: string): boolean {
  const interfaces = Object.values(networkInterfaces()).flat();
  return interfaces.some((one) => one?.address === address);
}

async function isNodeReady(client: Client): Promise<boolean> {
  const { items } = await client.resource(nodes).list();
  return items.some(({ status }) =>
    status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
}

function podNamed(name: string): Pod {
  const command = ["sleep", "3600"];
  const container = { name: "c", image: "busybox:1.36", command };
  const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" }, spec };
}

/** From the create call to the first status that says Running, one pod at a time. */
async function podLatencies(client: Client): Promise<number[]> {
  const api = client.resource(pods).namespace("default");
  const latencies: number[] = [];
  for (let i = 0; i <= podsPerRound; i += 1) {
    const name = `bench-${i}`;
    const stop = new AbortController();
    const startMs = performance.now();
    const created = await api.create(podNamed(name));
    const { resourceVersion } = created.metadata ?? {};
    const options = {
      fieldSelector: `metadata.name=${name}`,
      resourceVersion,
      signal: stop.signal,
    };
    for await (const { object } of api.watch(options)) {
      if (object.status?.phase === "Running") break;
    }
    // The first pod also pulls images and is not counted.
    if (i > 0) latencies.push(performance.now() - startMs);
    stop.abort();
    await api.delete(name, { gracePeriodSeconds: 0 });
  }
  await until("no pods", async () => (await api.list()).items.length === 0);
  return latencies;
}

async function measure(subject: BenchSubject): Promise<Sample> {
  const startMs = performance.now();
  let announce = () => {};
  const ready = new Promise<void>((resolve) => {
    announce = resolve;
  });
  const starting = subject.start(ready);
  starting.catch(() => {});
  const config = loadKubeconfig(await readFile(subject.kubeconfig, "utf8"));
  const transport = createHttpTransport(config);
  const client = createClient({ transport, userAgent: "nanokube-bench" });
  const { hostname } = new URL(config.server);
  try {
    // Asked for earlier, an address that the cluster is yet to make is looked for elsewhere.
    await until("address", async () => isHere(hostname));
    await until("readyz", async () => {
      const answer = await client.requestText({ method: "GET", path: "/readyz" });
      return answer === "ok";
    });
    const controlPlaneReady = performance.now() - startMs;
    const starters = [...(await subject.processes()), ...subject.launchers()];
    const processorTime = starters.reduce((sum, { pid }) => sum + processorMs(pid), 0);
    announce();
    await until("node", () => isNodeReady(client));
    const nodeReady = performance.now() - startMs;
    await starting;
    const accounts = client.resource(serviceAccounts).namespace("default");
    await until("service account", async () => (await accounts.get("default")) !== undefined);
    const podRunning = median(await podLatencies(client));
    await delay(5000);
    const processes = await subject.processes();
    const bytes = processes.reduce((sum, { pid }) => sum + residentBytes(pid), 0);
    return {
      controlPlaneReady,
      processorTime,
      nodeReady,
      podRunning,
      residentMiB: bytes / 2 ** 20,
    };
  } finally {
    transport.close();
    await subject.stop();
  }
}

const rows: readonly [keyof Sample, string, string][] = [
  ["controlPlaneReady", "nothing → control plane ready", "ms"],
  ["processorTime", "processor time until then", "ms"],
  ["nodeReady", "nothing → node Ready", "ms"],
  ["podRunning", "create → pod Running (p50)", "ms"],
  ["residentMiB", "resident memory, no pods", "MiB"],
];

export async function benchStart(rounds: number, write: (line: string) => void): Promise<void> {
  const subjects = [await ourSubject(), await upstreamSubject()];
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]));
  // What was started is taken down also when somebody has seen enough.
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
    }
  });
  try {
    for (const subject of subjects) await Promise.race([subject.prepare(), interrupted]);
    for (let round = 1; round <= rounds; round += 1) {
      for (const subject of subjects) {
        const sample = await Promise.race([measure(subject), interrupted]);
        samples.get(subject.name)!.push(sample);
        write(`round ${round}/${rounds}: ${subject.name} measured`);
      }
    }
  } finally {
    // One that cannot be taken down keeps nobody from taking down the other.
    const ends = await Promise.allSettled(subjects.map((subject) => subject.destroy()));
    for (const end of ends) if (end.status === "rejected") write(`not taken down: ${end.reason}`);
  }
  write("");
  write(`| median of ${rounds} rounds | nanokube | upstream | upstream ÷ nanokube |`);
  write("|---|---|---|---|");
  for (const [key, label, unit] of rows) {
    const of = (name: string) => median(samples.get(name)!.map((sample) => sample[key]));
    const [ours, theirs] = [of("nanokube"), of("upstream")];
    const show = (value: number) => `${value.toFixed(0)} ${unit}`;
    write(`| ${label} | ${show(ours)} | ${show(theirs)} | ${(theirs / ours).toFixed(2)} |`);
  }
}
