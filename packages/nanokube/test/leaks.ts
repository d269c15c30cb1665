/**
 * What a run may leave on the machine, as sorted lines: before and after must be equal.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

function lines(command: string, ...args: string[]): string[] {
  const { stdout } = spawnSync(command, args, { encoding: "utf8" });
  return (stdout ?? "").split("\n").filter((line) => line !== "");
}

/** Processes of a cluster: ours by their argv, and whatever containers and shims they started. */
function processes(): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      const isOurs =
        /\/(control-plane|agent)(\.cjs|\/main\.ts) |nanokube-cluster-|node-boot|-address \/run\/containerd\/|^\/pause/;
      return isOurs.test(argv) ? [argv] : [];
    } catch {
      return [];
    }
  });
}

export function leftovers(): Record<string, string[]> {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return {
    processes: processes().sort(),
    mounts: mounts.filter((line) => /nanokube|kubelet|containerd|netns/.test(line)).sort(),
    links: lines("ip", "-o", "-br", "link")
      .map((line) => line.split(/[ @]/, 1)[0]!)
      .sort(),
    routes: lines("ip", "route").sort(),
    namespaces: lines("ip", "netns", "list").sort(),
    rules: lines("iptables-save")
      .filter((line) => !/^#|^:/.test(line))
      .sort(),
    cgroups: readdirSync("/sys/fs/cgroup")
      .flatMap((controller) => {
        try {
          return readdirSync(`/sys/fs/cgroup/${controller}`).filter((n) =>
            n.startsWith("nanokube"),
          );
        } catch {
          return [];
        }
      })
      .sort(),
  };
}
