#!/usr/bin/env node
/**
 * nanokube's command line. Every failure is one line on standard error and a non-zero exit.
 */
import { resolve } from "node:path";
import { parseGoDurationMs } from "@nanokube/machinery/duration";
import { Command, InvalidArgumentError, Option } from "commander";
import { type ClusterFlags, givenFlags } from "./commands/up-flags.ts";
import type { ComponentChoice, ComponentName } from "./core/cluster-state.ts";
import { failureLine } from "./core/failure.ts";
import { nodesMax } from "./core/topology.ts";
import type { UpOptions } from "./io/wanted-state.ts";

const defaultDataDir = resolve(".nanokube");

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("must be 1 or more.");
  if (value > nodesMax) throw new InvalidArgumentError(`must be ${nodesMax} or less.`);
  return value;
}

/** Consensus takes an odd number; more than nine only slow each other down. */
function members(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 9) {
    throw new InvalidArgumentError("must be between 1 and 9.");
  }
  return value;
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535) {
    throw new InvalidArgumentError("must be a port between 1 and 65535.");
  }
  return value;
}

function duration(text: string): number {
  const ms = parseGoDurationMs(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError("must be a time such as 50s.");
  return ms;
}

const dataDirOption = () =>
  new Option("--data-dir <dir>", "where the cluster lives").default(defaultDataDir);

const examples = `
Examples:
  nanokube up --nodes 3 --detach          three nodes; writes .nanokube/kubeconfig
  nanokube status                         what runs, and what it takes
  nanokube node stop n3                   a machine that fails
  nanokube trace -n shop pod/store-0      who had the Pod in hand when, and why
  nanokube down                           stops it; "up" continues, "down --purge" forgets
`;

/** Components that a program can be put in the place of, and upstream's name of each. */
const replaceable = {
  etcd: "etcd",
  scheduler: "kube-scheduler",
  "controller-manager": "kube-controller-manager",
  kubelet: "kubelet",
  "kube-proxy": "kube-proxy",
} satisfies Partial<Record<ComponentName, string>>;
type Replaceable = keyof typeof replaceable;

interface UpFlags extends ClusterFlags {
  dataDir: string;
  detach?: boolean;
  etcd?: string;
  scheduler?: string;
  controllerManager?: string;
  kubelet?: string;
  kubeProxy?: string;
}

async function chooseComponents(
  flags: UpFlags,
): Promise<Partial<Record<ComponentName, ComponentChoice>>> {
  const { findProgram, findUpstream } = await import("./io/programs.ts");
  const given = {
    etcd: flags.etcd,
    scheduler: flags.scheduler,
    "controller-manager": flags.controllerManager,
    kubelet: flags.kubelet,
    "kube-proxy": flags.kubeProxy,
  } as const;
  const chosen: Partial<Record<ComponentName, ComponentChoice>> = {};
  for (const [name, value] of Object.entries(given) as [Replaceable, string?][]) {
    if (value === undefined) continue;
    if (value === "own" || value === "none") {
      chosen[name] = value;
      continue;
    }
    const program = replaceable[name];
    const found = value === "upstream" ? findUpstream(program) : findProgram(resolve(value));
    const path = found ?? (value.includes("/") ? resolve(value) : undefined);
    if (path === undefined) {
      throw new Error(`--${name} ${value}: ${program} is neither on PATH nor in the cache`);
    }
    chosen[name] = { path };
  }
  return chosen;
}

async function upCommand(flags: UpFlags): Promise<void> {
  const [{ up }, { down }, { DataDir }] = await Promise.all([
    import("./io/up.ts"),
    import("./io/down.ts"),
    import("./io/data-dir.ts"),
  ]);
  const { untilInterrupted } = await import("./io/interrupt.ts");
  const dir = new DataDir(flags.dataDir);
  const ranBefore = await dir.daemons.anyRunning();
  await dir.make(); // Fails before there is anything to take down.
  const kept = await dir.readState();
  const signal = untilInterrupted();
  const options: UpOptions = {
    dir,
    signal,
    components: await chooseComponents(flags),
    ...givenFlags(flags),
    progress: (line) => process.stdout.write(`${line}\n`),
  };
  try {
    await up(options);
    process.stdout.write(`export KUBECONFIG=${dir.kubeconfig}\n`);
    if (flags.detach) process.exit(0);
    process.stdout.write("Ctrl-C stops the cluster; its state stays\n");
  } catch (error) {
    if (!ranBefore) await down(dir); // Nothing half-started stays behind.
    if (signal.aborted) process.exit(130);
    // Nor does what was asked for: the next start is not to fail for it again.
    if (!ranBefore) await dir.restoreState(kept);
    throw error;
  }
  if (!signal.aborted) await new Promise((done) => signal.addEventListener("abort", done));
  process.stdout.write("stopping …\n");
  await down(dir);
  process.exit(0);
}

function addUpFlags(command: Command): Command {
  return command
    .addOption(dataDirOption())
    .option("--nodes <n>", "how many nodes: 1, or as many as there were", count)
    .addOption(
      new Option("--runtime <name>", "what runs pods; what is possible, unless told").choices([
        "containerd",
        "embedded",
      ]),
    )
    .option("--api-port <port>", "where the API server listens: 6443, or where it did", port)
    .option("--etcd <which>", "own, upstream or the path of an etcd")
    .option("--etcd-members <n>", "the store as that many processes, not in ours", members)
    .option("--scheduler <which>", "own, upstream, none or a path")
    .option("--controller-manager <which>", "own, upstream, none or a path")
    .option("--kubelet <which>", "likewise, on every node; with containers only")
    .option("--kube-proxy <which>", "likewise")
    .option(
      "--node-monitor-grace-period <time>",
      "how long a silent node counts as healthy: 50s",
      duration,
    )
    .option("--kubelet-config <file>", "a KubeletConfiguration for all nodes");
}

function program(): Command {
  const cli = new Command("nanokube")
    .description("A Kubernetes cluster on one machine, every component a small TypeScript package.")
    .addHelpText("after", examples)
    .showHelpAfterError("(run with --help for usage)");
  addUpFlags(cli.command("up").description("start a cluster, or continue one"))
    .option("--detach", "return when all nodes are Ready")
    .action(upCommand);
  addUpFlags(cli.command("demo").description("start a cluster and a small shop on it"))
    .option("--once", "stop when the shop is Available")
    .action(async (flags) => (await import("./commands/demo.ts")).demo(flags, chooseComponents));
  cli
    .command("down")
    .description("stop a cluster; its state stays")
    .addOption(dataDirOption())
    .option("--purge", "delete its state too")
    .action(async (flags) => (await import("./commands/down.ts")).downCommand(flags));
  cli
    .command("status")
    .description("nodes, components and pods")
    .addOption(dataDirOption())
    .action(async (flags) => (await import("./commands/status.ts")).status(flags.dataDir));
  const node = cli.command("node").description("stop or start one node");
  for (const verb of ["stop", "start"] as const) {
    node
      .command(`${verb} <name>`)
      .addOption(dataDirOption())
      .action(async (name, flags) =>
        (await import("./commands/node.ts")).nodeCommand(verb, name, flags.dataDir),
      );
  }
  const image = cli.command("image").description("the cluster's own images");
  image
    .command("load <file...>")
    .description("put images from OCI or docker tarballs onto every node")
    .addOption(dataDirOption())
    .action(async (files, flags) =>
      (await import("./commands/image.ts")).loadImages(files, flags.dataDir),
    );
  image
    .command("list")
    .addOption(dataDirOption())
    .action(async (flags) => (await import("./commands/image.ts")).listImages(flags.dataDir));
  cli
    .command("trace <object>")
    .description("the way of one Pod through the cluster, with times and reasons")
    .option("-n, --namespace <name>", "its namespace", "default")
    .addOption(dataDirOption())
    .action(async (object, flags) =>
      (await import("./commands/trace.ts")).trace(object, flags.namespace, flags.dataDir),
    );
  cli
    .command("version")
    .description("the release of Kubernetes that it is like")
    .action(async () => {
      const { kubernetesVersion } = await import("@nanokube/api");
      process.stdout.write(`Kubernetes ${kubernetesVersion} (nanokube, Node ${process.version})\n`);
    });
  return cli;
}

program()
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`Error: ${failureLine(error)}\n`);
    process.exit(1);
  });
