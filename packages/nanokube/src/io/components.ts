/**
 * Programs put in the place of our components, with the flags upstream's have.
 *
 * Source  cmd/kube-scheduler, cmd/kube-controller-manager, cmd/kube-apiserver; etcd's flags
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ClusterState, ComponentName } from "../core/cluster-state.ts";
import { planNetwork } from "../core/topology.ts";
import { fileName } from "./cluster-pki.ts";
import { isRunning } from "./daemon.ts";
import type { DataDir } from "./data-dir.ts";
import { ownArgv } from "./program.ts";

export const controlPlaneArgv = (dir: DataDir) => ownArgv("control-plane", dir.path);

export interface EtcdEndpoint {
  url: string;
}

/** Ports of an etcd put in ours' place; loopback of the machine, numbered by slot. */
export const etcdPorts = (state: ClusterState) => ({
  client: 23790 + 10 * state.slot,
  peer: 23800 + 10 * state.slot,
});

export const etcdURL = (state: ClusterState) => `http://127.0.0.1:${etcdPorts(state).client}`;

function etcdArgv(program: string, dir: DataDir, state: ClusterState): string[] {
  const client = etcdURL(state);
  const peer = `http://127.0.0.1:${etcdPorts(state).peer}`;
  return [
    program,
    "--name=nanokube",
    `--data-dir=${join(dir.path, "etcd-upstream")}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=nanokube=${peer}`,
    "--log-level=warn",
  ];
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
  name: ComponentName & ("etcd" | "scheduler" | "controller-manager"),
): Promise<void> {
  const choice = state.components[name];
  if (typeof choice === "string") return;
  const running = await dir.daemons.find(name);
  if (running !== undefined && isRunning(running)) return;
  await mkdir(join(dir.path, "etcd-upstream"), { recursive: true, mode: 0o700 });
  const argv = {
    etcd: () => etcdArgv(choice.path, dir, state),
    scheduler: () => schedulerArgv(choice.path, dir),
    "controller-manager": () => controllerManagerArgv(choice.path, dir, state),
  }[name]();
  await dir.daemons.spawn({ name, argv, logFile: dir.log(name) });
}
