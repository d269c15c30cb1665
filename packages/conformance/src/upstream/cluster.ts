/**
 * Upstream's cluster of one node on this machine, in the same namespaces that ours uses.
 *
 * etcd, kube-apiserver, kube-controller-manager and kube-scheduler run on the machine's side of the
 * bridge, containerd, kubelet and kube-proxy in the node; the network plugin is upstream's bridge.
 *
 * Source  the flags of upstream's programs; kubelet.config.k8s.io/v1beta1,
 *         kubeproxy.config.k8s.io/v1alpha1
 */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ListeningServer } from "@nanokube/machinery/serve-http";
import {
  bootNode,
  buildBaseImages,
  type ClusterState,
  clusterPKI,
  DataDir,
  endNode,
  ensureBridge,
  fileName,
  findProgram,
  isRunning,
  mayLowerOOMScore,
  type Network,
  nodePKI,
  ownComponents,
  planNetwork,
  planNode,
  registryPort,
  removeBridge,
  slotsMax,
  startRegistry,
  startReplacedKubelet,
  startReplacedKubeProxy,
  startRuntime,
  stateVersion,
  writeKubeconfigs,
} from "nanokube";
import { findUpstream, missingReason } from "./cache.ts";

const etcdPort = 23950;
const cniPlugins = "/usr/lib/cni";

export const upstreamClusterPrograms = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
];

/** Commands of ours in the place of upstream's; their flags are the same. */
export type Replacements = Partial<Record<"etcd" | "kube-apiserver", readonly string[]>>;

export class UpstreamCluster {
  readonly #replacements: Replacements;
  readonly dir: DataDir;
  readonly state: ClusterState;
  readonly network: Network;
  #registry: ListeningServer | undefined;

  constructor(dataDir: string, replacements: Replacements = {}) {
    this.#replacements = replacements;
    const missing = missingReason(...upstreamClusterPrograms);
    if (missing !== undefined) throw new Error(missing);
    this.dir = new DataDir(dataDir);
    const slot = slotsMax - 1; // Ours take the first free one, so the two never meet.
    this.network = planNetwork(slot);
    this.state = {
      version: stateVersion,
      mode: "containerd",
      slot,
      apiHost: this.network.gateway,
      apiPort: 6443,
      nodes: [1],
      components: {
        ...ownComponents(),
        kubelet: { path: findUpstream("kubelet")! },
        "kube-proxy": { path: findUpstream("kube-proxy")! },
      },
      kubelet: {
        imageGCHighThresholdPercent: 100,
        evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%" },
      },
    };
  }

  get kubeconfig(): string {
    return this.dir.kubeconfig;
  }

  /** Certificates and images: what a warm start finds ready. */
  async prepare(): Promise<void> {
    await this.dir.make();
    await ensureBridge(this.network, this.dir.path);
    const pki = await clusterPKI(this.dir, this.state);
    await writeKubeconfigs(this.dir, this.state);
    await nodePKI(this.dir, this.state, pki.ca, 1);
    const node = { node: process.execPath, nodeVersion: process.version };
    await buildBaseImages({ store: this.dir.images, busybox: findProgram("busybox")!, ...node });
    this.#registry = await startRegistry(this.dir.images, this.network.gateway, registryPort);
  }

  async startControlPlane(): Promise<void> {
    await rm(join(this.dir.path, "etcd"), { recursive: true, force: true });
    await this.#spawn("etcd", this.#etcdFlags());
    await this.#spawn("kube-apiserver", this.#apiServerFlags());
  }

