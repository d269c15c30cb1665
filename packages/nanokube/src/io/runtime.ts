/**
 * containerd on a node: configuration, start, and waiting until it answers.
 *
 * Source  containerd docs/cri/config.md, docs/hosts.md
 */
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { formatContainerdConfig } from "../core/containerd-config.ts";
import type { Network } from "../core/topology.ts";
import { type Daemons, isRunning } from "./daemon.ts";
import { pauseImage } from "./machine-images.ts";
import { type NodeNamespace, spawnOnNode } from "./node-namespace.ts";

export const registryPort = 5000;
export const egressPort = 3128;

/** The socket as the node sees it. */
export const runtimeSocket = "/run/containerd/containerd.sock";

/** The same socket as the machine sees it. */
export const machineSocket = (node: NodeNamespace) =>
  join(node.directory, "run-containerd", "containerd.sock");

export interface RuntimeOptions {
  node: NodeNamespace;
  network: Network;
  daemons: Daemons;
  containerd: string;
  cniBinDir: string;
  mayLowerOOMScore: boolean;
}

/** Registries that the mirror does not stand for are reached through the machine. */
function egressEnvironment(network: Network): Record<string, string> {
  const proxy = `http://${network.gateway}:${egressPort}`;
  return { HTTPS_PROXY: proxy, NO_PROXY: `${network.gateway},127.0.0.1,localhost` };
}

/** The mirror is asked for every image; a registry's own server only when the mirror has none. */
async function writeMirror(certsDir: string, network: Network): Promise<void> {
  await mkdir(join(certsDir, "_default"), { recursive: true });
  const mirror = `http://${network.gateway}:${registryPort}`;
  await writeFile(
    join(certsDir, "_default", "hosts.toml"),
    `[host."${mirror}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
}

/** Nothing is done where it runs already. */
export async function startRuntime(options: RuntimeOptions): Promise<void> {
  const { node, network, daemons } = options;
  const running = await daemons.find(`${node.plan.name}-containerd`);
  if (running !== undefined && isRunning(running)) return;
  await rm(machineSocket(node), { force: true }); // Of one that was killed.
  const certsDir = join(node.directory, "certs.d");
  await writeMirror(certsDir, network);
  const config = join(node.directory, "containerd.toml");
  await writeFile(
    config,
    formatContainerdConfig({
      sandboxImage: pauseImage,
      cniBinDir: options.cniBinDir,
      certsDir,
      mayLowerOOMScore: options.mayLowerOOMScore,
    }),
  );
  const logFile = join(node.directory, "containerd.log");
  const record = await spawnOnNode(node, daemons, {
    name: "containerd",
    argv: [options.containerd, "--config", config, "--log-level", "warn"],
    logFile,
    env: egressEnvironment(network),
  });
  while (!existsSync(machineSocket(node))) {
    if (!isRunning(record)) throw new Error(`containerd ended at once; its log is ${logFile}`);
    await delay(5);
  }
}
