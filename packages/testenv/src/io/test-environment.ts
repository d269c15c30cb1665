/**
 * One control plane inside the process that runs the tests.
 *
 *     const env = await TestEnvironment.start({ controllers: ["*"], nodes: 1 });
 *     await env.writeKubeconfig(path);      // kubectl, client-go,
 *                                           @kubernetes/client-node: real HTTPS
 *     env.client.resource(pods)             // or without a socket
 *     await env.stop();
 *
 * Nothing is global: a process may hold many. Nothing is written to disk.
 * Errors  what cannot be started rejects start(), after everything begun was stopped again
 */
import { writeFile } from "node:fs/promises";
import type { Node, Pod } from "@nanokube/api/core/v1";
import { type ApiServer, createApiServer } from "@nanokube/apiserver";
import { type ApiObject, type Client, createClient, namespaces, pods } from "@nanokube/client";
import {
  createControllerManager,
  knownControllers,
  pickControllers,
} from "@nanokube/controller-manager";
import { createEtcd, type Etcd } from "@nanokube/etcd-lite";
import {
  type Clock,
  type FakeClock,
  type Log,
  nullLog,
  type Random,
  systemClock,
  systemRandom,
} from "@nanokube/machinery";
import { createScheduler } from "@nanokube/scheduler";
import type { FaultRule } from "../core/faults.ts";
import type { NodeSpec } from "../core/node-object.ts";
import { type Credentials, createCredentials, issueUser, kubeconfigText } from "./credentials.ts";
import { waitForDefinitions } from "./definitions.ts";
import { applyObjects, createObjects, type ObjectSource, readObjects } from "./objects.ts";
import { type PodScript, ScriptedNodes } from "./scripted-nodes.ts";
import { RecordingClock, type SteppedClock } from "./stepped-clock.ts";
import { type Snapshot, StoreSnapshots } from "./store-snapshot.ts";
import { type Fault, Traffic } from "./traffic.ts";

export interface TestEnvironmentOptions {
  /**
   * As kube-controller-manager's --controllers: "deployment-controller", "*", "-x";
   * none unless told.
   */
  controllers?: readonly string[] | undefined;
  /** On when there are nodes, unless told. */
  scheduler?: boolean | undefined;
  /** How many nodes, or which; their pods become Ready by script. None unless told. */
  nodes?: number | readonly (string | NodeSpec)[] | undefined;
  /** What the pods of these nodes do; ready at once unless told. */
  pods?: PodScript | undefined;
  /** A clock that stands still until `env.step(ms)`; the machine's clock unless told. */
  clock?: FakeClock | undefined;
  random?: Random | undefined;
  log?: Log | undefined;
  /** CustomResourceDefinitions as objects, files or folders; served when start() resolves. */
  crds?: readonly ObjectSource[] | undefined;
  /** Objects, files or folders that are there from the beginning. */
  objects?: readonly ObjectSource[] | undefined;
  /** ["Node", "RBAC"] unless told. */
  authorizationMode?: readonly string[] | undefined;
  /** The port on 127.0.0.1; a free one unless told. */
  port?: number | undefined;
  /** "10.96.0.0/16" unless told; two, "10.96.0.0/16,fd00:96::/112", for Services of two families. */
  serviceClusterIPRange?: string | undefined;
}

const admin = { name: "kubernetes-admin", groups: ["system:masters"] } as const;
const serviceCIDR = "10.96.0.0/16";
const settleRounds = 50;

interface Parts {
  etcd: Etcd;
  apiserver: ApiServer;
  credentials: Credentials;
  traffic: Traffic;
  clock: Clock;
  random: Random;
  log: Log;
  port: number;
  options: TestEnvironmentOptions;
}

export class TestEnvironment {
  /** Creates, deletes, watches as an administrator, without a socket. */
  readonly client: Client;
  /** PEM of the CA that signed the server's certificate. */
  readonly ca: string;
  /** "https://127.0.0.1:PORT" */
  readonly server: string;
  /** For an administrator, with everything inline. */
  readonly kubeconfig: string;
  readonly #parts: Parts;
  readonly #snapshots: StoreSnapshots;
  readonly #nodes: ScriptedNodes;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>[] = [];
  #stopped: Promise<void> | undefined;

