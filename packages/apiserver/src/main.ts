#!/usr/bin/env node
/** The apiserver as a program, with kube-apiserver's flags. */
import "@nanokube/machinery/require-node";
import "@nanokube/machinery/tier-up";
import { kubernetesVersion } from "@nanokube/api";
import { type Log, systemClock, systemRandom } from "@nanokube/machinery";
import { pino } from "pino";
import { createApiServer } from "./io/api-server.ts";
import { FlagError, type Flags, flagKinds, parseFlags } from "./io/flags.ts";
import { optionsFromFlags } from "./io/options-from-flags.ts";

function fail(message: string): never {
  process.stderr.write(`Error: ${message}\n`);
  process.exit(1);
}

function usage(): string {
  const names = Object.entries(flagKinds).map(([name, kind]) => `      --${name} ${kind}`);
  return `The Kubernetes REST API over an etcd v3 store.\n\nUsage:\n  apiserver [flags]\n\nFlags:\n${names.join("\n")}\n`;
}

async function main(): Promise<void> {
  let flags: Flags;
  try {
    flags = parseFlags(process.argv.slice(2));
  } catch (error) {
    if (error instanceof FlagError) fail(error.message);
    throw error;
  }
  if (flags.has("help")) {
    process.stdout.write(usage());
    return;
  }
  if (flags.has("version")) {
    process.stdout.write(`Kubernetes ${kubernetesVersion} (nanokube)\n`);
    return;
  }
  const levelOf = (verbosity: number): string => (verbosity >= 4 ? "debug" : "info");
  let verbosity = Number(flags.get("v")?.at(-1) ?? "0");
  const level = levelOf(verbosity);
  const logger = pino({ level, base: null }, pino.destination({ dest: 2, sync: true }));
  const log: Log = logger;
  const setVerbosity = (value: number): void => {
    verbosity = value;
    logger.level = levelOf(verbosity);
  };
  // Until the listener stands, nothing else keeps the process alive while etcd is awaited.
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    const { server, host, port, shutdownDelayMs } = await optionsFromFlags(flags, {
      clock: systemClock,
      random: systemRandom,
      log,
    });
    const api = await createApiServer({ ...server, setVerbosity, verbosity: () => verbosity });
    const bound = await api.listen({ host, port });
    log.info({ host, port: bound.port }, "serving securely");
    const stop = (): void => {
      clearInterval(alive);
      void api.shutdown(shutdownDelayMs).then(() => process.exit(0));
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
    await api.ready;
    log.info({}, "ready");
  } catch (error) {
    if (error instanceof FlagError) fail(error.message.split("\n").join("\nError: "));
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      fail(
        `failed to create listener: failed to listen on ${message.replace(/^.*in use /, "")}: bind: address already in use`,
      );
    }
    fail(message);
  }
}

await main();
