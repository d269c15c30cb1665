/**
 * Programs put in the place of our components, with the flags upstream's have; and etcds that are
 * processes of their own, ours or upstream's.
 *
 * Source  cmd/kube-scheduler, cmd/kube-controller-manager, cmd/kube-apiserver; etcd's flags
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ClusterState } from "../core/cluster-state.ts";
import { planNetwork } from "../core/topology.ts";
import { fileName } from "./cluster-pki.ts";
import { isRunning } from "./daemon.ts";
import type { DataDir } from "./data-dir.ts";
import { ownArgv } from "./program.ts";

export const controlPlaneArgv = (dir: DataDir) => ownArgv("control-plane", dir.path);

interface EtcdMember {
  name: string;
  client: string;
  peer: string;
  /** Of the cluster's data directory. */
  directory: string;
}

/** Members' ports begin here; loopback of the machine, a hundred a slot, peers' fifty higher. */
const etcdPorts = 23_000;

/** None when the store is a part of the control plane. */
export function etcdMembers(state: ClusterState): EtcdMember[] {
  const { components, slot } = state;
  const isOwn = components.etcd === "own";
  if (components.etcd === "none" || (isOwn && state.etcdMembers === undefined)) return [];
  const count = state.etcdMembers ?? 1;
  const url = (port: number) => `http://127.0.0.1:${etcdPorts + 100 * slot + port}`;
  const kind = isOwn ? "etcd-lite" : "etcd-upstream";
  return Array.from({ length: count }, (_, i) => ({
    name: count === 1 ? "etcd" : `etcd-${i + 1}`,
    client: url(i),
    peer: url(50 + i),
    directory: count === 1 ? kind : `${kind}-${i + 1}`,
  }));
}

function etcdArgv(program: readonly string[], dir: DataDir, members: EtcdMember[], at: EtcdMember) {
  const initial = members.map(({ name, peer }) => `${name}=${peer}`).join(",");
  return [
    ...program,
    `--name=${at.name}`,
    `--data-dir=${join(dir.path, at.directory)}`,
    `--listen-client-urls=${at.client}`,
    `--advertise-client-urls=${at.client}`,
    `--listen-peer-urls=${at.peer}`,
    `--initial-advertise-peer-urls=${at.peer}`,
    `--initial-cluster=${initial}`,
    "--log-level=warn",
  ];
}

/** Records of the store's processes; of members that ended, too. */
export async function etcdNames(dir: DataDir): Promise<string[]> {
  const records = await dir.daemons.list();
  return records.map(({ name }) => name).filter((name) => /^etcd(-\d+)?$/.test(name));
}

/** The store's processes, those that do not run; also beside a control plane that runs. */
export async function startEtcdMembers(dir: DataDir, state: ClusterState): Promise<void> {
  const choice = state.components.etcd;
  const program = typeof choice === "string" ? ownArgv("etcd") : [choice.path];
  const members = etcdMembers(state);
  for (const member of members) {
    const running = await dir.daemons.find(member.name);
    if (running !== undefined && isRunning(running)) continue;
    await mkdir(join(dir.path, member.directory), { recursive: true, mode: 0o700 });
    const argv = etcdArgv(program, dir, members, member);
    await dir.daemons.spawn({ name: member.name, argv, logFile: dir.log(member.name) });
  }
}

function schedulerArgv(program: string, dir: DataDir): string[] {
  const kubeconfig = dir.componentKubeconfig(fileName("system:kube-scheduler"));
  return [
    program,
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--leader-elect=false",
  ];
}

function controllerManagerArgv(program: string, dir: DataDir, state: ClusterState): string[] {
  const kubeconfig = dir.componentKubeconfig(fileName("system:kube-controller-manager"));
  const network = planNetwork(state.slot);
  const pki = (file: string) => join(dir.pki.directory, file);
  return [
    program,
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--use-service-account-credentials",
    "--leader-elect=false",
    `--root-ca-file=${pki("ca.crt")}`,
    `--service-account-private-key-file=${pki("sa.key")}`,
    `--cluster-signing-cert-file=${pki("ca.crt")}`,
    `--cluster-signing-key-file=${pki("ca.key")}`,
    `--service-cluster-ip-range=${network.serviceCIDR}`,
    `--cluster-cidr=${network.podCIDR}`,
    "--allocate-node-cidrs",
    ...(state.nodeMonitorGracePeriodMs === undefined
      ? []
      : [`--node-monitor-grace-period=${state.nodeMonitorGracePeriodMs}ms`]),
  ];
}

/** Starts what stands in for the named component; nothing when ours runs or none is wanted. */
export async function startReplacement(
  dir: DataDir,
  state: ClusterState,
  name: "scheduler" | "controller-manager",
): Promise<void> {
  const choice = state.components[name];
  if (typeof choice === "string") return;
  const running = await dir.daemons.find(name);
  if (running !== undefined && isRunning(running)) return;
  const argv = {
    scheduler: () => schedulerArgv(choice.path, dir),
    "controller-manager": () => controllerManagerArgv(choice.path, dir, state),
  }[name]();
  await dir.daemons.spawn({ name, argv, logFile: dir.log(name) });
}
