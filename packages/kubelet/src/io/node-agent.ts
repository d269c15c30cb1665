/**
 * Keeps the Node object and its Lease: registers, says how the node is, beats every 10 seconds.
 *
 * Units   lease of 40 s renewed every 10 s; status every 10 s when it changed, else every 5 min
 * Source  pkg/kubelet/kubelet_node_status.go, k8s.io/component-helpers/apimachinery/lease
 */
import type { Lease } from "@nanokube/api/coordination/v1";
import type { Node } from "@nanokube/api/core/v1";
import { type Client, type EventRecorder, leases, nodes } from "@nanokube/client";
import {
  type Clock,
  deepEqual,
  formatMicroTime,
  type Log,
  StatusError,
  sleep,
} from "@nanokube/machinery";
import { type NodeInput, nodeLabels, nodeObject, nodeStatus } from "../core/node-status.ts";

const LEASE_NAMESPACE = "kube-node-lease";
const LEASE_SECONDS = 40;
const RENEW_MS = LEASE_SECONDS * 250;
const STATUS_MS = 10_000;
const REPORT_MS = 300_000;
const RETRY_MS = 200;
const RETRY_MS_MAX = 7000;
/** Until the node is ready its state is looked at that often. */
const STARTING_MS = 100;

export interface NodeAgentOptions {
  client: Client;
  recorder: EventRecorder;
  clock: Clock;
  log: Log;
  nodeName: string;
  register: boolean;
  /** What is true now. */
  observe(): Promise<NodeInput>;
}

const codeOf = (error: unknown): number => (error instanceof StatusError ? error.code : 0);

/** Heartbeats alone are no change. */
function withoutBeats(status: Node["status"]): unknown {
  return {
    ...status,
    conditions: status?.conditions?.map(({ lastHeartbeatTime: _, ...rest }) => rest),
  };
}

export class NodeAgent {
  readonly #options: NodeAgentOptions;
  #node: Node | undefined;
  #reported: Node["status"];
  #reportedAtMs = 0;
  #wake: (() => void) | undefined;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
  }

  /** As the API server last showed it. */
  get node(): Node | undefined {
    return this.#node;
  }

  see(node: Node): void {
    this.#node = node;
  }

  get reference() {
    const name = this.#options.nodeName;
    return { apiVersion: "v1", kind: "Node", name, uid: name };
  }

  /** Something about the node changed: report without waiting for the next beat. */
  reportSoon(): void {
    this.#wake?.();
  }

  async #registerOnce(): Promise<Node> {
    const { client, log } = this.#options;
    const api = client.resource(nodes);
    const wanted = nodeObject(await this.#options.observe());
    try {
      const made = await api.create(wanted);
      log.info({ node: wanted.metadata?.name }, "Successfully registered node");
      return made;
    } catch (error) {
      if (codeOf(error) !== 409) throw error;
    }
    const existing = await api.get(this.#options.nodeName);
    const labels = nodeLabels(await this.#options.observe());
    const stale = Object.entries(labels).some(
      ([key, value]) => existing.metadata?.labels?.[key] !== value,
    );
    if (!stale) return existing;
    return api.patch(this.#options.nodeName, { metadata: { labels } }, { type: "merge" });
  }

  /** Tries until it is done. */
  async register(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    if (!this.#options.register) return;
    for (let waitMs = RETRY_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        this.#node = await this.#registerOnce();
        return;
      } catch (error) {
        log.warn({ err: String(error) }, "Unable to register node with API server");
        await sleep(clock, waitMs, signal).catch(() => {});
      }
    }
  }

  async #report(): Promise<void> {
    const { client, clock, recorder, nodeName } = this.#options;
    const input = await this.#options.observe();
    const status = nodeStatus(input, this.#node);
    const nowMs = clock.now();
    const same = deepEqual(withoutBeats(status), withoutBeats(this.#reported));
    if (same && nowMs - this.#reportedAtMs < REPORT_MS) return;
    const api = client.resource(nodes);
    const patch = {
      status: {
        ...status,
        // Lists with merge keys: say that the addresses are whole.
        addresses: [{ $patch: "replace" }, ...(status.addresses ?? [])],
        volumesInUse: status.volumesInUse ?? null,
      },
    };
    const after = await api.patch(nodeName, patch, { subresource: "status" });
    const readyOf = (node: Node["status"]) =>
      node?.conditions?.find((condition) => condition.type === "Ready")?.status;
    const was = readyOf(this.#reported);
    const is = readyOf(status);
    if (was !== undefined && was !== is) {
      const reason = is === "True" ? "NodeReady" : "NodeNotReady";
      recorder.event(this.reference, "Normal", reason, `Node ${nodeName} status is now: ${reason}`);
    }
    this.#node = after;
    this.#reported = status;
    this.#reportedAtMs = nowMs;
  }

  async runStatus(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      let waitMs = STATUS_MS;
      try {
        await this.#report();
        const ready = this.#reported?.conditions?.find((c) => c.type === "Ready")?.status;
        if (ready !== "True") waitMs = STARTING_MS;
      } catch (error) {
        log.warn({ err: String(error) }, "Error updating node status, will retry");
        if (codeOf(error) === 404) await this.register(signal);
        waitMs = RETRY_MS * 5;
      }
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      const either = AbortSignal.any([signal, woken.signal]);
      await sleep(clock, waitMs, either).catch(() => {});
    }
  }

  #lease(now: string): Lease {
    const { nodeName } = this.#options;
    const uid = this.#node?.metadata?.uid;
    const owner = { apiVersion: "v1", kind: "Node", name: nodeName, uid: uid ?? "" };
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name: nodeName,
        namespace: LEASE_NAMESPACE,
        ...(uid === undefined ? {} : { ownerReferences: [owner] }),
      },
      spec: { holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS, renewTime: now },
    };
  }

  async runLease(signal: AbortSignal): Promise<void> {
    const { client, clock, log, nodeName } = this.#options;
    const api = client.resource(leases).namespace(LEASE_NAMESPACE);
    let lease: Lease | undefined;
    while (!signal.aborted) {
      const fresh = this.#lease(formatMicroTime(clock.now()));
      try {
        lease ??= await api.get(nodeName).catch((error) => {
          if (codeOf(error) === 404) return undefined;
          throw error;
        });
        lease =
          lease === undefined
            ? await api.create(fresh)
            : await api.update({
                ...lease,
                metadata: { ...lease.metadata, ...ownerOf(fresh, lease) },
                spec: { ...lease.spec, ...fresh.spec },
              });
        await sleep(clock, RENEW_MS, signal).catch(() => {});
      } catch (error) {
        lease = undefined;
        log.warn({ err: String(error) }, "Failed to ensure lease exists, will retry");
        await sleep(clock, RETRY_MS, signal).catch(() => {});
      }
    }
  }
}

const ownerOf = (fresh: Lease, known: Lease) => {
  const ownerReferences = known.metadata?.ownerReferences ?? fresh.metadata?.ownerReferences;
  return ownerReferences === undefined ? {} : { ownerReferences };
};
