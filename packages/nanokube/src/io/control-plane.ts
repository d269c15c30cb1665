/**
 * The control plane as one process: store, API server, controllers, scheduler, DNS.
 *
 * Components speak to each other by their wire interfaces over in-memory transports; what was put
 * in the place of one of them speaks to the same ports over the network.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiServer, createApiServer } from "@nanokube/apiserver";
import { createClient } from "@nanokube/client";
import { createNodeRoutes } from "@nanokube/cni-bridge";
import { createControllerManager } from "@nanokube/controller-manager";
import { deployment } from "@nanokube/csi-hostpath";
import { createDns } from "@nanokube/dns";
import { createEtcd } from "@nanokube/etcd-lite";
import { type Log, systemClock, systemRandom } from "@nanokube/machinery";
import { type Channel, dial } from "@nanokube/rpc";
import { createScheduler } from "@nanokube/scheduler";
import { clusterAddons, csiDriverName } from "../core/cluster-addons.ts";
import type { ClusterState } from "../core/cluster-state.ts";
import { type Network, planNetwork } from "../core/topology.ts";
import { applyObjects } from "./apply-objects.ts";
import { type ClusterPKI, clusterPKI } from "./cluster-pki.ts";
import { exec } from "./command.ts";
import { etcdMembers } from "./components.ts";
import type { DataDir } from "./data-dir.ts";
import { startEgressProxy } from "./egress-proxy.ts";
import { startRegistry } from "./registry.ts";
import { egressPort, registryPort } from "./runtime.ts";
import { waitForGo } from "./start-signal.ts";

interface Running {
  state: ClusterState;
  network: Network;
  apiserver: ApiServer;
  log: Log;
  signal: AbortSignal;
}

const endpointControllers = [
  "-endpoints-controller",
  "-endpointslice-controller",
  "-endpointslice-mirroring-controller",
];

const base = { clock: systemClock, random: systemRandom };

async function openStore(
  dir: DataDir,
  state: ClusterState,
  log: Log,
): Promise<{ channel: Channel; close(): Promise<void> }> {
  const members = etcdMembers(state);
  if (members.length > 0) {
    const channel = dial(members.map(({ client }) => client));
    return { channel, close: async () => channel.close() };
  }
  const etcd = await createEtcd({ ...base, dataDir: join(dir.path, "etcd"), log });
  return { channel: etcd.channel(), close: () => etcd.close() };
}

function apiServerOptions(state: ClusterState, pki: ClusterPKI, etcd: Channel, log: Log) {
  const network = planNetwork(state.slot);
  return {
    ...base,
    log,
    etcd,
    serviceClusterIPRange: network.serviceCIDR,
    advertiseAddress: state.apiHost,
    proxiesToLoopback: state.mode !== "containerd",
    // No kube-proxy here: webhooks and aggregated servers are reached behind their Services.
    aggregatorRouting: true,
    authorizationMode: ["Node", "RBAC"],
    serviceAccountIssuer: "https://kubernetes.default.svc.cluster.local",
    pki: {
      clientCA: pki.ca.cert,
      servingCert: pki.apiserver.cert,
      servingKey: pki.apiserver.key,
      serviceAccountSigningKey: pki.serviceAccount.privateKey,
      serviceAccountKeys: [pki.serviceAccount.publicKey],
      kubeletClientCert: pki.kubeletClient.cert,
      kubeletClientKey: pki.kubeletClient.key,
      requestHeaderCA: pki.frontProxyCA.cert,
      proxyClientCert: pki.frontProxyClient.cert,
      proxyClientKey: pki.frontProxyClient.key,
    },
    requestHeaderAllowedNames: ["front-proxy-client"],
  };
}

function clientFor({ apiserver }: Running, name: string, groups: readonly string[] = []) {
  const user = { name, groups: [...groups, "system:authenticated"] };
  return createClient({ transport: apiserver.transport(user), userAgent: name });
}

/** A service account of kube-system, as its token would say it. */
function accountClient(running: Running, account: string) {
  const groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system"];
  return clientFor(running, `system:serviceaccount:kube-system:${account}`, groups);
}

