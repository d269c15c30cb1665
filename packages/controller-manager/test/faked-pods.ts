/**
 * Stands in for scheduler and kubelet: binds pods to a node and says what a kubelet would say.
 *
 * - a pod that is not bound gets a node (the one its affinity names, else "node-1") and an address,
 *   and becomes Ready
 * - one that is being deleted is gone at once
 * - what `fate` says of a pod else: "Succeeded", "Failed", "Pending" (nothing happens to it)
 */
import type { Pod } from "@nanokube/api/core/v1";
import { type Client, createInformer, keyOf, pods, runWorkers, WorkQueue } from "@nanokube/client";
import { targetNode } from "../src/core/daemonset/daemon-pod.ts";

export type Fate = "Ready" | "Running" | "Succeeded" | "Failed" | "Pending";

export interface FakedPods {
  fate: (pod: Pod) => Fate;
  /** All pods are looked at again. */
  again(): void;
  stop(): Promise<void>;
  readonly errors: Error[];
}

export function fakePods(client: Client): FakedPods {
  const stop = new AbortController();
  const queue = new WorkQueue<string>();
  const informer = createInformer({ client, resource: pods });
  let addresses = 1;
  const wake = (pod: Pod) => queue.add(keyOf(pod));
  informer.onEvent({ add: wake, update: (_, pod) => wake(pod) });
  const faked: FakedPods = {
    errors: [],
    fate: () => "Ready",
    again: () => {
      for (const key of informer.indexer.keys()) queue.add(key);
    },
    stop: async () => {
      stop.abort();
      queue.shutDown();
      await running;
    },
  };
  const live = async (key: string): Promise<undefined> => {
    const pod = informer.indexer.getByKey(key);
    if (pod === undefined) return undefined;
    const { namespace = "", name = "", uid, deletionTimestamp } = pod.metadata ?? {};
    const api = client.resource(pods).namespace(namespace);
    if (deletionTimestamp !== undefined) {
      await api.delete(name, { gracePeriodSeconds: 0, preconditions: { uid } });
      return undefined;
    }
    const fate = faked.fate(pod);
    if (fate === "Pending") return undefined;
    if (!pod.spec?.nodeName) {
      const target = { apiVersion: "v1", kind: "Node", name: targetNode(pod) ?? "node-1" };
      await api.createSubresource(name, "binding", {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name, namespace },
        target,
      });
      return undefined;
    }
    const ended = fate === "Succeeded" || fate === "Failed";
    const ready = fate === "Ready" ? "True" : "False";
    const phase = ended ? fate : "Running";
    const seen = pod.status?.conditions?.find(({ type }) => type === "Ready")?.status;
    if (pod.status?.phase === phase && seen === ready) return undefined;
    const podIP = pod.status?.podIP ?? `10.244.0.${addresses++}`;
    const lastTransitionTime = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    await api.patch(
      name,
      {
        status: {
          phase,
          podIP,
          podIPs: [{ ip: podIP }],
          conditions: [{ type: "Ready", status: ready, lastTransitionTime }],
        },
      },
      { type: "merge", subresource: "status" },
    );
    return undefined;
  };
  informer.start(stop.signal);
  const running = runWorkers({
    queue,
    workers: 4,
    work: live,
    // A pod that changed meanwhile: the next look is at what it is now.
    onError: (error) => faked.errors.push(error as Error),
  });
  return faked;
}
