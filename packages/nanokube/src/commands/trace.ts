/** `nanokube trace pod/NAME`: when each component had its hand on a Pod, and why it did what. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Hop, readHops, traceRows } from "../core/trace.ts";
import { DataDir } from "../io/data-dir.ts";
import { alignColumns } from "../io/kubectl-view.ts";

export async function trace(target: string, namespace: string, dataDir: string): Promise<void> {
  const name = /^(?:pods?|po)\/([^/]+)$/.exec(target)?.[1];
  if (name === undefined) throw new Error(`"${target}" is not of the form pod/NAME`);
  const dir = new DataDir(dataDir);
  await dir.requireState();
  const logs = join(dir.path, "logs");
  const object = `pods/${namespace}/${name}`;
  const hops: Hop[] = [];
  for (const file of await readdir(logs).catch(() => [])) {
    hops.push(...readHops(await readFile(join(logs, file), "utf8"), object));
  }
  if (hops.length === 0)
    throw new Error(`pods "${name}" left no trace in namespace "${namespace}"`);
  const rows = [["AFTER", "HOP", "VERSION", "REASON"], ...traceRows(hops)];
  process.stdout.write(`${alignColumns(rows).join("\n")}\n`);
}
