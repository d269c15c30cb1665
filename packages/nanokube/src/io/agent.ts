/**
 * A node's agent: kubelet, kube-proxy, CSI driver, CNI configuration and routes in one process.
 *
 * Each speaks to the API server as its own user. What was replaced by another program is left out.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Client,
  createClient,
  createHttpTransport,
  createInformer,
  loadKubeconfig,
  nodes,
} from "@nanokube/client";
import { createNodeRoutes } from "@nanokube/cni-bridge";
import { createKubeProxy } from "@nanokube/kube-proxy";
import { createKubelet } from "@nanokube/kubelet";
import { nodeOptions, withDefaults } from "@nanokube/kubelet/configuration";
import { type Log, systemClock, systemRandom } from "@nanokube/machinery";
import { type Channel, dial } from "@nanokube/rpc";
import type { AgentConfig } from "../core/agent-config.ts";
import { cniConfigFile, formatCNIConfig } from "../core/cni-config.ts";
import { exec } from "./command.ts";
import { egressPort } from "./runtime.ts";
import { startStorage } from "./storage.ts";
import { startWayOut } from "./way-out.ts";

interface Agent {
  config: AgentConfig;
  log: Log;
  signal: AbortSignal;
  /** What must end with the agent: called after the signal. */
  closers: (() => Promise<void>)[];
}

const base = { clock: systemClock, random: systemRandom };

function clientOf(kubeconfig: string, userAgent: string): Client {
  const transport = createHttpTransport(loadKubeconfig(kubeconfig));
  return createClient({ transport, userAgent });
}

/** The runtime of this node; the embedded one lives in this very process. */
async function openRuntime(agent: Agent): Promise<Channel> {
  const { config, log } = agent;
  if (config.mode === "containerd") return dial(`unix://${config.runtimeSocket}`);
  const { createCriEmbedded } = await import("@nanokube/cri-embedded");
  const runtime = createCriEmbedded({
    ...base,
    rootDir: config.runtimeDir,
    log: log.child({ component: "cri-embedded" }),
  });
  agent.closers.push(() => runtime.close());
  return runtime.server.memory();
}

async function runKubelet(agent: Agent, client: Client): Promise<void> {
  const { config, signal } = agent;
  const [cert, key, clientCA] = await Promise.all(
    [config.servingCert, config.servingKey, config.clientCA].map((f) => readFile(f, "utf8")),
  );
  const file = config.kubeletConfiguration;
  const kubelet = createKubelet({
    ...base,
    ...nodeOptions(file),
    allowedUnsafeSysctls: file.allowedUnsafeSysctls,
    reserved: { ...file.systemReserved, ...file.kubeReserved },
    configuration: withDefaults(file),
    log: agent.log.child({ component: "kubelet" }),
    client,
    cri: await openRuntime(agent),
    nodeName: config.nodeName,
    nodeIP: config.nodeIP,
    rootDir: config.rootDir,
    podLogsDir: config.podLogsDir,
    exec,
    serving: {
      host: config.mode === "containerd" ? "0.0.0.0" : "127.0.0.1",
      port: config.kubeletPort,
      cert: cert!,
      key: key!,
      clientCA: clientCA!,
    },
    clusterDNS: config.clusterDNS,
    clusterDomain: config.clusterDomain,
    // Outside a node's own namespaces nothing is mounted, whoever we are.
    privileged: config.mode === "containerd",
    ...(config.cgroupRoot === "" ? {} : { cgroups: { root: config.cgroupRoot } }),
  });
  await kubelet.start(signal);
}

async function runKubeProxy({ config, log, signal }: Agent): Promise<void> {
  const proxy = createKubeProxy({
    ...base,
    client: clientOf(config.proxyKubeconfig, "nanokube-kube-proxy"),
    nodeName: config.nodeName,
    clusterCIDR: config.podCIDR,
    healthz: { host: "0.0.0.0", port: 10256 },
    metrics: { host: "127.0.0.1", port: 10249 },
    log: log.child({ component: "kube-proxy" }),
    exec,
  });
  await proxy.start(signal);
}

async function openWayOut({ config, log, closers }: Agent): Promise<void> {
  const out = await startWayOut({
    exec,
    log: log.child({ component: "way-out" }),
    proxy: { host: config.gateway, port: egressPort },
    inside: [config.podCIDR, config.nodeCIDR, config.serviceCIDR],
  });
  closers.push(() => out.close());
}

/** The runtime calls the network ready when this file is there; it needs the node's pod CIDR. */
async function writeCNIConfig({ config, log, signal }: Agent, client: Client): Promise<void> {
  const informer = createInformer({
    ...base,
    log,
    client,
    resource: nodes,
    fieldSelector: `metadata.name=${config.nodeName}`,
  });
  const podCIDR = await new Promise<string>((resolve) => {
    const look = (node: { spec?: { podCIDR?: string } }) => {
      if (node.spec?.podCIDR) resolve(node.spec.podCIDR);
    };
    informer.onEvent({ add: look, update: (_old, node) => look(node) });
    informer.start(signal);
  });
  await mkdir(config.cniConfigDir, { recursive: true });
  const file = join(config.cniConfigDir, cniConfigFile);
  await writeFile(`${file}.new`, formatCNIConfig({ podCIDR }));
  await rename(`${file}.new`, file);
}

export async function runAgent(config: AgentConfig, log: Log, signal: AbortSignal): Promise<void> {
  const agent: Agent = { config, log, signal, closers: [] };
  const client = clientOf(config.kubeconfig, "nanokube-kubelet");
  const jobs: Promise<unknown>[] = [];
  if (config.kubelet) jobs.push(runKubelet(agent, client));
  if (config.storage) {
    jobs.push(
      startStorage(agent, clientOf(config.provisionerKubeconfig, "nanokube-csi-provisioner")),
    );
  }
  if (config.mode === "containerd") {
    jobs.push(writeCNIConfig(agent, client));
    // A node may read no other Node; kube-proxy's user may.
    const routes = createNodeRoutes({
      client: clientOf(config.proxyKubeconfig, "nanokube-node-routes"),
      nodeName: config.nodeName,
      exec,
      clock: systemClock,
      log: log.child({ component: "node-routes" }),
      masqueradeExcept: [config.podCIDR, config.nodeCIDR],
    });
    jobs.push(routes.start(signal));
  }
  if (config.kubeProxy) jobs.push(runKubeProxy(agent));
  if (config.mode === "containerd") jobs.push(openWayOut(agent));
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  // A job that fails ends the agent; one that takes its time to end does not hold it up.
  await Promise.race([stopped, Promise.all(jobs).then(() => stopped)]);
  for (const close of agent.closers) await close();
}
