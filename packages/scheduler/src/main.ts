#!/usr/bin/env node
/**
 * kube-scheduler's command line: flags, a client, the leader lease, the loop.
 *
 * Source  cmd/kube-scheduler/app/options
 */
import "@nanokube/machinery/require-node";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import {
  createClient,
  createHttpTransport,
  loadKubeconfig,
  runLeaderElection,
} from "@nanokube/client";
import { parseYAML, systemClock, systemRandom } from "@nanokube/machinery";
import { Command, Option } from "commander";
import { pino } from "pino";
import { backoffInitialMs, backoffMaxMs } from "./core/queue.ts";
import {
  parseSchedulerConfiguration,
  type SchedulerConfiguration,
} from "./core/scheduler-configuration.ts";
import { createScheduler } from "./io/scheduler.ts";

interface Flags {
  config?: string;
  kubeconfig?: string;
  master?: string;
  leaderElect: string;
  percentageOfNodesToScore: string;
  schedulerName: string;
  v: string;
}

const program = new Command("scheduler")
  .description("assigns Pods to Nodes")
  .option("--config <file>", "a KubeSchedulerConfiguration: profiles, plugins, back-offs")
  .option("--kubeconfig <file>", "path to the kubeconfig")
  .option("--leader-elect [bool]", "lead only while holding the lease", "true")
  .option("--scheduler-name <name>", "pods with this spec.schedulerName", "default-scheduler")
  .option("--percentage-of-nodes-to-score <n>", "0 lets the cluster's size decide", "0")
  .addOption(new Option("-v, --v <level>", "log level, 4 and up shows decisions").default("0"))
  .configureOutput({ writeErr: (text) => process.stderr.write(text) });

function readConfiguration(path: string | undefined): SchedulerConfiguration | undefined {
  if (path === undefined) return undefined;
  return parseSchedulerConfiguration(parseYAML(readFileSync(path, "utf8")));
}

async function main(): Promise<void> {
  const flags = program.parse().opts<Flags>();
  const level = Number(flags.v) >= 4 ? "debug" : "info";
  const log = pino({ level, base: { component: "scheduler" } });
  const configuration = readConfiguration(flags.config);
  const file = flags.kubeconfig ?? configuration?.kubeconfig ?? process.env["KUBECONFIG"];
  if (file === undefined) {
    throw new Error("no configuration has been provided: use --kubeconfig");
  }
  const transport = createHttpTransport(loadKubeconfig(file));
  const client = createClient({ transport, userAgent: "nanokube-scheduler" });
  const deps = { client, clock: systemClock, random: systemRandom, log };
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const run = async (signal: AbortSignal) => {
    const scheduler = createScheduler({
      ...deps,
      schedulerName: flags.schedulerName,
      percentageOfNodesToScore: Number(flags.percentageOfNodesToScore),
      ...(configuration === undefined ? {} : { profiles: configuration.profiles }),
      backoff: {
        initialMs: configuration?.backoffInitialMs ?? backoffInitialMs,
        maxMs: configuration?.backoffMaxMs ?? backoffMaxMs,
      },
    });
    await scheduler.start(signal);
    log.info({}, "scheduling");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  };
  if (flags.leaderElect === "false" || configuration?.leaderElect === false) {
    await run(stop.signal);
  } else {
    await runLeaderElection({
      ...deps,
      lease: { namespace: "kube-system", name: "kube-scheduler" },
      identity: `${hostname()}_${systemRandom.uuid()}`,
      signal: stop.signal,
      releaseOnCancel: true,
      onStarted: run,
      onStopped: () => stop.abort(),
    });
  }
  transport.close();
}

main().catch((error: Error) => {
  process.stderr.write(`Error: ${error.message}\n`);
  process.exitCode = 1;
});
