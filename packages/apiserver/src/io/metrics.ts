/**
 * /metrics: a few of upstream's series, by upstream's names.
 *
 * Source  apiserver pkg/storage/etcd3/metrics, pkg/endpoints/metrics; component-base/version
 */
import { kubernetesVersion } from "@nanokube/api";
import type { ResourceRegistry } from "../core/registry.ts";

export function metricsText(registry: ResourceRegistry): string {
  const lines: string[] = [];
  const series = (name: string, help: string, type: string): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  };
  series(
    "apiserver_storage_objects",
    "[STABLE] Number of stored objects at the time of last check split by kind.",
    "gauge",
  );
  for (const { info, cache } of registry.served()) {
    if (info.storageVersionHash === undefined) continue;
    const resource = info.group === "" ? info.plural : `${info.plural}.${info.group}`;
    lines.push(`apiserver_storage_objects{resource="${resource}"} ${cache.size}`);
  }
  series(
    "apiserver_registered_watchers",
    "[ALPHA] Number of currently registered watchers for a given resources",
    "gauge",
  );
  for (const { info, cache } of registry.served()) {
    if (cache.watcherCount === 0) continue;
    lines.push(
      `apiserver_registered_watchers{group="${info.group}",kind="${info.kind}",version="${info.version}"} ${cache.watcherCount}`,
    );
  }
  series("kubernetes_build_info", "[ALPHA] A metric with a constant '1' value", "gauge");
  lines.push(`kubernetes_build_info{git_version="${kubernetesVersion}"} 1`);
  series("process_resident_memory_bytes", "Resident memory size in bytes.", "gauge");
  lines.push(`process_resident_memory_bytes ${process.memoryUsage.rss()}`);
  return `${lines.join("\n")}\n`;
}