  private constructor(parts: Parts) {
    const { credentials, etcd, clock, random, log, options } = parts;
    this.#parts = parts;
    this.ca = credentials.ca.cert;
    this.server = `https://127.0.0.1:${parts.port}`;
    this.kubeconfig = kubeconfigText(this.server, credentials.ca, credentials.admin);
    this.client = this.clientFor(admin.name, admin.groups);
    this.#snapshots = new StoreSnapshots(etcd.channel());
    this.#nodes = new ScriptedNodes({
      client: this.clientFor("system:testenv:nodes", admin.groups),
      clock,
      random,
      log: log.child({ component: "nodes" }),
      heartbeats: runs(options, "node-lifecycle-controller"),
      script: options.pods,
    });
  }

  static async start(options: TestEnvironmentOptions = {}): Promise<TestEnvironment> {
    const recording = options.clock === undefined ? undefined : new RecordingClock(options.clock);
    const { random = systemRandom, log = nullLog } = options;
    const clock: Clock = recording ?? systemClock;
    const traffic = new Traffic(clock);
    recording?.settleWith(() => traffic.quiet());
    const [credentials, etcd] = await Promise.all([
      createCredentials(clock.now()),
      createEtcd({ clock, random, log, limits: { txnOpsMax: Number.MAX_SAFE_INTEGER } }),
    ]);
    const base = { etcd, credentials, traffic, clock, random, log, options };
    let apiserver: ApiServer;
    try {
      apiserver = await createApiServer(apiServerOptions(base));
    } catch (error) {
      await etcd.close();
      throw error;
    }
    let env: TestEnvironment | undefined;
    try {
      const { port } = await apiserver.listen({ host: "127.0.0.1", port: options.port ?? 0 });
      await apiserver.ready;
      env = new TestEnvironment({ ...base, apiserver, port });
      await env.#begin();
      return env;
    } catch (error) {
      await env?.stop();
      if (env === undefined) await apiserver.close().finally(() => etcd.close());
      throw error;
    }
  }

  /** The environment's time; `step` needs a fake clock. */
  get clock(): SteppedClock {
    const { clock } = this.#parts;
    if (clock instanceof RecordingClock) return clock;
    const step = () =>
      Promise.reject(
        new Error(
          "the environment runs on the machine's clock: start it with a fake clock to step",
        ),
      );
    return Object.assign(Object.create(clock) as Clock, { step });
  }

  /** The same API as this user, without a socket. */
  clientFor(user: string, groups: readonly string[] = []): Client {
    const { apiserver, traffic, clock } = this.#parts;
    const identity = { name: user, groups: [...groups, "system:authenticated"] };
    const transport = traffic.wrap(apiserver.transport(identity));
    return createClient({ transport, userAgent: user, clock });
  }

  /** A kubeconfig with a client certificate for this user. */
  async kubeconfigFor(user: string, groups: readonly string[] = []): Promise<string> {
    const { credentials, clock } = this.#parts;
    const pair = await issueUser(credentials.ca, user, groups, clock.now());
    return kubeconfigText(this.server, credentials.ca, pair);
  }

  async writeKubeconfig(path: string): Promise<string> {
    await writeFile(path, this.kubeconfig, { mode: 0o600 });
    return path;
  }

  /** A fresh namespace, whose name nobody else has. */
  async createNamespace(prefix = "test"): Promise<string> {
    const created = await this.client
      .resource(namespaces)
      .create({ metadata: { generateName: `${prefix}-` } });
    return created.metadata!.name!;
  }

  /** Objects, files or folders; namespaces and definitions first. */
  async create(...sources: ObjectSource[]): Promise<ApiObject[]> {
    return createObjects(this.client, await readObjects(sources));
  }

  /** The same for objects that may be there already: server-side apply, by force. */
  async apply(...sources: ObjectSource[]): Promise<ApiObject[]> {
    return applyObjects(this.client, await readObjects(sources));
  }

  addNode(node: string | NodeSpec): Promise<Node> {
    return this.#nodes.add(typeof node === "string" ? { name: node } : node);
  }

  /** No heartbeat and no news of its pods any more, as if the machine were cut off. */
  silenceNode(name: string): void {
    this.#nodes.silence(name);
  }

  reviveNode(name: string): Promise<void> {
    return this.#nodes.revive(name);
  }

  /** Binds a pod as a scheduler does: for environments without one. */
  async bind(pod: Pod, node: string): Promise<void> {
    const { namespace, name } = pod.metadata ?? {};
    const target = { apiVersion: "v1", kind: "Node", name: node };
    const body = { apiVersion: "v1", kind: "Binding", metadata: { namespace, name }, target };
    const api = this.client.resource(pods).namespace(namespace ?? "default");
    await api.createSubresource(name ?? "", "binding", body);
  }

  /** Moves the environment's clock on, and waits until all that it set off is done. */
  step(ms: number): Promise<void> {
    return this.clock.step(ms);
  }

  /** Resolves when no component of the environment has a request on its way. */
  settle(): Promise<void> {
    return this.#parts.traffic.quiet();
  }

  /**
   * Tries until it neither throws nor gives false; then gives what it gave. A fake clock is moved
   * on by 10 ms a time, so that work queues may try again.
   */
  async eventually<T>(check: () => Promise<T> | T, { timeoutMs = 10_000 } = {}): Promise<T> {
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      let failure: unknown;
      try {
        const value = await check();
        if (value !== false && value !== undefined) return value;
        failure = new Error(`not so within ${timeoutMs} ms: ${check}`);
      } catch (error) {
        failure = error;
      }
      if (performance.now() > untilMs) throw failure;
      if (this.#parts.clock instanceof RecordingClock) await this.step(10);
      else await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Makes requests of the environment's clients and components fail; see FaultRule. */
  fault(rule: FaultRule): Fault {
    return this.#parts.traffic.fault(rule);
  }

  clearFaults(): void {
    this.#parts.traffic.clearFaults();
  }

  /** All that the store holds now, to come back to with `reset`. */
  async snapshot(): Promise<Snapshot> {
    await this.settle();
    return this.#snapshots.take();
  }

  /** Undoes every change since the snapshot. Watches see it happen; controllers come to rest. */
  async reset(snapshot: Snapshot): Promise<void> {
    // A controller that was in the middle of something may write once more: until nobody does.
    for (let round = 0; round < settleRounds; round++) {
      const changed = await this.#snapshots.restore(snapshot);
      await this.settle();
      if (!changed) return;
    }
    throw new Error("reset: something keeps on writing");
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #close(): Promise<void> {
    const { apiserver, etcd } = this.#parts;
    this.#stop.abort();
    await Promise.allSettled(this.#running);
    await apiserver.close();
    await etcd.close();
  }

  async #begin(): Promise<void> {
    const { options, log } = this.#parts;
    const { signal } = this.#stop;
    const run = (name: string, running: Promise<void>) => {
      this.#running.push(running);
      running.catch((error) => {
        if (!signal.aborted) log.error({ component: name, error: String(error) }, "ended");
      });
    };
    const definitions = await readObjects(options.crds ?? []);
    await createObjects(this.client, definitions);
    await waitForDefinitions(this.client, definitions);
    await createObjects(this.client, await readObjects(options.objects ?? []));
    const manager = this.#controllers();
    if (manager !== undefined) run("controller-manager", manager.start(signal));
    const wanted = nodeSpecs(options.nodes ?? []);
    if (options.scheduler ?? wanted.length > 0) await this.#schedule(signal);
    await this.#nodes.start(signal);
    for (const node of wanted) await this.#nodes.add(node);
  }

  #controllers() {
    const { options, credentials, clock, random, log } = this.#parts;
    const { controllers = [] } = options;
    if (controllers.length === 0) return undefined;
    return createControllerManager({
      client: this.clientFor("system:kube-controller-manager", admin.groups),
      clock,
      random,
      log: log.child({ component: "controller-manager" }),
      controllers,
      rootCA: credentials.ca.cert,
      serviceAccountKey: credentials.serviceAccount.privateKey,
    });
  }

  async #schedule(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#parts;
    const client = this.clientFor("system:kube-scheduler", admin.groups);
    const child = log.child({ component: "scheduler" });
    await createScheduler({ client, clock, random, log: child }).start(signal);
  }
}

