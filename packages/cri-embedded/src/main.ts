#!/usr/bin/env node
/**
 * cri-embedded: the runtime on a unix socket, for a kubelet of your own.
 *
 *     cri-embedded --listen unix:///tmp/cri.sock --root-dir /tmp/cri
 */
import "@nanokube/machinery/require-node";
import { rmSync } from "node:fs";
import { systemClock, systemRandom } from "@nanokube/machinery";
import { Command, Option } from "commander";
import { pino } from "pino";
import { createCriEmbedded } from "./index.ts";

interface Flags {
  listen: string;
  rootDir: string;
  isolation: "auto" | "plain";
}

const program = new Command("cri-embedded")
  .description("A CRI v1 runtime whose containers are child processes or scripts.")
  .requiredOption("--listen <socket>", "unix socket to serve CRI on: unix:///path")
  .requiredOption("--root-dir <dir>", "directory for containers' working files")
  .addOption(
    new Option("--isolation <how>", "make namespaces where possible, or never")
      .choices(["auto", "plain"])
      .default("auto"),
  );

const flags = program.parse(process.argv).opts<Flags>();
const log = pino();
const socket = flags.listen.replace(/^unix:(\/\/)?/, "");
const { rootDir, isolation } = flags;
const runtime = createCriEmbedded({
  rootDir,
  isolation,
  clock: systemClock,
  random: systemRandom,
  log,
});
rmSync(socket, { force: true });
await runtime.server.listen({ path: socket });
log.info({ socket }, "serving CRI v1");
const { promise, resolve } = Promise.withResolvers<void>();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
await promise;
await runtime.close();
process.exit(0);
