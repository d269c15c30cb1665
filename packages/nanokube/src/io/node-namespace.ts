/**
 * A node on this machine: mount, network, pid and uts namespaces held open by a reaper.
 *
 * The machine's firewall, mounts and directories are not touched: what the node changes, it
 * changes in its own namespaces, and ending the reaper (pid 1 in there) ends everything on the
 * node. What is visible outside is one bridge a cluster, one veth a node, routes over that
 * bridge, and cgroups.
 *
 * Source  namespaces(7), pid_namespaces(7)
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Network, NodePlan } from "../core/topology.ts";
import { exec, run } from "./command.ts";
import { type DaemonRecord, type Daemons, isRunning, type SpawnOptions } from "./daemon.ts";

const bootScript = fileURLToPath(new URL("../../assets/node-boot.sh", import.meta.url));
const cgroupRoot = "/sys/fs/cgroup";

export interface NodeNamespace {
  plan: NodePlan;
  directory: string;
  /** pid of the reaper, as this machine numbers it. */
  holder: number;
  /** argv that runs a command on the node. */
  enter(argv: readonly string[]): string[];
}

export const cgroupName = (network: Network, plan: NodePlan) =>
  `nanokube${network.slot}-${plan.name}`;

const enter = (holder: number) => (argv: readonly string[]) => [
  "nsenter",
  "-t",
  String(holder),
  "-m",
  "-n",
  "-p",
  "-u",
  "--",
  ...argv,
];

/** Whose bridge it is stands in its alias; the kernel keeps 255 bytes of one. */
const aliasOf = (owner: string) => owner.slice(-255);

async function ownerOf(network: Network): Promise<string | undefined> {
  const file = `/sys/class/net/${network.bridge}/ifalias`;
  return (await readFile(file, "utf8").catch(() => undefined))?.trim();
}

/**
 * The bridge that joins the nodes of one cluster, with the machine's own address on it.
 *
 * A data directory whose cluster is stopped may find that another cluster took its network.
 */
export async function ensureBridge(network: Network, owner: string): Promise<void> {
  const alias = aliasOf(owner);
  const current = await ownerOf(network);
  if (current === alias) return;
  if (current !== undefined) {
    throw new Error(`network ${network.nodeCIDR} (${network.bridge}) is in use by ${current}`);
  }
  const batch = [
    `link add ${network.bridge} type bridge`,
    `link set ${network.bridge} alias "${alias}"`,
    `addr add ${network.gateway}/24 dev ${network.bridge}`,
    `link set ${network.bridge} up`,
  ];
  await run(["ip", "-batch", "-"], `${batch.join("\n")}\n`);
}

/** Another cluster's bridge stays; somebody else may take this one away at the same moment. */
export async function removeBridge(network: Network, owner: string): Promise<void> {
  const isOurs = async () => (await ownerOf(network)) === aliasOf(owner);
  if (!(await isOurs())) return;
  try {
    await run(["ip", "link", "del", network.bridge]);
  } catch (error) {
    if (await isOurs()) throw error;
  }
}

async function childOf(pid: number, timeoutMs: number): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
    const child = Number(children.trim().split(" ")[0]);
    if (child > 0) return child;
    await delay(2);
  }
  throw new Error(`process ${pid} started no child within ${timeoutMs} ms`);
}

async function makeCgroups(name: string): Promise<void> {
  for (const controller of await readdir(cgroupRoot).catch(() => [])) {
    const parent = join(cgroupRoot, controller);
    if (!existsSync(join(parent, "cgroup.procs"))) continue;
    await mkdir(join(parent, name), { recursive: true });
    if (controller !== "cpuset") continue;
    // A new cpuset group of cgroup v1 is empty, and refuses processes until it is filled.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      const value = await readFile(join(parent, file), "utf8").catch(() => "");
      if (value.trim() !== "") await writeFile(join(parent, name, file), value).catch(() => {});
    }
  }
  if (existsSync(join(cgroupRoot, "cgroup.controllers"))) {
    await mkdir(join(cgroupRoot, name), { recursive: true });
  }
}

async function removeTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  }
  await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "EBUSY") throw error;
  });
}

export async function removeCgroups(name: string): Promise<void> {
  const roots = await readdir(cgroupRoot).catch(() => []);
  for (const controller of [...roots.map((r) => join(cgroupRoot, r)), cgroupRoot]) {
    // The kernel frees the groups of processes that have just ended a moment later.
    for (let attempt = 0; attempt < 50 && existsSync(join(controller, name)); attempt += 1) {
      await removeTree(join(controller, name));
      if (existsSync(join(controller, name))) await delay(20);
    }
  }
}

