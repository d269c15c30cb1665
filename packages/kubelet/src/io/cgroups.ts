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

/** What a pod's group has now; a quota or limit of -1 is none. */
export interface PodGroup {
  cpuShares: number;
  cpuQuotaUs: number;
  memoryLimitBytes: number;
  memoryUsageBytes: number;
}

export type PodGroupChange = Partial<Omit<PodGroup, "memoryUsageBytes">>;

export interface Cgroups {
  parent(pod: Pod): string;
  /** Makes the group with the pod's limits; one that is there keeps what it has. */
  ensure(pod: Pod): Promise<void>;
  /** undefined: groups are none of this kubelet's business. */
  read(pod: Pod): Promise<PodGroup | undefined>;
  /** Rejects when the kernel refuses. */
  change(pod: Pod, change: PodGroupChange): Promise<void>;
  remove(uid: string): Promise<void>;
  /** UIDs of pods that have a group. */
  list(): Promise<string[]>;
}

/** For a kubelet that may not, or should not, touch control groups. */
export const noCgroups: Cgroups = {
  parent: () => "",
  ensure: async () => {},
  read: async () => undefined,
  change: async () => {},
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

const weightOf = (shares: number): number => 1 + Math.floor(((shares - 2) * 9999) / 262_142);
const sharesOf = (weight: number): number => Math.ceil(((weight - 1) * 262_142) / 9999) + 2;

async function changeV1(path: string, change: PodGroupChange): Promise<void> {
  const { cpuShares, cpuQuotaUs, memoryLimitBytes } = change;
  const cpu = join(ROOT, "cpu", path);
  if (cpuShares !== undefined) await writeFile(join(cpu, "cpu.shares"), String(cpuShares));
  if (cpuQuotaUs !== undefined) {
    await writeFile(join(cpu, "cpu.cfs_period_us"), String(CPU_PERIOD_US));
    await writeFile(join(cpu, "cpu.cfs_quota_us"), String(cpuQuotaUs));
  }
  if (memoryLimitBytes !== undefined) {
    const file = join(ROOT, "memory", path, "memory.limit_in_bytes");
    await writeFile(file, String(memoryLimitBytes));
  }
}

async function changeV2(path: string, change: PodGroupChange): Promise<void> {
  const { cpuShares, cpuQuotaUs, memoryLimitBytes } = change;
  const directory = join(ROOT, path);
  const limit = (value: number) => (value < 0 ? "max" : String(value));
  if (cpuShares !== undefined) {
    await writeFile(join(directory, "cpu.weight"), String(weightOf(cpuShares)));
  }
  if (cpuQuotaUs !== undefined) {
    await writeFile(join(directory, "cpu.max"), `${limit(cpuQuotaUs)} ${CPU_PERIOD_US}`);
  }
  if (memoryLimitBytes !== undefined) {
    await writeFile(join(directory, "memory.max"), limit(memoryLimitBytes));
  }
}

const numberIn = async (file: string, otherwise: number): Promise<number> => {
  const text = (await readFile(file, "utf8").catch(() => "")).trim().split(" ")[0];
  return text === undefined || text === "" || text === "max" ? otherwise : Number(text);
};

/** cgroup v1 says "no limit" with a number near 2^63. */
const NO_LIMIT = 2 ** 62;

async function readV1(path: string): Promise<PodGroup> {
  const [cpu, memory] = [join(ROOT, "cpu", path), join(ROOT, "memory", path)];
  const limit = await numberIn(join(memory, "memory.limit_in_bytes"), -1);
  return {
    cpuShares: await numberIn(join(cpu, "cpu.shares"), 2),
    cpuQuotaUs: await numberIn(join(cpu, "cpu.cfs_quota_us"), -1),
    memoryLimitBytes: limit > NO_LIMIT ? -1 : limit,
    memoryUsageBytes: await numberIn(join(memory, "memory.usage_in_bytes"), 0),
  };
}

async function readV2(path: string): Promise<PodGroup> {
  const directory = join(ROOT, path);
  return {
    cpuShares: sharesOf(await numberIn(join(directory, "cpu.weight"), 1)),
    cpuQuotaUs: await numberIn(join(directory, "cpu.max"), -1),
    memoryLimitBytes: await numberIn(join(directory, "memory.max"), -1),
    memoryUsageBytes: await numberIn(join(directory, "memory.current"), 0),
  };
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
  const change = v2 ? changeV2 : changeV1;
  /** Groups that are known to be there. */
  const made = new Set<string>();
  const homes = [base, `${base}/burstable`, `${base}/besteffort`];
  return {
    parent: (pod) => podCgroupParent(cgroupRoot, pod),
    async ensure(pod) {
      const path = podCgroupParent(cgroupRoot, pod);
      if (made.has(path)) return;
      const home = join(v2 ? ROOT : join(ROOT, "cpu"), path);
      const there = (await stat(home).catch(() => undefined)) !== undefined;
      for (const tree of roots) {
        await makeInTree(tree, path).catch((error: Error) => {
          log.debug({ tree, err: error.message }, "cgroup not made");
        });
      }
      made.add(path);
      if (there) return;
      for (const [key, value] of Object.entries(podCgroupLimits(pod))) {
        await change(path, { [key]: value }).catch((error: Error) => {
          log.debug({ path, err: error.message }, "cgroup limit not set");
        });
      }
    },
    read: (pod) => (v2 ? readV2 : readV1)(podCgroupParent(cgroupRoot, pod)),
    change: (pod, wanted) => change(podCgroupParent(cgroupRoot, pod), wanted),
    async remove(uid) {
      for (const path of made) if (path.endsWith(`/pod${uid}`)) made.delete(path);
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
