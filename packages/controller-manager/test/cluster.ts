/**
 * A cluster for tests: an API server, all controllers, and pods that are faked. The server is upstream's; or, if
 * NANOKUBE_TEST_KUBECONFIG names one, any other that has no controllers of its own.
 */
import {
  type ApiObject,
  type Client,
  type ClosableTransport,
  createClient,
  createHttpTransport,
  isNotFound,
  loadKubeconfig,
  namespaces,
  type ResourceClient,
  type ResourceRef,
  serviceAccounts,
} from "@nanokube/client";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { expect } from "vitest";
import { missingUpstream, startUpstream } from "../../client/test/upstream.ts";
import { createControllerManager } from "../src/index.ts";
import { createAuthority } from "./authority.ts";
import { type FakedPods, fakePods } from "./faked-pods.ts";

const kubeconfig = process.env.NANOKUBE_TEST_KUBECONFIG;

/** Why it cannot run here; undefined when it can. */
export const missing = kubeconfig === undefined ? missingUpstream() : undefined;
export const poll = { timeout: 20_000, interval: 25 };

export interface Cluster {
  client: Client;
  faked: FakedPods;
  /** With its service account. */
  newNamespace(): Promise<string>;
  of<T extends ApiObject>(resource: ResourceRef<T>, namespace: string): ResourceClient<T>;
  names(resource: ResourceRef, namespace: string): Promise<string[]>;
  gone(resource: ResourceRef, namespace: string, name: string): Promise<boolean>;
  stop(): Promise<void>;
}

export async function startCluster(): Promise<Cluster> {
  // Nobody makes nodes schedulable or tokens here: what waits for that is switched off.
  const upstream =
    kubeconfig === undefined
      ? await startUpstream(["--disable-admission-plugins=ServiceAccount,TaintNodesByCondition"])
      : undefined;
  const config = upstream?.config ?? loadKubeconfig(kubeconfig ?? "");
  const transport: ClosableTransport = createHttpTransport(config);
  const client = createClient({ transport });
  const stop = new AbortController();
  const manager = createControllerManager({
    client,
    clock: systemClock,
    random: systemRandom,
    log: nullLog,
    rootCA: "PEM of the CA",
    clusterCIDR: "10.244.0.0/16",
    nodeMonitorGracePeriodMs: 1500,
    nodeMonitorPeriodMs: 200,
    clusterSigning: await createAuthority(),
    leaderElection: { identity: "test" },
  });
  const running = manager.start(stop.signal);
  const faked = fakePods(client);
  const of = <T extends ApiObject>(resource: ResourceRef<T>, namespace: string) =>
    client.resource(resource).namespace(namespace);
  return {
    client,
    faked,
    of,
    async newNamespace() {
      const made = await client.resource(namespaces).create({ metadata: { generateName: "t-" } });
      const name = made.metadata?.name ?? "";
      await expect
        .poll(() => of(serviceAccounts, name).list(), poll)
        .toMatchObject({ items: [{ metadata: { name: "default" } }] });
      return name;
    },
    names: async (resource, namespace) =>
      (await of(resource, namespace).list()).items.map((item) => item.metadata?.name ?? "").sort(),
    gone: (resource, namespace, name) =>
      of(resource, namespace)
        .get(name)
        .then(
          () => false,
          (error) => isNotFound(error),
        ),
    async stop() {
      stop.abort();
      await faked.stop();
      await running;
      transport.close();
      await upstream?.stop();
    },
  };
}

export const template = (app: string, image = "busybox") => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "main", image, ports: [{ name: "http", containerPort: 8080 }] }] },
});

export const deployment = (name: string, replicas: number, spec: object = {}) => ({
  metadata: { name },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name), ...spec },
});