  /**
   * What needs the API server: call it once that is ready. Both end when they find it unhealthy for
   * ten seconds, and count on somebody who starts them again: call it once more, what runs is left
   * alone.
   */
  async startControllers(): Promise<void> {
    const kubeconfig = this.#kubeconfigOf("system:kube-scheduler");
    await this.#spawnMissing("kube-controller-manager", this.#controllerManagerFlags());
    await this.#spawnMissing("kube-scheduler", [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      "--leader-elect=false",
    ]);
  }

  async startNode(): Promise<void> {
    const { dir, network, state } = this;
    const plan = planNode(network, 1);
    const directory = dir.node(plan.name);
    const node = await bootNode({ network, plan, directory, daemons: dir.daemons });
    await writeFile(join(directory, "cni-conf", "10-bridge.conflist"), this.#cniConfig());
    await startRuntime({
      node,
      network,
      daemons: dir.daemons,
      containerd: findProgram("containerd")!,
      cniBinDir: cniPlugins,
      mayLowerOOMScore: mayLowerOOMScore(),
    });
    await startReplacedKubelet({ dir, state, network, plan, node });
    await startReplacedKubeProxy({ dir, state, network, plan, node });
  }

  /** Processes whose memory counts, by the name of each. */
  async processes(): Promise<{ name: string; pid: number }[]> {
    const records = await this.dir.daemons.list();
    return records.filter(({ name }) => !/-(unshare|holder)$/.test(name));
  }

  async stop(): Promise<void> {
    const plan = planNode(this.network, 1);
    const { daemons } = this.dir;
    for (const name of ["kubelet", "kube-proxy", "containerd"]) {
      await daemons.stop(`${plan.name}-${name}`);
    }
    await endNode(this.network, plan, daemons);
    for (const name of ["kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"]) {
      await daemons.stop(name);
    }
  }

  async destroy(): Promise<void> {
    await this.stop();
    await this.#registry?.close();
    await removeBridge(this.network, this.dir.path);
    await rm(this.dir.path, { recursive: true, force: true });
  }

  async #spawnMissing(name: string, flags: readonly string[]): Promise<void> {
    const record = await this.dir.daemons.find(name);
    if (record === undefined || !isRunning(record)) await this.#spawn(name, flags);
  }

  #spawn(name: string, flags: readonly string[]) {
    const ours = this.#replacements[name as keyof Replacements];
    const argv = [...(ours ?? [findUpstream(name)!]), ...flags];
    return this.dir.daemons.spawn({ name, argv, logFile: this.dir.log(name) });
  }

  #kubeconfigOf(user: string): string {
    return this.dir.componentKubeconfig(fileName(user));
  }

  #pki(file: string): string {
    return join(this.dir.pki.directory, file);
  }

  #etcdFlags(): string[] {
    const client = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${etcdPort + 1}`;
    return [
      "--name=upstream",
      `--data-dir=${join(this.dir.path, "etcd")}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=upstream=${peer}`,
      "--log-level=warn",
    ];
  }

  #apiServerFlags(): string[] {
    return [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`,
      `--bind-address=${this.state.apiHost}`,
      `--secure-port=${this.state.apiPort}`,
      `--advertise-address=${this.state.apiHost}`,
      `--service-cluster-ip-range=${this.network.serviceCIDR}`,
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      "--allow-privileged=true",
      `--client-ca-file=${this.#pki("ca.crt")}`,
      `--tls-cert-file=${this.#pki("apiserver.crt")}`,
      `--tls-private-key-file=${this.#pki("apiserver.key")}`,
      `--kubelet-client-certificate=${this.#pki("apiserver-kubelet-client.crt")}`,
      `--kubelet-client-key=${this.#pki("apiserver-kubelet-client.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${this.#pki("sa.pub")}`,
      `--service-account-signing-key-file=${this.#pki("sa.key")}`,
    ];
  }

  #controllerManagerFlags(): string[] {
    const kubeconfig = this.#kubeconfigOf("system:kube-controller-manager");
    return [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      "--use-service-account-credentials",
      "--leader-elect=false",
      `--root-ca-file=${this.#pki("ca.crt")}`,
      `--service-account-private-key-file=${this.#pki("sa.key")}`,
      `--cluster-signing-cert-file=${this.#pki("ca.crt")}`,
      `--cluster-signing-key-file=${this.#pki("ca.key")}`,
      `--service-cluster-ip-range=${this.network.serviceCIDR}`,
      `--cluster-cidr=${this.network.podCIDR}`,
    ];
  }

  #cniConfig(): string {
    const subnet = this.network.podCIDR.replace(".0.0/16", ".1.0/24");
    const ipam = {
      type: "host-local",
      dataDir: "/var/lib/cni/networks",
      ranges: [[{ subnet }]],
      routes: [{ dst: "0.0.0.0/0" }],
    };
    const bridge = { type: "bridge", bridge: "cni0", isGateway: true, hairpinMode: true, ipam };
    return JSON.stringify({ cniVersion: "1.0.0", name: "upstream", plugins: [bridge] });
  }
}
