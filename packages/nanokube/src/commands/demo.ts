/**
 * `npm start`: a cluster, the shop on it, and a view of both until Ctrl-C takes them down.
 *
 * What the shop wrote stays in the data directory: the next start continues with it.
 */
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Client, deployments, jobs, pods, statefulSets } from "@nanokube/client";
import type { KubeObject } from "@nanokube/machinery";
import { parseAllDocuments } from "yaml";
import type { ComponentChoice, ComponentName } from "../core/cluster-state.ts";
import { applyObjects } from "../io/apply-objects.ts";
import { DataDir } from "../io/data-dir.ts";
import { down } from "../io/down.ts";
import { untilInterrupted } from "../io/interrupt.ts";
import { alignColumns, tableLines } from "../io/kubectl-view.ts";
import { LiveView } from "../io/live-view.ts";
import { buildNodeImage } from "../io/machine-images.ts";
import { findProgram } from "../io/programs.ts";
import { type RunningCluster, up } from "../io/up.ts";
import type { UpOptions } from "../io/wanted-state.ts";
import { type ClusterFlags, givenFlags } from "./up-flags.ts";

const shop = fileURLToPath(new URL("../../../../examples/shop/", import.meta.url));
const namespace = "shop";

export interface DemoFlags extends ClusterFlags {
  dataDir: string;
  once?: boolean;
}

type Choose = (flags: DemoFlags) => Promise<Partial<Record<ComponentName, ComponentChoice>>>;

async function readManifests(directory: string): Promise<KubeObject[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".yaml")).sort();
  const objects: KubeObject[] = [];
  for (const file of files) {
    const text = await readFile(join(directory, file), "utf8");
    for (const document of parseAllDocuments(text)) objects.push(document.toJS() as KubeObject);
  }
  return objects;
}

/** What is not Available yet; empty when the shop is open. */
async function waitingFor(client: Client): Promise<string[]> {
  const [webs, stores, counts] = await Promise.all([
    client.resource(deployments).namespace(namespace).list(),
    client.resource(statefulSets).namespace(namespace).list(),
    client.resource(jobs).namespace(namespace).list(),
  ]);
  const waiting: string[] = [];
  for (const { metadata, spec, status } of webs.items) {
    const available = status?.conditions?.some(
      (c) => c.type === "Available" && c.status === "True",
    );
    const ready = status?.readyReplicas ?? 0;
    if (!available || ready < (spec?.replicas ?? 1)) {
      waiting.push(`deployment/${metadata?.name} ${ready}/${spec?.replicas}`);
    }
  }
  for (const { metadata, spec, status } of stores.items) {
    const ready = status?.readyReplicas ?? 0;
    if (ready < (spec?.replicas ?? 1)) {
      waiting.push(`statefulset/${metadata?.name} ${ready}/${spec?.replicas}`);
    }
  }
  for (const { metadata, status } of counts.items) {
    if (!status?.conditions?.some((c) => c.type === "Complete" && c.status === "True")) {
      waiting.push(`job/${metadata?.name}`);
    }
  }
  return waiting;
}

/** Where a pod of the shop window answers; undefined until one is ready. */
async function windowURL({ client }: RunningCluster): Promise<string | undefined> {
  const { items } = await client
    .resource(pods)
    .namespace(namespace)
    .list({ labelSelector: "app=web" });
  for (const { spec, status } of items) {
    const port = spec?.containers?.[0]?.ports?.[0]?.containerPort;
    const isReady = status?.conditions?.some((c) => c.type === "Ready" && c.status === "True");
    if (isReady && status?.podIP) return `http://${status.podIP}:${port}/`;
  }
  return undefined;
}

async function tryLines(cluster: RunningCluster, dir: DataDir): Promise<string[]> {
  const url = await windowURL(cluster);
  const at = dir.path === resolve(".nanokube") ? "" : ` --data-dir ${dir.path}`;
  const rows = [
    [`export KUBECONFIG=${dir.kubeconfig}`, "for kubectl, or any other client"],
    ...(url === undefined ? [] : [[`curl ${url}`, "the shop window, from one of its pods"]]),
    [`npx nanokube trace -n ${namespace} pod/store-0${at}`, "who had the Pod in hand, and why"],
  ];
  return ["In another terminal:", ...alignColumns(rows).map((line) => `  ${line}`)];
}

async function statusLines(cluster: RunningCluster, dir: DataDir): Promise<string[]> {
  const { client } = cluster;
  const wide = { wide: true, drop: ["Nominated Node", "Readiness Gates"] };
  const [nodeLines, podLines, serviceLines, hints] = await Promise.all([
    tableLines(client, "/api/v1/nodes"),
    tableLines(client, `/api/v1/namespaces/${namespace}/pods`, wide),
    tableLines(client, `/api/v1/namespaces/${namespace}/services`),
    tryLines(cluster, dir),
  ]);
  return [
    ...nodeLines,
    "",
    ...podLines,
    "",
    ...serviceLines,
    "",
    ...hints,
    "",
    "Ctrl-C stops the cluster; the next start continues from here.",
  ];
}

async function showUntil(
  stopped: AbortSignal,
  view: LiveView,
  lines: () => Promise<string[]>,
): Promise<void> {
  while (!stopped.aborted) {
    view.show(await lines().catch((error: Error) => [`waiting: ${error.message}`]));
    await delay(1000, undefined, { signal: stopped }).catch(() => {});
  }
}

async function openShop(
  cluster: RunningCluster,
  dir: DataDir,
  stopped: AbortSignal,
): Promise<void> {
  const { client, state } = cluster;
  if (state.mode === "containerd") {
    const machine = { node: process.execPath, nodeVersion: process.version };
    await buildNodeImage({ store: dir.images, busybox: findProgram("busybox")!, ...machine });
  }
  await applyObjects(client, await readManifests(shop));
  let said = "";
  while (!stopped.aborted) {
    const waiting = await waitingFor(client);
    if (waiting.length === 0) return;
    const line = `waiting for ${waiting.join(", ")}`;
    if (line !== said) process.stdout.write(`${line}\n`);
    said = line;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function demo(flags: DemoFlags, choose: Choose): Promise<void> {
  const signal = untilInterrupted();
  const dir = new DataDir(flags.dataDir);
  const options: UpOptions = {
    dir,
    signal,
    components: await choose(flags),
    ...givenFlags(flags),
    progress: (line) => process.stdout.write(`${line}\n`),
  };
  const startMs = performance.now();
  process.stdout.write(`a cluster and a small shop on it, in ${dir.path}\n`);
  try {
    const cluster = await up(options);
    await openShop(cluster, dir, signal);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    if (!signal.aborted) process.stdout.write(`the shop is Available (${seconds} s)\n\n`);
    const lines = () => statusLines(cluster, dir);
    if (flags.once) process.stdout.write(`${(await lines()).join("\n")}\n`);
    else await showUntil(signal, new LiveView(process.stdout), lines);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    process.stdout.write("\nstopping …\n");
    await down(dir);
  }
  process.stdout.write("stopped\n");
  process.exit(0);
}
