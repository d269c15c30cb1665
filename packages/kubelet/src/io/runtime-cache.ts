/**
 * What the runtime has, kept up to date: by its events if it has them, else by asking each second.
 *
 * The kubelet's PLEG: whoever changes a pod calls `refresh` and has the truth at once; what changes
 * by itself (a process ends) comes by an event or by the next relist and goes to `onChange`.
 * Source  pkg/kubelet/pleg/generic.go, evented.go
 */
import { type Clock, type Log, sleep } from "@nanokube/machinery";
import { codes, type cri, RpcError } from "@nanokube/rpc";
import { POD_NAME, POD_NAMESPACE, POD_UID } from "../core/runtime-labels.ts";
import {
  emptyRuntimeStatus,
  type PodRuntimeStatus,
  type RuntimeContainer,
  type RuntimeSandbox,
} from "../core/runtime-status.ts";
import {
  describeRpcError,
  isNotFound,
  podUIDOf,
  type RuntimeClient,
  toContainer,
  toSandbox,
} from "./cri-runtime.ts";

const RELIST_MS = 1000;
/** With events a relist only catches what an event lost. */
const RELIST_WITH_EVENTS_MS = 300_000;

export interface RuntimeCacheOptions {
  runtime: RuntimeClient;
  clock: Clock;
  log: Log;
  /** A pod's containers or sandboxes changed by themselves. */
  onChange(uid: string): void;
}

export class RuntimeCache {
  readonly #runtime: RuntimeClient;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onChange: (uid: string) => void;
  readonly #pods = new Map<string, PodRuntimeStatus>();
  /** State of every sandbox and container at the last look: id → "uid state". */
  #seen = new Map<string, string>();
  /** What has ended never changes again: it is asked once. */
  readonly #ended = new Map<string, RuntimeContainer>();
  lastRelistMs = 0;
  hasEvents = false;

  constructor(options: RuntimeCacheOptions) {
    this.#runtime = options.runtime;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onChange = options.onChange;
  }

  get(uid: string): PodRuntimeStatus | undefined {
    return this.#pods.get(uid);
  }

  all(): PodRuntimeStatus[] {
    return [...this.#pods.values()];
  }

  async #sandbox(id: string): Promise<RuntimeSandbox | undefined> {
    try {
      const { status } = await this.#runtime.podSandboxStatus({ podSandboxId: id });
      return status === undefined ? undefined : toSandbox(status);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #container(id: string, sandboxID: string): Promise<RuntimeContainer | undefined> {
    const known = this.#ended.get(id);
    if (known !== undefined) return known;
    try {
      const { status } = await this.#runtime.containerStatus({ containerId: id });
      if (status === undefined) return undefined;
      const container = await toContainer(status, sandboxID);
      if (container.state === "exited") this.#ended.set(id, container);
      return container;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #build(
    uid: string,
    sandboxes: readonly cri.PodSandbox[],
    containers: readonly cri.Container[],
  ): Promise<PodRuntimeStatus> {
    const labels = sandboxes[0]?.labels ?? containers[0]?.labels ?? {};
    const status = emptyRuntimeStatus(uid, labels[POD_NAME] ?? "", labels[POD_NAMESPACE] ?? "");
    const [boxes, runs] = await Promise.all([
      Promise.all(sandboxes.map(({ id }) => this.#sandbox(id))),
      Promise.all(containers.map((c) => this.#container(c.id, c.podSandboxId))),
    ]);
    status.sandboxes = boxes
      .filter((box) => box !== undefined)
      .sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt);
    status.containers = runs
      .filter((run) => run !== undefined)
      .sort((a, b) => b.createdAtMs - a.createdAtMs || b.restartCount - a.restartCount);
    return status;
  }

  #note(uid: string, sandboxes: readonly cri.PodSandbox[], containers: readonly cri.Container[]) {
    for (const [id, text] of this.#seen) if (text.startsWith(`${uid} `)) this.#seen.delete(id);
    for (const { id, state } of sandboxes) this.#seen.set(id, `${uid} sandbox ${state}`);
    for (const { id, state } of containers) this.#seen.set(id, `${uid} container ${state}`);
  }

  /** Asks the runtime about one pod now. */
  async refresh(uid: string): Promise<PodRuntimeStatus> {
    const labelSelector = { [POD_UID]: uid };
    const [{ items }, { containers }] = await Promise.all([
      this.#runtime.listPodSandbox({ filter: { labelSelector } }),
      this.#runtime.listContainers({ filter: { labelSelector } }),
    ]);
    const status = await this.#build(uid, items, containers);
    this.#note(uid, items, containers);
    if (items.length === 0 && containers.length === 0) this.#pods.delete(uid);
    else this.#pods.set(uid, status);
    return status;
  }

  /** Asks about everything; tells `onChange` which pods are not as they were. */
  async relist(): Promise<void> {
    const [{ items }, { containers }] = await Promise.all([
      this.#runtime.listPodSandbox({}),
      this.#runtime.listContainers({}),
    ]);
    const seen = new Map<string, string>();
    for (const { id, labels, state } of items) seen.set(id, `${podUIDOf(labels)} sandbox ${state}`);
    for (const { id, labels, state } of containers) {
      seen.set(id, `${podUIDOf(labels)} container ${state}`);
    }
    const changed = new Set<string>();
    for (const [id, text] of seen) if (this.#seen.get(id) !== text) changed.add(uidIn(text));
    for (const [id, text] of this.#seen) {
      if (!seen.has(id)) changed.add(uidIn(text));
      if (!seen.has(id)) this.#ended.delete(id);
    }
    this.#seen = seen;
    for (const uid of changed) {
      if (uid === "") continue;
      await this.refresh(uid);
      this.#onChange(uid);
    }
    this.lastRelistMs = this.#clock.now();
  }

  async #followEvents(signal: AbortSignal): Promise<void> {
    const stream = this.#runtime.getContainerEvents({}, { signal });
    for await (const event of stream.responses) {
      this.hasEvents = true;
      const labels = event.podSandboxStatus?.labels ?? event.containersStatuses[0]?.labels ?? {};
      const uid = podUIDOf(labels);
      if (uid === "") continue;
      await this.refresh(uid);
      this.#onChange(uid);
    }
  }

  async #watchEvents(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#followEvents(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof RpcError && error.code === codes.UNIMPLEMENTED) return;
        this.#log.debug({ err: describeRpcError(error) }, "container event stream broke");
      }
      this.hasEvents = false;
      await sleep(this.#clock, RELIST_MS, signal).catch(() => {});
    }
  }

  /** Runs until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    void this.#watchEvents(signal);
    while (!signal.aborted) {
      await this.relist().catch((error) => {
        this.#log.warn({ err: describeRpcError(error) }, "relist failed");
      });
      const quiet = this.hasEvents && this.#clock.now() - this.lastRelistMs < RELIST_WITH_EVENTS_MS;
      const waitMs = quiet ? RELIST_MS * 10 : RELIST_MS;
      await sleep(this.#clock, waitMs, signal).catch(() => {});
    }
  }
}

const uidIn = (text: string): string => text.slice(0, text.indexOf(" "));
