/**
 * /metrics, /metrics/resource and /stats/summary, from the runtime's own counters.
 *
 * Source  pkg/kubelet/metrics/collectors/resource_metrics.go,
 *         k8s.io/kubelet/pkg/apis/stats/v1alpha1
 */

import { readFile } from "node:fs/promises";
import * as os from "node:os";
import { kubernetesVersion } from "@nanokube/api";
import type { Clock } from "@nanokube/machinery";
import type { cri } from "@nanokube/rpc";
import { CONTAINER_NAME, POD_NAME, POD_NAMESPACE, POD_UID } from "../../core/runtime-labels.ts";
import type { RuntimeClient } from "../cri-runtime.ts";

export interface MetricsDeps {
  runtime: RuntimeClient;
  clock: Clock;
  nodeName: string;
  runningPods(): number;
  startMs: number;
}

const escapeLabel = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function sample(name: string, labels: Record<string, string>, value: number, timeMs?: number) {
  const list = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  const braces = list.length === 0 ? "" : `{${list.join(",")}}`;
  return `${name}${braces} ${value}${timeMs === undefined ? "" : ` ${Math.round(timeMs)}`}`;
}

function family(name: string, type: string, help: string, samples: string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
}

const containerStats = async (runtime: RuntimeClient): Promise<cri.ContainerStats[]> =>
  (await runtime.listContainerStats({}).catch(() => ({ stats: [] }))).stats;

const cpuSeconds = (stats: cri.ContainerStats): number =>
  (stats.cpu?.usageCoreNanoSeconds?.value ?? 0) / 1e9;
const workingSet = (stats: cri.ContainerStats): number => stats.memory?.workingSetBytes?.value ?? 0;

function nodeCPUSeconds(): number {
  const busy = os.cpus().map(({ times }) => times.user + times.nice + times.sys + times.irq);
  return busy.reduce((sum, ms) => sum + ms, 0) / 1000;
}

async function nodeWorkingSet(): Promise<number> {
  const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const kibi = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  const available = kibi("MemAvailable") * 1024;
  return available === 0 ? os.totalmem() - os.freemem() : os.totalmem() - available;
}

const namesOf = (stats: cri.ContainerStats): Record<string, string> => {
  const labels = stats.attributes?.labels ?? {};
  return {
    container: labels[CONTAINER_NAME] ?? "",
    namespace: labels[POD_NAMESPACE] ?? "",
    pod: labels[POD_NAME] ?? "",
  };
};

export async function resourceMetrics(deps: MetricsDeps): Promise<string> {
  const stats = await containerStats(deps.runtime);
  const now = deps.clock.now();
  const pods = new Map<string, { labels: Record<string, string>; cpu: number; memory: number }>();
  for (const entry of stats) {
    const { namespace = "", pod = "" } = namesOf(entry);
    const key = `${namespace}/${pod}`;
    const sum = pods.get(key) ?? { labels: { namespace, pod }, cpu: 0, memory: 0 };
    sum.cpu += cpuSeconds(entry);
    sum.memory += workingSet(entry);
    pods.set(key, sum);
  }
  const list = [...pods.values()];
  const lines = [
    ...family(
      "container_cpu_usage_seconds_total",
      "counter",
      "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
      stats.map((s) => sample("container_cpu_usage_seconds_total", namesOf(s), cpuSeconds(s), now)),
    ),
    ...family(
      "container_memory_working_set_bytes",
      "gauge",
      "[STABLE] Current working set of the container in bytes",
      stats.map((s) =>
        sample("container_memory_working_set_bytes", namesOf(s), workingSet(s), now),
      ),
    ),
    ...family(
      "node_cpu_usage_seconds_total",
      "counter",
      "[STABLE] Cumulative cpu time consumed by the node in core-seconds",
      [sample("node_cpu_usage_seconds_total", {}, nodeCPUSeconds(), now)],
    ),
    ...family(
      "node_memory_working_set_bytes",
      "gauge",
      "[STABLE] Current working set of the node in bytes",
      [sample("node_memory_working_set_bytes", {}, await nodeWorkingSet(), now)],
    ),
    ...family(
      "pod_cpu_usage_seconds_total",
      "counter",
      "[STABLE] Cumulative cpu time consumed by the pod in core-seconds",
      list.map((pod) => sample("pod_cpu_usage_seconds_total", pod.labels, pod.cpu, now)),
    ),
    ...family(
      "pod_memory_working_set_bytes",
      "gauge",
      "[STABLE] Current working set of the pod in bytes",
      list.map((pod) => sample("pod_memory_working_set_bytes", pod.labels, pod.memory, now)),
    ),
    ...family(
      "resource_scrape_error",
      "gauge",
      "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
      [sample("resource_scrape_error", {}, 0)],
    ),
  ];
  return `${lines.join("\n")}\n`;
}

