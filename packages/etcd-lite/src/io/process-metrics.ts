/**
 * What the operating system says of this process, under the names that every Prometheus client has.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly value: number;
}

export function processMetrics(): ProcessMetric[] {
  const { user, system } = process.cpuUsage();
  const gauge = (name: string, help: string, value: number): ProcessMetric => ({
    name,
    help,
    type: "gauge",
    value,
  });
  const metrics = [
    gauge(
      "process_resident_memory_bytes",
      "Resident memory size in bytes.",
      process.memoryUsage.rss(),
    ),
    gauge(
      "process_start_time_seconds",
      "Start time of the process since unix epoch in seconds.",
      Math.round(performance.timeOrigin / 1000),
    ),
    {
      name: "process_cpu_seconds_total",
      help: "Total user and system CPU time spent in seconds.",
      type: "counter" as const,
      value: (user + system) / 1e6,
    },
  ];
  const files = openFiles();
  if (files === undefined) return metrics;
  return [
    ...metrics,
    gauge("process_open_fds", "Number of open file descriptors.", files.open),
    gauge("process_max_fds", "Maximum number of open file descriptors.", files.limit),
    gauge("os_fd_used", "The number of used file descriptors.", files.open),
    gauge("os_fd_limit", "The file descriptor limit.", files.limit),
  ];
}

/** Only Linux says. */
function openFiles(): { open: number; limit: number } | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    const limit = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return { open: readdirSync("/proc/self/fd").length, limit: Number(limit ?? 0) };
  } catch {
    return undefined;
  }
}
