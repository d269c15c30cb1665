/**
 * The kubelet put together: watch the pods of this node, make them real, say how they are.
 *
 * Source  pkg/kubelet/kubelet.go NewMainKubelet, syncLoop
 */
import { mkdir } from "node:fs/promises";
import type { Node, Pod } from "@nanokube/api/core/v1";
import { createInformer, nodes as nodeResource, pods as podResource } from "@nanokube/client";
import { deepEqual, sleep } from "@nanokube/machinery";
import { refuseUnderPressure } from "../core/eviction.ts";
import { admitPod } from "../core/node-admission.ts";
import { isMirrorPod, isTerminalPhase, podKey, podReference, podUID } from "../core/pod.ts";
import { forbiddenSysctl } from "../core/sysctls.ts";
import type { Kubelet, KubeletOptions } from "./kubelet-options.ts";
import { buildParts, type KubeletParts } from "./kubelet-parts.ts";
import { OrphanCollector } from "./orphan-collector.ts";

const HOUSEKEEPING_MS = 2000;

class RunningKubelet {
  readonly #options: KubeletOptions;
  readonly #parts: KubeletParts;
  readonly #orphans: OrphanCollector;
  readonly #signal: AbortSignal;
  /** Pods refused at the door: they hold no resources. */
  readonly #refused = new Set<string>();
  #sourcesReady = false;

