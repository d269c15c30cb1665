/**
 * Control groups of pods, under cgroupfs: /kubepods/<qos>/pod<uid>, made before the sandbox.
 *
 * Works on cgroup v1 (one tree per controller) and v2 (one tree); a controller that is not there or
 * not ours to write is left alone.
 * Source  pkg/kubelet/cm/pod_container_manager_linux.go, cgroup_manager_linux.go
 */
import { mkdir, readdir, readFile, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "@nanokube/api/core/v1";
import type { Log } from "@nanokube/machinery";
import { podUID } from "../core/pod.ts";
import { qosClass } from "../core/qos.ts";
import { CPU_PERIOD_US, podCgroupLimits } from "../core/resources.ts";

const ROOT = "/sys/fs/cgroup";
const V1_CONTROLLERS = [
  "cpu",
  "cpuacct",
  "memory",
  "cpuset",
  "devices",
  "freezer",
  "blkio",
  "pids",
];

/** What the runtime is told: the pod's group, as a path from the root of each tree. */
export function podCgroupParent(cgroupRoot: string, pod: Pod): string {
  const qos = qosClass(pod);
  const middle = qos === "Guaranteed" ? "" : `/${qos.toLowerCase()}`;
  const root = cgroupRoot === "/" ? "" : cgroupRoot;
  return `${root}/kubepods${middle}/pod${podUID(pod)}`;
}

export interface Cgroups {
  parent(pod: Pod): string;
  ensure(pod: Pod): Promise<void>;
  remove(uid: string): Promise<void>;
  /** UIDs of pods that have a group. */
  list(): Promise<string[]>;
}

/** For a kubelet that may not, or should not, touch control groups. */
export const noCgroups: Cgroups = {
  parent: () => "",
  ensure: async () => {},
  remove: async () => {},
  list: async () => [],
};

export async function isCgroupV2(): Promise<boolean> {
  return (await stat(`${ROOT}/cgroup.controllers`).catch(() => undefined)) !== undefined;
}

/** Trees in which groups are made. */
async function trees(v2: boolean): Promise<string[]> {
  if (v2) return [ROOT];
  const present: string[] = await readdir(ROOT).catch(() => []);
  return V1_CONTROLLERS.filter((name) => present.includes(name)).map((name) => join(ROOT, name));
}

async function allTrees(): Promise<string[]> {
  const names: string[] = await readdir(ROOT).catch(() => []);
  return names.map((name) => join(ROOT, name));
}

const put = (file: string, value: string | number): Promise<void> =>
  writeFile(file, String(value)).catch(() => {});

/** A v1 cpuset is empty when made; nothing runs in it until it gets its parent's. */
async function inheritCpuset(directory: string): Promise<void> {
  for (const name of ["cpuset.cpus", "cpuset.mems"]) {
    const own = (await readFile(join(directory, name), "utf8").catch(() => "x")).trim();
    if (own !== "") continue;
    const parent = await readFile(join(directory, "..", name), "utf8").catch(() => "");
    await put(join(directory, name), parent.trim());
  }
}

async function makeInTree(tree: string, path: string): Promise<void> {
  let at = tree;
  for (const part of path.split("/").filter((name) => name !== "")) {
    at = join(at, part);
    await mkdir(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    if (tree.endsWith("/cpuset")) await inheritCpuset(at);
  }
}

async function limitV1(path: string, pod: Pod): Promise<void> {
  const limits = podCgroupLimits(pod);
  const cpu = join(ROOT, "cpu", path);
  await put(join(cpu, "cpu.shares"), limits.cpuShares);
  if (limits.cpuQuotaUs !== undefined) {
    await put(join(cpu, "cpu.cfs_period_us"), CPU_PERIOD_US);
    await put(join(cpu, "cpu.cfs_quota_us"), limits.cpuQuotaUs);
  }
  if (limits.memoryLimitBytes !== undefined) {
    await put(join(ROOT, "memory", path, "memory.limit_in_bytes"), limits.memoryLimitBytes);
  }
}

async function limitV2(path: string, pod: Pod): Promise<void> {
  const limits = podCgroupLimits(pod);
  const directory = join(ROOT, path);
  const weight = 1 + Math.floor(((limits.cpuShares - 2) * 9999) / 262_142);
  await put(join(directory, "cpu.weight"), weight);
  if (limits.cpuQuotaUs !== undefined) {
    await put(join(directory, "cpu.max"), `${limits.cpuQuotaUs} ${CPU_PERIOD_US}`);
  }
  if (limits.memoryLimitBytes !== undefined) {
    await put(join(directory, "memory.max"), limits.memoryLimitBytes);
  }
}

async function removeTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries)
    if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  await rmdir(directory).catch(() => {});
}

export async function createCgroups(cgroupRoot: string, log: Log): Promise<Cgroups> {
  const v2 = await isCgroupV2();
  const roots = await trees(v2);
  const base = `${cgroupRoot === "/" ? "" : cgroupRoot}/kubepods`;
  const homes = [base, `${base}/burstable`, `${base}/besteffort`];
  return {
    parent: (pod) => podCgroupParent(cgroupRoot, pod),
    async ensure(pod) {
      const path = podCgroupParent(cgroupRoot, pod);
      for (const tree of roots) {
        await makeInTree(tree, path).catch((error: Error) => {
          log.debug({ tree, err: error.message }, "cgroup not made");
        });
      }
      await (v2 ? limitV2(path, pod) : limitV1(path, pod));
    },
    async remove(uid) {
      // The runtime makes groups in more trees than ours (systemd, unified, net_cls …).
      for (const tree of v2 ? roots : await allTrees()) {
        for (const home of homes) await removeTree(join(tree, home, `pod${uid}`));
      }
    },
    async list() {
      const found = new Set<string>();
      for (const home of homes) {
        const names = await readdir(join(roots[0] ?? ROOT, home)).catch(() => []);
        for (const name of names) if (name.startsWith("pod")) found.add(name.slice(3));
      }
      return [...found];
    },
  };
}
