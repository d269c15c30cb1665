/**
 * Storage of a node: the hostpath CSI driver, and the provisioner that makes its volumes.
 *
 * Each node provisions for the claims that the scheduler chose it for, as upstream's sidecar does
 * with --node-deployment.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "@nanokube/client";
import { createCsiProvisioner } from "@nanokube/controller-manager";
import { createCsiHostpath } from "@nanokube/csi-hostpath";
import { type Log, systemClock, systemRandom } from "@nanokube/machinery";
import type { AgentConfig } from "../core/agent-config.ts";
import { csiDriverName } from "../core/cluster-addons.ts";
import { exec } from "./command.ts";

interface StorageJob {
  config: AgentConfig;
  log: Log;
  signal: AbortSignal;
}

export async function startStorage(job: StorageJob, client: Client): Promise<void> {
  const { config, signal } = job;
  const log = job.log.child({ component: "csi" });
  const base = { clock: systemClock, random: systemRandom, log };
  const pluginDir = join(config.rootDir, "plugins", csiDriverName);
  const registrationDir = join(config.rootDir, "plugins_registry");
  for (const directory of [pluginDir, registrationDir, config.volumesDir]) {
    await mkdir(directory, { recursive: true, mode: 0o750 });
  }
  const driver = createCsiHostpath({
    ...base,
    dataDir: config.volumesDir,
    nodeID: config.nodeName,
    driverName: csiDriverName,
    exec,
    publishByLink: config.mode === "embedded",
  });
  await driver.listen({ path: join(pluginDir, "csi.sock"), registrationDir });
  signal.addEventListener("abort", () => void driver.close(), { once: true });
  const provisioner = createCsiProvisioner({
    ...base,
    client,
    csi: driver.server.memory(),
    driverName: csiDriverName,
    nodeName: config.nodeName,
  });
  await provisioner.start(signal);
}
