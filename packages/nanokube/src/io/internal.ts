/**
 * The long-running jobs of a cluster, each a process of its own that the launcher starts.
 *
 * Logs are JSON lines on standard output, which the launcher puts into a file.
 */
import { readFile } from "node:fs/promises";
import { pino } from "pino";
import type { AgentConfig } from "../core/agent-config.ts";

const level = process.env["NANOKUBE_LOG_LEVEL"] ?? "debug";

export async function runJob(job: string, argument = ""): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  // Synchronous: what a dying process says last must reach the file.
  const log = pino({ level, base: { job } }, pino.destination({ sync: true }));
  process.on("uncaughtException", (err) => {
    log.fatal({ err }, "uncaught exception");
    process.exit(1);
  });
  // Connections that idle keep no process alive, and a job runs until it is told to end.
  const hold = setInterval(() => {}, 2 ** 30);
  if (job === "control-plane") {
    const [{ runControlPlane }, { DataDir }] = await Promise.all([
      import("./control-plane.ts"),
      import("./data-dir.ts"),
    ]);
    await runControlPlane(new DataDir(argument), log, stop.signal);
  } else if (job === "agent") {
    const { runAgent } = await import("./agent.ts");
    const config = JSON.parse(await readFile(argument, "utf8")) as AgentConfig;
    await runAgent(config, log, stop.signal);
  } else {
    throw new Error(`unknown job "${job}"`);
  }
  clearInterval(hold);
  process.exit(0);
}