  constructor(options: KubeletOptions, parts: KubeletParts, signal: AbortSignal) {
    this.#options = options;
    this.#parts = parts;
    this.#signal = signal;
    this.#orphans = new OrphanCollector({
      ...parts,
      log: options.log,
      rootDir: options.rootDir,
      podLogsDir: options.podLogsDir,
    });
  }

  /** Pods that hold resources of this node, with what was granted to them. */
  active(except: string): Pod[] {
    const { workers, statuses, ledger } = this.#parts;
    return workers
      .uids()
      .filter((uid) => uid !== except && !this.#refused.has(uid))
      .filter((uid) => workers.phase(uid) !== "terminated")
      .filter((uid) => !isTerminalPhase(statuses.get(uid)?.phase))
      .map((uid) => ledger.allocatedPod(workers.pod(uid)!));
  }

  #admit(pod: Pod): boolean {
    const { workers, statuses, recorder, nodeAgent } = this.#parts;
    const uid = podUID(pod);
    const node: Node = nodeAgent.node ?? { metadata: { name: this.#options.nodeName } };
    const fresh = workers.phase(uid) === undefined;
    const ending = pod.metadata?.deletionTimestamp !== undefined;
    const started = isTerminalPhase(pod.status?.phase) || this.#parts.cache.get(uid) !== undefined;
    if (!fresh || ending || started) return true;
    const sysctl = forbiddenSysctl(pod, this.#options.allowedUnsafeSysctls ?? []);
    const pressures = this.#parts.keepers.eviction?.pressures() ?? [];
    const refusal =
      refuseUnderPressure(pod, pressures) ?? sysctl ?? admitPod(pod, node, this.active(uid));
    if (refusal === undefined) {
      this.#parts.ledger.open(pod);
      return true;
    }
    this.#refused.add(uid);
    recorder.event(podReference(pod), "Warning", refusal.reason, refusal.message);
    statuses.set(pod, {
      phase: "Failed",
      reason: refusal.reason,
      message: `Pod was rejected: ${refusal.message}`,
      ...(pod.status?.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
      startTime: new Date(this.#options.clock.now()).toISOString().replace(/\.\d+Z/, "Z"),
    });
    return false;
  }

  /** @hop kubelet.observe: a pod bound to this node, or its newest version, has been seen. */
  see(pod: Pod): void {
    const { workers, log } = { ...this.#parts, log: this.#options.log };
    const uid = podUID(pod);
    if (isMirrorPod(pod)) {
      this.#parts.staticPods.seeMirror(pod);
      return;
    }
    const { resourceVersion } = pod.metadata ?? {};
    log.debug({ hop: "kubelet.observe", object: `pods/${podKey(pod)}`, resourceVersion }, "hop");
    if (this.#refused.has(uid)) {
      this.#parts.statuses.finish(pod);
      return;
    }
    if (!this.#admit(pod)) return;
    workers.update(pod);
  }

  lose(pod: Pod): void {
    const uid = podUID(pod);
    if (isMirrorPod(pod)) {
      this.#parts.staticPods.loseMirror(pod);
      return;
    }
    if (this.#refused.delete(uid)) {
      this.#parts.statuses.remove(uid);
      return;
    }
    this.#parts.workers.terminate(uid, { orphaned: true });
  }

  #watchPods(): Promise<void> {
    const { client, nodeName, clock, random, log } = this.#options;
    const informer = createInformer<Pod>({
      client,
      resource: podResource,
      fieldSelector: `spec.nodeName=${nodeName}`,
      clock,
      random,
      log,
    });
    informer.onEvent({
      add: (pod) => this.see(pod),
      update: (old, pod) => {
        // A pod of the same name may be another one.
        if (podUID(old) !== podUID(pod)) this.lose(old);
        this.see(pod);
      },
      delete: (pod) => this.lose(pod),
    });
    informer.start(this.#signal);
    return informer.waitForSync();
  }

  #watchNode(): void {
    const { client, nodeName, clock, random, log } = this.#options;
    const informer = createInformer<Node>({
      client,
      resource: nodeResource,
      fieldSelector: `metadata.name=${nodeName}`,
      clock,
      random,
      log,
    });
    const { nodeAgent, volumes, workers } = this.#parts;
    const see = (node: Node) => {
      const before = nodeAgent.node?.status?.volumesAttached;
      nodeAgent.see(node);
      if (deepEqual(before, node.status?.volumesAttached)) return;
      for (const uid of volumes.retryWaiting()) workers.kick(uid);
    };
    informer.onEvent({ add: see, update: (_, node) => see(node) });
    informer.start(this.#signal);
  }

  async #housekeeping(): Promise<void> {
    const { clock, log } = this.#options;
    while (!this.#signal.aborted) {
      if (this.#sourcesReady) {
        await this.#orphans.collect().catch((error) => {
          log.warn({ err: String(error) }, "housekeeping failed");
        });
      }
      await sleep(clock, HOUSEKEEPING_MS, this.#signal).catch(() => {});
    }
  }

  pods(): Pod[] {
    const { workers, statuses } = this.#parts;
    return workers.uids().map((uid) => {
      const pod = workers.pod(uid)!;
      const status = statuses.get(uid);
      return status === undefined ? pod : { ...pod, status };
    });
  }

  async run(): Promise<void> {
    const { cache, nodeAgent, recorder, server, csi, staticPods } = this.#parts;
    const signal = this.#signal;
    await cache.relist().catch(() => {});
    await server.listen(signal);
    recorder.event(nodeAgent.reference, "Normal", "Starting", "Starting kubelet.");
    const relisting = cache.run(signal);
    const plugins = csi.run(signal);
    const keeping = this.#parts.keepers.run(signal);
    this.#parts.services.start(signal);
    this.#watchNode();
    const registered = nodeAgent.register(signal);
    const beating = registered.then(() =>
      Promise.all([nodeAgent.runStatus(signal), nodeAgent.runLease(signal)]),
    );
    const statics = staticPods.run(signal);
    await Promise.race([Promise.all([this.#watchPods(), staticPods.firstScan]), aborted(signal)]);
    this.#sourcesReady = true;
    const housekeeping = this.#housekeeping();
    await aborted(signal);
    this.#parts.workers.stop();
    this.#parts.probes.stopAll();
    this.#parts.objects.stop();
    await Promise.allSettled([relisting, plugins, keeping, beating, housekeeping, statics]);
    await recorder.flush();
    await server.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** A kubelet that does nothing until it is started. */
export function createKubelet(options: KubeletOptions): Kubelet {
  let running: RunningKubelet | undefined;
  let parts: KubeletParts | undefined;
  return {
    get port() {
      return parts?.server.port ?? 0;
    },
    pods: () => running?.pods() ?? [],
    async start(signal) {
      await mkdir(options.rootDir, { recursive: true, mode: 0o750 });
      await mkdir(options.podLogsDir, { recursive: true, mode: 0o755 });
      parts = await buildParts(options, signal, {
        pods: () => running?.pods() ?? [],
        others: (uid) => running?.active(uid) ?? [],
        onPod: (pod) => running?.see(pod),
        onGone: (pod) => running?.lose(pod),
      });
      running = new RunningKubelet(options, parts, signal);
      await running.run();
    },
  };
}
