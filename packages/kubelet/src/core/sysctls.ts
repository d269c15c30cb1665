/**
 * Which kernel settings a pod may change: those that are its own, and that hurt nobody else.
 *
 * Safe ones are allowed everywhere, others when the node's configuration allows them (`net.*`).
 * Errors  reason SysctlForbidden; the pod becomes Failed
 * Source  pkg/kubelet/sysctl/allowlist.go, safe_sysctls.go; component-helpers/node/util/sysctl
 */
import type { Pod } from "@nanokube/api/core/v1";
import type { Refusal } from "./node-admission.ts";
import { isHostNetwork } from "./pod.ts";

/** Kernels since 5.15 keep all of these per namespace. */
const SAFE = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
];

const IPC = new Set([
  "kernel.sem",
  "kernel.shmall",
  "kernel.shmmax",
  "kernel.shmmni",
  "kernel.shm_rmid_forced",
  "kernel.shm",
  "kernel.msgmax",
  "kernel.msgmnb",
  "kernel.msgmni",
  "kernel.msg",
]);

/** The kernel writes a sysctl with dots; people may write slashes. */
export function sysctlName(name: string): string {
  const slash = name.indexOf("/");
  const dot = name.indexOf(".");
  const slashed = slash >= 0 && (dot < 0 || slash < dot);
  return slashed ? name.replace(/[./]/g, (char) => (char === "/" ? "." : "/")) : name;
}

function namespaceOf(name: string): "IPC" | "Net" | undefined {
  if (IPC.has(name) || name.startsWith("fs.mqueue.")) return "IPC";
  return name.startsWith("net.") ? "Net" : undefined;
}

const stemOf = (pattern: string): string => sysctlName(pattern).split("*")[0]!;

/** Refuses a node's own list when it names what is not a namespace's. */
export function checkSysctlPatterns(patterns: readonly string[]): void {
  for (const pattern of patterns) {
    const stem = stemOf(pattern);
    if (namespaceOf(stem) !== undefined) continue;
    throw new Error(`the sysctls "${stem}" are not known to be namespaced`);
  }
}

export function forbiddenSysctl(pod: Pod, allowed: readonly string[]): Refusal | undefined {
  const refuse = (why: string): Refusal => ({
    reason: "SysctlForbidden",
    message: `forbidden sysctl: ${why}`,
  });
  for (const { name: written = "" } of pod.spec?.securityContext?.sysctls ?? []) {
    const name = sysctlName(written);
    const pattern = [...SAFE, ...allowed].find((p) =>
      p.includes("*") ? name.startsWith(stemOf(p)) : name === sysctlName(p),
    );
    if (pattern === undefined) return refuse(`"${name}" not allowlisted`);
    const namespace = namespaceOf(stemOf(pattern));
    const shared = namespace === "Net" ? isHostNetwork(pod) : pod.spec?.hostIPC === true;
    if (shared) return refuse(`"${name}" not allowed with host ${namespace} enabled`);
  }
  return undefined;
}
