/**
 * Kills the server, its store or both under client-go's writes, starts them again while the writes
 * go on, and compares what is stored then with what was acknowledged.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiServerInstance } from "../subjects/apiserver.ts";
import { findProgram } from "../subjects/programs.ts";
import { Ledger, type StoredObject } from "./ledger.ts";

export const victims = ["server", "store", "server and store"] as const;
export type Victim = (typeof victims)[number];

export interface KillOutcome {
  acknowledged: number;
  unanswered: number;
  /** Acknowledged writes a second in the half of the time that ended with the kill. */
  rate: number;
  /** From the kill until a write was acknowledged again. */
  downMs: number;
  disagreements: string[];
}

export interface KillRun {
  victim: Victim;
  /** Begins the objects' names. */
  run: string;
  secondsBefore: number;
}

export async function killUnderWrites(
  server: ApiServerInstance,
  { victim, run, secondsBefore }: KillRun,
): Promise<KillOutcome> {
  const ledger = new Ledger();
  const writers = startWriters(server, run, ledger);
  try {
    await until(() => ledger.acknowledged > 0, "a first write");
    await delay(secondsBefore * 500);
    const [early, fromMs] = [ledger.acknowledged, performance.now()];
    await delay(secondsBefore * 500);
    const killedMs = performance.now();
    const rate = ((ledger.acknowledged - early) / (killedMs - fromMs)) * 1000;
    if (victim !== "store") await server.killServer();
    if (victim !== "server") await server.killStore();
    // What was answered before the kill may still be on its way here.
    await delay(200);
    const before = ledger.acknowledged;
    if (victim !== "server") server.startStore();
    if (victim !== "store") await server.startServer();
    await until(() => ledger.acknowledged > before, "a write after the kill");
    const downMs = performance.now() - killedMs;
    // Some more, so that what was lost would be written over, or its version given twice.
    await until(() => ledger.acknowledged > before + 200, "more writes after the kill");
    await writers.end();
    const { acknowledged, unanswered } = ledger;
    const disagreements = ledger.disagreements(await stored(server, run));
    return { acknowledged, unanswered, rate, downMs, disagreements };
  } finally {
    writers.kill();
  }
}

function startWriters(server: ApiServerInstance, run: string, ledger: Ledger) {
  const flags = ["--kubeconfig", server.kubeconfig, "--run", run];
  const child: ChildProcess = spawn(findProgram("writers")!, flags, {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const read = (async () => {
    for await (const line of createInterface({ input: child.stdout! })) ledger.hear(line);
  })();
  return {
    async end(): Promise<void> {
      child.stdin!.end();
      await read;
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`${what} did not come within a minute`);
    await delay(10);
  }
}

async function stored(server: ApiServerInstance, run: string): Promise<StoredObject[]> {
  const path = `/api/v1/namespaces/default/configmaps?labelSelector=run=${run}`;
  const { status, text } = await server.send({ method: "GET", path });
  if (status !== 200) throw new Error(`the list is refused: ${text}`);
  const { items } = JSON.parse(text) as { items: { metadata: StoredObject }[] };
  return items.map(({ metadata }) => metadata);
}