function startControllers(running: Running, pki: ClusterPKI): void {
  const { state, log, signal, network } = running;
  if (state.components["controller-manager"] !== "own") return;
  const manager = createControllerManager({
    ...base,
    log: log.child({ component: "controller-manager" }),
    client: clientFor(running, "system:kube-controller-manager"),
    clientAs: (account) => accountClient(running, account),
    rootCA: pki.ca.cert,
    clusterSigning: pki.ca,
    serviceAccountKey: pki.serviceAccount.privateKey,
    clusterCIDR: network.podCIDR,
    nodeMonitorGracePeriodMs: state.nodeMonitorGracePeriodMs,
    // Pods that are child processes have loopback addresses, which no Endpoints may name.
    controllers: state.mode === "containerd" ? ["*"] : ["*", ...endpointControllers],
  });
  manager.start(signal).catch((err: Error) => log.error({ err }, "controllers ended"));
}

function startScheduler(running: Running): void {
  const { state, log, signal } = running;
  if (state.components.scheduler !== "own") return;
  const scheduler = createScheduler({
    ...base,
    log: log.child({ component: "scheduler" }),
    client: clientFor(running, "system:kube-scheduler"),
  });
  scheduler.start(signal).catch((err: Error) => log.error({ err }, "scheduler ended"));
}

/** DNS and routes to pods, on the machine's own side of the bridge. */
async function startNetwork(running: Running, upstreams: readonly string[]): Promise<void> {
  const { network, log, signal } = running;
  const client = clientFor(running, "system:kube-dns");
  const dns = createDns({
    ...base,
    log: log.child({ component: "dns" }),
    client,
    clusterDomain: network.clusterDomain,
    upstreams,
    listen: { host: network.gateway, port: 53 },
  });
  await dns.start(signal);
  const routes = createNodeRoutes({
    client: clientFor(running, "system:kube-proxy"),
    nodeName: "",
    device: network.bridge,
    exec,
    clock: systemClock,
    log,
  });
  void routes.start(signal);
}

/** The machine's own resolvers, for names outside the cluster. */
async function upstreamResolvers(): Promise<string[]> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1]!);
}

/**
 * How long requests that came before readiness have the processor for themselves: a few dozen
 * controllers that list and watch everything hold it for longer than whoever waits likes.
 */
const answersFirstMs = 30;

/** Runs until the signal; then closes what it opened, the store last. */
export async function runControlPlane(dir: DataDir, log: Log, signal: AbortSignal): Promise<void> {
  const state = await dir.requireState();
  const network = planNetwork(state.slot);
  const [pki, store] = await Promise.all([
    waitForGo().then(() => clusterPKI(dir, state)),
    openStore(dir, state, log.child({ component: "etcd" })),
  ]);
  const options = apiServerOptions(
    state,
    pki,
    store.channel,
    log.child({ component: "apiserver" }),
  );
  const apiserver = await createApiServer(options);
  await apiserver.listen({ host: state.apiHost, port: state.apiPort });
  const running: Running = { state, network, apiserver, log, signal };
  await apiserver.ready;
  log.info({ port: state.apiPort }, "API server ready");
  await delay(answersFirstMs);
  startControllers(running, pki);
  startScheduler(running);
  const admin = clientFor(running, "kubernetes-admin", ["system:masters"]);
  const storage = deployment({ driverName: csiDriverName });
  // At once: nodes' provisioners are refused until they are there. None needs another to exist.
  const addons = [...clusterAddons(state.mode, network), ...storage];
  await Promise.all(addons.map((object) => applyObjects(admin, [object])));
  const servers: { close(): Promise<void> }[] = [];
  if (state.mode === "containerd") {
    servers.push(await startRegistry(dir.images, network.gateway, registryPort));
    servers.push(await startEgressProxy(network.gateway, egressPort));
    await startNetwork(running, await upstreamResolvers());
  }
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  for (const server of servers) await server.close();
  await apiserver.close();
  await store.close();
}
