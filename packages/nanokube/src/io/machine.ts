/**
 * What this machine can do: who we are, which programs are there, which network slot is free.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { planNetwork, slotsMax } from "../core/topology.ts";
import { findProgram } from "./programs.ts";

/** Programs a node with containerd needs, and the Debian package of each. */
export const nodePrograms: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "runc",
  ip: "iproute2",
  iptables: "iptables",
  conntrack: "conntrack",
  nsenter: "util-linux",
  unshare: "util-linux",
  mount: "mount",
  busybox: "busybox-static",
};

export const isRoot = () => process.getuid?.() === 0;

export function missingPrograms(): string[] {
  return Object.keys(nodePrograms).filter((name) => findProgram(name) === undefined);
}

/** Why real containers cannot run here; undefined when they can. */
export function noContainersReason(): string | undefined {
  if (process.platform !== "linux") return `${process.platform} has no Linux containers`;
  if (!isRoot()) return "not root";
  const missing = missingPrograms();
  return missing.length > 0 ? `missing: ${missing.join(", ")}` : undefined;
}

/** Whether the kernel lets us lower a process's oom_score_adj (CAP_SYS_RESOURCE is bit 24). */
export function mayLowerOOMScore(): boolean {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0";
    return (BigInt(`0x${effective}`) & (1n << 24n)) !== 0n;
  } catch {
    return false;
  }
}

export function freeSlot(): number {
  for (let slot = 0; slot < slotsMax; slot += 1) {
    if (!existsSync(`/sys/class/net/${planNetwork(slot).bridge}`)) return slot;
  }
  throw new Error(`${slotsMax} clusters run on this machine already`);
}

/** Throws upstream's sentence when somebody listens there already. */
export async function requireFreePort(host: string, port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`listen tcp ${host}:${port}: bind: address already in use`)
          : error,
      ),
    );
    server.listen(port, host, () => server.close(() => resolve()));
  });
}