async function writeNodeFiles(network: Network, plan: NodePlan, directory: string): Promise<void> {
  // What belongs to one boot goes; images, pods' volumes and IP reservations of dead pods too.
  for (const stale of ["run-containerd", "run-netns", "cni", "booted"]) {
    await rm(join(directory, stale), { recursive: true, force: true });
  }
  await mkdir(join(directory, "cni-conf"), { recursive: true });
  await writeFile(
    join(directory, "resolv.conf"),
    `nameserver ${network.gateway}\noptions ndots:1\n`,
  );
  await writeFile(
    join(directory, "hosts"),
    `127.0.0.1 localhost\n::1 localhost\n${plan.address} ${plan.name}\n`,
  );
}

export interface BootOptions {
  network: Network;
  plan: NodePlan;
  directory: string;
  daemons: Daemons;
}

export async function bootNode(options: BootOptions): Promise<NodeNamespace> {
  const { network, plan, directory, daemons } = options;
  await mkdir(directory, { recursive: true });
  await writeNodeFiles(network, plan, directory);
  await makeCgroups(cgroupName(network, plan));
  const namespaces = ["--mount", "--net", "--uts", "--pid", "--fork", "--mount-proc"];
  const outer = await daemons.spawn({
    name: `${plan.name}-unshare`,
    argv: ["unshare", ...namespaces, "--propagation", "private", "bash", bootScript],
    logFile: join(directory, "boot.log"),
    env: { NODE_NAME: plan.name, NODE_DIR: directory },
  });
  const holder = await childOf(outer.pid, 5000);
  await daemons.record(`${plan.name}-holder`, holder, ["reaper"]);
  await waitBooted(outer, directory);
  await connect(network, plan, holder);
  return { plan, directory, holder, enter: enter(holder) };
}

async function waitBooted(outer: DaemonRecord, directory: string): Promise<void> {
  while (!existsSync(join(directory, "booted"))) {
    if (!isRunning(outer)) {
      const log = await readFile(join(directory, "boot.log"), "utf8").catch(() => "");
      throw new Error(`node did not boot: ${log.trim().split("\n").at(-1) ?? "no reason given"}`);
    }
    await delay(5);
  }
}

/** A veth pair to the bridge. Routes to the pods follow when the node has its pod CIDR. */
async function connect(network: Network, plan: NodePlan, holder: number): Promise<void> {
  await exec(["ip", "link", "del", plan.link]);
  const outside = [
    `link add ${plan.link} type veth peer name eth0 netns ${holder}`,
    `link set ${plan.link} master ${network.bridge} up`,
  ];
  const inside = [
    `addr add ${plan.address}/24 dev eth0`,
    "link set eth0 up",
    `route add default via ${network.gateway}`,
  ];
  await run(["ip", "-batch", "-"], `${outside.join("\n")}\n`);
  await run(["nsenter", "-t", String(holder), "-n", "ip", "-batch", "-"], `${inside.join("\n")}\n`);
}

/**
 * Starts a daemon on the node. nsenter forks to enter the pid namespace and stays as its parent, so
 * the child is what is recorded: signals must reach it.
 */
export async function spawnOnNode(
  node: NodeNamespace,
  daemons: Daemons,
  options: SpawnOptions,
): Promise<DaemonRecord> {
  const name = `${node.plan.name}-${options.name}`;
  const outer = await daemons.spawn({ ...options, name, argv: node.enter(options.argv) });
  const pid = await childOf(outer.pid, 5000);
  return daemons.record(name, pid, options.argv);
}

export async function findNode(
  plan: NodePlan,
  directory: string,
  daemons: Daemons,
): Promise<NodeNamespace | undefined> {
  const record = await daemons.find(`${plan.name}-holder`);
  if (record === undefined || !isRunning(record)) return undefined;
  return { plan, directory, holder: record.pid, enter: enter(record.pid) };
}

/** Ends the reaper, and with it every process of the node; then takes links and cgroups away. */
export async function endNode(network: Network, plan: NodePlan, daemons: Daemons): Promise<void> {
  await daemons.stop(`${plan.name}-holder`, 3000);
  await daemons.stop(`${plan.name}-unshare`, 3000);
  await exec(["ip", "link", "del", plan.link]);
  await removeCgroups(cgroupName(network, plan));
}