function nodeSpecs(nodes: number | readonly (string | NodeSpec)[]): NodeSpec[] {
  if (typeof nodes === "number") {
    return Array.from({ length: nodes }, (_, i) => ({ name: `node-${i + 1}` }));
  }
  return nodes.map((node) => (typeof node === "string" ? { name: node } : node));
}

function apiServerOptions(parts: Omit<Parts, "apiserver" | "port">) {
  const { etcd, credentials, clock, random, log, options } = parts;
  const { ca, serving, admin: kubelet, serviceAccount } = credentials;
  return {
    etcd: etcd.channel(),
    clock,
    random,
    log: log.child({ component: "apiserver" }),
    serviceClusterIPRange: options.serviceClusterIPRange ?? serviceCIDR,
    advertiseAddress: "127.0.0.1",
    proxiesToLoopback: true,
    authorizationMode: options.authorizationMode ?? ["Node", "RBAC"],
    serviceAccountIssuer: "https://kubernetes.default.svc.cluster.local",
    admission: { disable: lonelyAdmission(options) },
    pki: {
      clientCA: ca.cert,
      servingCert: serving.cert,
      servingKey: serving.key,
      serviceAccountSigningKey: serviceAccount.privateKey,
      serviceAccountKeys: [serviceAccount.publicKey],
      kubeletClientCert: kubelet.cert,
      kubeletClientKey: kubelet.key,
    },
  };
}

/**
 * Admission that counts on a controller to finish what it began: off where that one does not run.
 */
const needs: readonly [plugin: string, controller: string][] = [
  ["ServiceAccount", "serviceaccount-controller"],
  ["TaintNodesByCondition", "node-lifecycle-controller"],
];

function runs({ controllers = [] }: TestEnvironmentOptions, controller: string): boolean {
  return pickControllers(controllers, knownControllers()).has(controller);
}

const lonelyAdmission = (options: TestEnvironmentOptions) =>
  needs.flatMap(([plugin, controller]) => (runs(options, controller) ? [] : [plugin]));
