/**
 * The launcher as a client of its cluster: asks until the API server, then the nodes, are ready.
 *
 * Errors  the last words of a process that has ended meanwhile
 */
import { readFile, statfs } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { NodeCondition } from "@nanokube/api/core/v1";
import {
  type Client,
  createClient,
  createHttpTransport,
  loadKubeconfig,
  nodes,
  type RestConfig,
} from "@nanokube/client";
import { lastWordsOf } from "../core/last-words.ts";
import { etcdNames } from "./components.ts";
import { isRunning } from "./daemon.ts";
import type { DataDir } from "./data-dir.ts";

export const clientOf = (config: RestConfig): Client =>
  createClient({ transport: createHttpTransport(config), userAgent: "nanokube" });

export async function clusterClient(dir: DataDir): Promise<Client> {
  return clientOf(loadKubeconfig(await readFile(dir.kubeconfig, "utf8")));
}

/** Where nothing can be written there are no words. */
async function isFull(path: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize < leastSpaceBytes;
}

const leastSpaceBytes = 64 * 1024;

async function lastWords(dir: DataDir, name: string): Promise<string> {
  if (await isFull(dir.path)) return `${dir.path}: no space left on device`;
  const log = await readFile(dir.log(name), "utf8").catch(() => "");
  return lastWordsOf(log);
}

/** A process that was started and is gone has said why. */
async function requireRunning(dir: DataDir, name: string, what: string): Promise<void> {
  const record = await dir.daemons.find(name);
  if (record === undefined || isRunning(record)) return;
  throw new Error(`${what} ended: ${await lastWords(dir, name)}`);
}

/** Waits for /readyz; ends early, with its last words, when the control plane has died. */
export async function waitReady(
  dir: DataDir,
  client: Client,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      await client.requestText({ method: "GET", path: "/readyz" });
      return;
    } catch (error) {
      for (const name of await etcdNames(dir)) await requireRunning(dir, name, name);
      await requireRunning(dir, "control-plane", "the control plane");
      if (performance.now() > deadline) {
        throw new Error(`the API server is not ready after ${timeoutMs / 1000} s: ${error}`);
      }
    }
    await delay(20);
    signal?.throwIfAborted();
  }
}

/** A Ready from before the agent was started is what the node said before it was stopped. */
function isReadySince(conditions: readonly NodeCondition[] | undefined, sinceMs: number): boolean {
  const ready = conditions?.find((condition) => condition.type === "Ready");
  const heartbeatMs = Date.parse(ready?.lastHeartbeatTime ?? "");
  // Heartbeats are written in whole seconds.
  return ready?.status === "True" && heartbeatMs >= Math.floor(sinceMs / 1000) * 1000;
}

export async function waitNodesReady(
  client: Client,
  names: ReadonlyMap<string, number>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const ready = new Set<string>();
    for (const { metadata, status } of (await client.resource(nodes).list()).items) {
      const name = metadata?.name ?? "";
      if (isReadySince(status?.conditions, names.get(name) ?? 0)) ready.add(name);
    }
    const waiting = [...names.keys()].filter((name) => !ready.has(name));
    if (waiting.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`not Ready after ${timeoutMs / 1000} s: ${waiting.join(", ")}`);
    }
    await delay(50);
    signal?.throwIfAborted();
  }
}
