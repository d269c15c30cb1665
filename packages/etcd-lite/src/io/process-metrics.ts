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
  metrics.push(...linuxMetrics());
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
function linuxMetrics(): ProcessMetric[] {
  try {
    const pages = Number(readFileSync("/proc/self/statm", "latin1").split(" ")[0]);
    const limits = readFileSync("/proc/self/limits", "latin1");
    const limit = /^Max address space\s+(\S+)/m.exec(limits)?.[1];
    const network = readFileSync("/proc/self/net/netstat", "latin1").split("\n");
    const [names, values] = network
      .filter((line) => line.startsWith("IpExt:"))
      .map((line) => line.split(" "));
    const octets = (name: string) => Number(values?.[names?.indexOf(name) ?? -1] ?? 0);
    return [
      {
        name: "process_virtual_memory_bytes",
        help: "Virtual memory size in bytes.",
        type: "gauge",
        value: pages * pageBytes,
      },
      {
        name: "process_virtual_memory_max_bytes",
        help: "Maximum amount of virtual memory available in bytes.",
        type: "gauge",
        value: limit === "unlimited" ? 2 ** 64 : Number(limit),
      },
      {
        name: "process_network_receive_bytes_total",
        help: "Number of bytes received by the process over the network.",
        type: "counter",
        value: octets("InOctets"),
      },
      {
        name: "process_network_transmit_bytes_total",
        help: "Number of bytes sent by the process over the network.",
        type: "counter",
        value: octets("OutOctets"),
      },
    ];
  } catch {
    return [];
  }
}

const pageBytes = 4096;

/** Only Linux says. */
export function openFiles(): { open: number; limit: number } | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    const limit = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return { open: readdirSync("/proc/self/fd").length, limit: Number(limit ?? 0) };
  } catch {
    return undefined;
  }
}
