/**
 * A long-running job of a cluster: a process of its own that the launcher starts.
 *
 * Logs are JSON lines on standard output, which the launcher puts into a file. What goes wrong is
 * the last of them, and the exit code is not 0.
 */
import type { Log } from "@nanokube/machinery";
import { pino } from "pino";

const level = process.env["NANOKUBE_LOG_LEVEL"] ?? "debug";

export async function runJob(
  job: string,
  run: (argument: string, log: Log, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  // Synchronous: what a dying process says last must reach the file.
  const log = pino({ level, base: { job } }, pino.destination({ sync: true }));
  const die = (err: unknown) => {
    log.fatal({ err }, "uncaught exception");
    process.exit(1);
  };
  process.on("uncaughtException", die);
  // Connections that idle keep no process alive, and a job runs until it is told to end.
  const hold = setInterval(() => {}, 2 ** 30);
  await run(process.argv[2] ?? "", log, stop.signal).catch(die);
  clearInterval(hold);
  process.exit(0);
}
