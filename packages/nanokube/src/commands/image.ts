/** `nanokube image load FILE.tar…` and `image list`: images that need no registry. */
import { createClient, cri, dial } from "@nanokube/rpc";
import { planNetwork, planNode } from "../core/topology.ts";
import { DataDir } from "../io/data-dir.ts";
import { findNode } from "../io/node-namespace.ts";
import { machineSocket } from "../io/runtime.ts";

export async function loadImages(files: readonly string[], dataDir: string): Promise<void> {
  const dir = new DataDir(dataDir);
  const state = await dir.requireState();
  const names: string[] = [];
  for (const file of files) names.push(...(await dir.images.load(file)));
  const network = planNetwork(state.slot);
  for (const index of state.nodes) {
    const plan = planNode(network, index);
    const node = await findNode(plan, dir.node(plan.name), dir.daemons);
    if (node === undefined) continue; // A stopped node pulls what it needs when it is back.
    const channel = dial(`unix://${machineSocket(node)}`);
    const images = createClient(channel, cri.ImageService);
    for (const name of names) await images.pullImage({ image: { image: name } });
    channel.close();
  }
  for (const name of names) process.stdout.write(`${name}\n`);
  process.exit(0);
}

export async function listImages(dataDir: string): Promise<void> {
  const dir = new DataDir(dataDir);
  await dir.requireState();
  for (const { name, manifest } of await dir.images.list()) {
    process.stdout.write(`${name}   ${manifest.digest}\n`);
  }
}
