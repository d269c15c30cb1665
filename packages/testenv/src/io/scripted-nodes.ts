/**
 * Nodes without machines: each is a Node object that is Ready, and a kubelet that runs nothing and
 * reports what the scripts say.
 *
 * A pod's script comes from the environment's `pods` function, else from the annotations that
 * cri-embedded reads (`cri.nanokube.io/behaviour`), else it is: started and ready at once.
 */
import type { Container, Node, Pod } from "@nanokube/api/core/v1";
import {
  type Client,
  createInformer,
  isAlreadyExists,
  isConflict,
  isNotFound,
  keyOf,
  leases,
  nodes,
  pods,
  splitKey,
} from "@nanokube/client";
import { type Behaviour, behaviourOf, IDLE } from "@nanokube/cri-embedded";
import {
  type Clock,
  deepEqual,
  formatMicroTime,
  formatTime,
  type Log,
  parseTime,
  type Random,
  type TimerHandle,
} from "@nanokube/machinery";
import { type NodeSpec, nodeObject, nodeStatus } from "../core/node-object.ts";
import { podLife } from "../core/pod-life.ts";

/**
 * Fields that are absent are taken from the pod's annotations or are those of an idle container.
 */
export type PodScript = (pod: Pod, container: Container) => Partial<Behaviour> | undefined;

export interface ScriptedNodesOptions {
  client: Client;
  clock: Clock;
  random: Random;
  log: Log;
  /** Nodes renew their Lease: only where somebody judges them by it. */
  heartbeats: boolean;
  script: PodScript | undefined;
}

interface RunningNode {
  address: string;
  podNetwork: string;
  podCount: number;
  heartbeat: TimerHandle | undefined;
}

interface RunningPod {
  uid: string;
  startMs: number;
  podIP: string;
  timer: TimerHandle | undefined;
}

const heartbeatMs = 10_000;

export class ScriptedNodes {
  readonly #options: ScriptedNodesOptions;
  readonly #informer;
  readonly #nodes = new Map<string, RunningNode>();
  readonly #pods = new Map<string, RunningPod>();
  /** Writes of one pod follow each other. */
  readonly #writes = new Map<string, Promise<void>>();
  #signal = new AbortController().signal;
  #nodeCount = 0;

