/**
 * What the process uses, by the names of every Prometheus client.
 *
 * Units   bytes, seconds
 * Source  prometheus/client_golang prometheus/process_collector.go
 */
import { readdirSync, readFileSync } from "node:fs";

export function processMetrics(): string[] {
  const { user, system } = process.cpuUsage();
  const startedSeconds = (Date.now() - process.uptime() * 1000) / 1000;
  const lines = [
    ...one("cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", [
      (user + system) / 1e6,
    ]),
    ...one("resident_memory_bytes", "gauge", "Resident memory size in bytes.", [
      process.memoryUsage.rss(),
    ]),
    ...one(
      "start_time_seconds",
      "gauge",
      "Start time of the process since unix epoch in seconds.",
      [startedSeconds],
    ),
  ];
  return [...lines, ...ofLinux()];
}

function one(name: string, type: string, help: string, [value]: [number]): string[] {
  const whole = `process_${name}`;
  return [`# HELP ${whole} ${help}`, `# TYPE ${whole} ${type}`, `${whole} ${value}`];
}

/** What only /proc tells. */
function ofLinux(): string[] {
  try {
    const open = readdirSync("/proc/self/fd").length;
    const limits = readFileSync("/proc/self/limits", "utf8");
    const limit = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    const virtual = /^VmSize:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return [
      ...one("open_fds", "gauge", "Number of open file descriptors.", [open]),
      ...one("max_fds", "gauge", "Maximum number of open file descriptors.", [Number(limit ?? 0)]),
      ...one("virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", [
        Number(virtual ?? 0) * 1024,
      ]),
      ...one(
        "virtual_memory_max_bytes",
        "gauge",
        "Maximum amount of virtual memory available in bytes.",
        [mostMemory(limits)],
      ),
      ...network(),
    ];
  } catch {
    return [];
  }
}

const unlimited = 2 ** 64;

function mostMemory(limits: string): number {
  const limit = /^Max address space\s+(\d+)/m.exec(limits)?.[1];
  return limit === undefined ? unlimited : Number(limit);
}

/** Of the network namespace, not of the process alone: so does every Prometheus client. */
function network(): string[] {
  const lines = readFileSync("/proc/self/net/netstat", "utf8").split("\n");
  const [names = [], values = []] = lines
    .filter((line) => line.startsWith("IpExt:"))
    .map((line) => line.split(" "));
  const value = (name: string): number => Number(values[names.indexOf(name)] ?? 0);
  return [
    ...one(
      "network_receive_bytes_total",
      "counter",
      "Number of bytes received by the process over the network.",
      [value("InOctets")],
    ),
    ...one(
      "network_transmit_bytes_total",
      "counter",
      "Number of bytes sent by the process over the network.",
      [value("OutOctets")],
    ),
  ];
}
