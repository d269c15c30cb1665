/**
 * A cluster for tests: an API server, upstream's or ours, all controllers, and pods that are faked.
 */
import {
  type ApiObject,
  type Client,
  type ClosableTransport,
  createClient,
  createHttpTransport,
  isNotFound,
  namespaces,
  type ResourceClient,
  type ResourceRef,
  serviceAccounts,
} from "@nanokube/client";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { expect } from "vitest";
import { type Subject, startUpstream } from "../../client/test/upstream.ts";
import { createControllerManager } from "../src/index.ts";
import { createAccountClients } from "../src/io/account-clients.ts";
import type { ControllerManagerOptions } from "../src/io/controller-manager.ts";
import { createAuthority } from "./authority.ts";
import { type FakedPods, fakePods } from "./faked-pods.ts";

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

export async function startCluster(
  subject: Subject,
  more: Partial<ControllerManagerOptions> = {},
): Promise<Cluster> {
  // Nobody makes nodes schedulable or tokens here: what waits for that is switched off.
  const upstream = await startUpstream(
    ["--disable-admission-plugins=ServiceAccount,TaintNodesByCondition"],
    subject,
  );
  const transport: ClosableTransport = createHttpTransport(upstream.config);
  const client = createClient({ transport });
  const stop = new AbortController();
  // As in a cluster: no controller may more than the bootstrap policy gives its account.
  const asManager = createHttpTransport({
    ...upstream.config,
    impersonate: { user: "system:kube-controller-manager" },
  });
  const anonymous = createHttpTransport({ ...upstream.config, token: undefined });
  const root = createClient({ transport: asManager });
  const manager = createControllerManager({
    client: root,
    clientAs: createAccountClients({ root, anonymous, clock: systemClock }),
    clock: systemClock,
    random: systemRandom,
    log: nullLog,
    rootCA: "PEM of the CA",
    clusterCIDR: "10.244.0.0/16",
    nodeMonitorGracePeriodMs: 1500,
    nodeMonitorPeriodMs: 200,
    clusterSigning: await createAuthority(),
    leaderElection: { identity: "test" },
    ...more,
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
      for (const one of [transport, asManager, anonymous]) one.close();
      await upstream.stop();
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
