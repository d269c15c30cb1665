/**
 * /metrics: a few of upstream's series, by upstream's names.
 *
 * Source  apiserver pkg/storage/etcd3/metrics, pkg/endpoints/metrics; component-base/version
 */
import { kubernetesVersion } from "@nanokube/api";
import type { FlowControl } from "../core/flow-control/flow-control.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import type { RequestMetrics } from "../core/request-metrics.ts";

export function metricsText(
  registry: ResourceRegistry,
  requests: RequestMetrics,
  flowControl: FlowControl,
): string {
  const lines: string[] = requests.lines();
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
  const seats = "apiserver_flowcontrol_nominal_limit_seats";
  series(
    seats,
    "[BETA] Nominal number of execution seats configured for each priority level",
    "gauge",
  );
  for (const level of flowControl.levels()) {
    lines.push(`${seats}{priority_level="${level.name}"} ${level.seats}`);
  }
  const executing = "apiserver_flowcontrol_current_executing_seats";
  series(
    executing,
    "[BETA] Concurrency (number of seats) occupied by the currently executing requests",
    "gauge",
  );
  for (const level of flowControl.levels()) {
    lines.push(`${executing}{priority_level="${level.name}"} ${level.executing}`);
  }
  series("kubernetes_build_info", "[ALPHA] A metric with a constant '1' value", "gauge");
  lines.push(`kubernetes_build_info{git_version="${kubernetesVersion}"} 1`);
  series("process_resident_memory_bytes", "Resident memory size in bytes.", "gauge");
  lines.push(`process_resident_memory_bytes ${process.memoryUsage.rss()}`);
  return `${lines.join("\n")}\n`;
}
