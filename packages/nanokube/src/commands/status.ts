/** `nanokube status`: what runs, the nodes, and the pods of all namespaces. */
import { serverURL } from "../core/cluster-state.ts";
import { clusterClient } from "../io/cluster-client.ts";
import { isRunning } from "../io/daemon.ts";
import { DataDir } from "../io/data-dir.ts";
import { alignColumns, tableLines } from "../io/kubectl-view.ts";
import { residentBytes } from "../io/process-usage.ts";

export async function status(dataDir: string): Promise<void> {
  const dir = new DataDir(dataDir);
  const state = await dir.requireState();
  const daemons = (await dir.daemons.list()).filter(
    (record) => !/-(unshare|holder)$/.test(record.name),
  );
  const rows = daemons.map((record) => [
    record.name,
    isRunning(record) ? "running" : "ended",
    String(record.pid),
    isRunning(record) ? `${Math.round(residentBytes(record.pid) / 2 ** 20)} MiB` : "",
  ]);
  const out: string[] = [`${serverURL(state)}   KUBECONFIG=${dir.kubeconfig}`, ""];
  if (!daemons.some(isRunning)) {
    process.stdout.write(`the cluster in ${dir.path} is stopped: "nanokube up" continues it\n`);
    return;
  }
  out.push(...alignColumns([["PROCESS", "STATE", "PID", "MEMORY"], ...rows]), "");
  const client = await clusterClient(dir);
  out.push(...(await tableLines(client, "/api/v1/nodes")), "");
  out.push(
    ...(await tableLines(client, "/api/v1/pods", {
      wide: true,
      withNamespace: true,
      drop: ["Nominated Node", "Readiness Gates"],
    })),
  );
  process.stdout.write(`${out.join("\n")}\n`);
  process.exit(0);
}