export function processMetrics(deps: MetricsDeps): string {
  const memory = process.memoryUsage();
  const usage = process.cpuUsage();
  const cpu = (usage.user + usage.system) / 1e6;
  const lines = [
    ...family(
      "kubelet_running_pods",
      "gauge",
      "[ALPHA] Number of pods that have a running pod sandbox",
      [sample("kubelet_running_pods", {}, deps.runningPods())],
    ),
    ...family("kubelet_node_name", "gauge", "[ALPHA] The node's name. The count is always 1.", [
      sample("kubelet_node_name", { node: deps.nodeName }, 1),
    ]),
    ...family("kubernetes_build_info", "gauge", "[ALPHA] A metric with a constant '1' value", [
      sample("kubernetes_build_info", { git_version: kubernetesVersion }, 1),
    ]),
    ...family(
      "process_cpu_seconds_total",
      "counter",
      "Total user and system CPU time spent in seconds.",
      [sample("process_cpu_seconds_total", {}, cpu)],
    ),
    ...family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", [
      sample("process_resident_memory_bytes", {}, memory.rss),
    ]),
    ...family(
      "process_start_time_seconds",
      "gauge",
      "Start time of the process since unix epoch in seconds.",
      [sample("process_start_time_seconds", {}, deps.startMs / 1000)],
    ),
  ];
  return `${lines.join("\n")}\n`;
}

const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

function containerSummary(stats: cri.ContainerStats, now: string) {
  return {
    name: namesOf(stats).container,
    startTime: now,
    cpu: {
      time: now,
      usageNanoCores: stats.cpu?.usageNanoCores?.value ?? 0,
      usageCoreNanoSeconds: stats.cpu?.usageCoreNanoSeconds?.value ?? 0,
    },
    memory: {
      time: now,
      usageBytes: stats.memory?.usageBytes?.value ?? 0,
      workingSetBytes: workingSet(stats),
    },
    rootfs: { time: now, usedBytes: stats.writableLayer?.usedBytes?.value ?? 0 },
  };
}

/** The parts of /stats/summary that autoscalers and dashboards read: cpu and memory. */
export async function statsSummary(deps: MetricsDeps): Promise<object> {
  const now = time(deps.clock.now());
  const pods = new Map<string, cri.ContainerStats[]>();
  for (const entry of await containerStats(deps.runtime)) {
    const uid = entry.attributes?.labels[POD_UID] ?? "";
    pods.set(uid, [...(pods.get(uid) ?? []), entry]);
  }
  return {
    node: {
      nodeName: deps.nodeName,
      startTime: time(deps.startMs),
      cpu: { time: now, usageCoreNanoSeconds: Math.round(nodeCPUSeconds() * 1e9) },
      memory: { time: now, workingSetBytes: await nodeWorkingSet() },
    },
    pods: [...pods].map(([uid, stats]) => {
      const { namespace, pod } = namesOf(stats[0]!);
      const total = (pick: (s: cri.ContainerStats) => number) =>
        stats.reduce((sum, entry) => sum + pick(entry), 0);
      return {
        podRef: { name: pod, namespace, uid },
        startTime: now,
        containers: stats.map((entry) => containerSummary(entry, now)),
        cpu: { time: now, usageCoreNanoSeconds: Math.round(total(cpuSeconds) * 1e9) },
        memory: { time: now, workingSetBytes: total(workingSet) },
      };
    }),
  };
}
