/** `nanokube node stop|start NAME`: a machine that fails, and one that comes back. */
import { planNetwork, planNode } from "../core/topology.ts";
import { DataDir } from "../io/data-dir.ts";
import { stopNode } from "../io/down.ts";
import { startNode } from "../io/start-node.ts";

export async function nodeCommand(
  verb: "start" | "stop",
  name: string,
  dataDir: string,
): Promise<void> {
  const dir = new DataDir(dataDir);
  const state = await dir.requireState();
  const network = planNetwork(state.slot);
  const index = state.nodes.find((i) => planNode(network, i).name === name);
  if (index === undefined) throw new Error(`nodes "${name}" not found`);
  if (verb === "stop") await stopNode(dir, state, index);
  else await startNode(dir, state, index);
  process.exit(0);
}