  constructor(options: ScriptedNodesOptions) {
    const { client, clock, random, log } = options;
    this.#options = options;
    this.#informer = createInformer({ client, resource: pods, clock, random, log });
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#informer.onEvent({
      add: (pod) => this.#sync(keyOf(pod)),
      update: (_, pod) => this.#sync(keyOf(pod)),
      delete: (pod) => this.#forget(keyOf(pod)),
    });
    signal.addEventListener("abort", () => this.#stopTimers(), { once: true });
    this.#informer.start(signal);
    await this.#informer.waitForSync();
  }

  async add(spec: NodeSpec): Promise<Node> {
    const { client, clock } = this.#options;
    const index = ++this.#nodeCount;
    const podNetwork = `10.${244 + (index >> 8)}.${index & 255}`;
    const place = { address: `10.89.${index >> 8}.${index & 255}`, podCIDR: `${podNetwork}.0/24` };
    const api = client.resource(nodes);
    await api.create(nodeObject(spec, place));
    const status = nodeStatus(spec, place, formatTime(clock.now()));
    const node = await api.patch(spec.name, { status }, { subresource: "status" });
    await this.#run(spec.name, place.address, podNetwork);
    return node;
  }

  /** The machine is cut off: no heartbeat, no news of its pods, until `start` again. */
  silence(name: string): void {
    const node = this.#nodes.get(name);
    if (node?.heartbeat !== undefined) this.#options.clock.clearTimeout(node.heartbeat);
    this.#nodes.delete(name);
    this.#silenced.set(name, node);
  }

  readonly #silenced = new Map<string, RunningNode | undefined>();

  async revive(name: string): Promise<void> {
    const node = this.#silenced.get(name);
    if (node === undefined) throw new Error(`node "${name}" was not silenced`);
    this.#silenced.delete(name);
    this.#nodes.set(name, node);
    await this.#heartbeat(name);
    await this.#reportReady(name);
    for (const pod of this.#informer.indexer.list()) this.#sync(keyOf(pod));
  }

  async #run(name: string, address: string, podNetwork: string): Promise<void> {
    this.#nodes.set(name, { address, podNetwork, podCount: 1, heartbeat: undefined });
    await this.#heartbeat(name);
    for (const pod of this.#informer.indexer.list()) this.#sync(keyOf(pod));
  }

  async #reportReady(name: string): Promise<void> {
    const { client, clock } = this.#options;
    const now = formatTime(clock.now());
    const ready = { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: now };
    const body = { status: { conditions: [{ ...ready, lastTransitionTime: now }] } };
    await client.resource(nodes).patch(name, body, { subresource: "status" });
  }

  async #heartbeat(name: string): Promise<void> {
    const node = this.#nodes.get(name);
    if (node === undefined || !this.#options.heartbeats || this.#signal.aborted) return;
    const { client, clock, log } = this.#options;
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: 40,
      renewTime: formatMicroTime(clock.now()),
    };
    const lease = client.resource(leases).namespace("kube-node-lease");
    try {
      await lease.patch(name, { spec }, { type: "merge" });
    } catch (error) {
      if (isNotFound(error)) {
        await lease.create({ metadata: { name }, spec }).catch((refused) => {
          if (!isAlreadyExists(refused)) throw refused;
        });
      } else if (!this.#signal.aborted) {
        log.warn({ node: name, error: String(error) }, "heartbeat failed");
      }
    }
    if (this.#nodes.get(name) !== node || this.#signal.aborted) return;
    node.heartbeat = clock.setTimeout(() => void this.#heartbeat(name), heartbeatMs);
  }

  #sync(key: string): void {
    const before = this.#writes.get(key) ?? Promise.resolve();
    const write = before
      .then(() => this.#syncNow(key))
      .catch((error: unknown) => {
        // A newer version or the deletion comes as an event and is looked at then.
        if (isConflict(error) || isNotFound(error) || this.#signal.aborted) return;
        this.#options.log.warn({ pod: key, error: String(error) }, "cannot report the pod");
        this.#at(key, this.#options.clock.now() + 1000);
      });
    this.#writes.set(key, write);
    void write.then(() => {
      if (this.#writes.get(key) === write) this.#writes.delete(key);
    });
  }

  async #syncNow(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const pod = this.#informer.indexer.get(namespace, name);
    const node = this.#nodes.get(pod?.spec?.nodeName ?? "");
    if (pod === undefined || node === undefined || this.#signal.aborted) return;
    const running = this.#running(key, pod, node);
    const api = this.#options.client.resource(pods).namespace(namespace);
    const nowMs = this.#options.clock.now();
    if (pod.metadata?.deletionTimestamp !== undefined) {
      const endMs = this.#ignoresTerm(pod) ? parseTime(pod.metadata.deletionTimestamp)! : nowMs;
      if (endMs > nowMs) return this.#at(key, endMs);
      const { uid } = pod.metadata;
      await api.delete(name, { gracePeriodSeconds: 0, preconditions: { uid } });
      return;
    }
    if (pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") return;
    const script = (container: Container, isInit: boolean) => this.#script(pod, container, isInit);
    const { podIP, startMs } = running;
    const { status, nextMs } = podLife({
      pod,
      startMs,
      nowMs,
      hostIP: node.address,
      podIP: pod.spec?.hostNetwork === true ? node.address : podIP,
      script,
    });
    if (nextMs !== undefined) this.#at(key, nextMs);
    if (!deepEqual(status, pod.status)) await api.updateStatus({ ...pod, status });
  }

  #running(key: string, pod: Pod, node: RunningNode): RunningPod {
    const uid = pod.metadata?.uid ?? "";
    const known = this.#pods.get(key);
    if (known?.uid === uid) return known;
    const startMs = this.#options.clock.now();
    const podIP = `${node.podNetwork}.${(++node.podCount % 254) + 1}`;
    const running = { uid, startMs, podIP, timer: undefined };
    this.#pods.set(key, running);
    return running;
  }

  #script(pod: Pod, container: Container, isInit: boolean): Behaviour {
    const plain = isInit && container.restartPolicy !== "Always" ? { exitAfterSeconds: 0 } : {};
    const annotated = behaviourOf(pod.metadata?.annotations ?? {}, container.name ?? "");
    return {
      ...IDLE,
      ...plain,
      ...(isInit ? {} : annotated),
      ...this.#options.script?.(pod, container),
    };
  }

  #ignoresTerm(pod: Pod): boolean {
    return (pod.spec?.containers ?? []).some((c) => this.#script(pod, c, false).ignoreTerm);
  }

  #at(key: string, atMs: number): void {
    const running = this.#pods.get(key);
    if (running === undefined || this.#signal.aborted) return;
    const { clock } = this.#options;
    if (running.timer !== undefined) clock.clearTimeout(running.timer);
    running.timer = clock.setTimeout(() => this.#sync(key), Math.max(0, atMs - clock.now()));
  }

  #forget(key: string): void {
    const running = this.#pods.get(key);
    if (running?.timer !== undefined) this.#options.clock.clearTimeout(running.timer);
    this.#pods.delete(key);
  }

  #stopTimers(): void {
    for (const key of [...this.#pods.keys()]) this.#forget(key);
    for (const name of [...this.#nodes.keys()]) this.silence(name);
  }
}
