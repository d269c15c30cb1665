/**
 * The scheduler's cache: informers in, a snapshot out.
 *
 * A pod that was decided for but whose binding has not come back by watch is *assumed* on its node,
 * so that the next cycle counts it.
 *
 * Source  pkg/scheduler/backend/cache/cache.go
 */
import type { Node, Pod } from "@nanokube/api/core/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import {
  csiNodes,
  type InformerFactory,
  namespaces,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  type ResourceRef,
  replicaSets,
  replicationControllers,
  type SharedInformer,
  services,
  statefulSets,
  storageClasses,
} from "@nanokube/client";
import { labelSelectorToSelector } from "@nanokube/machinery";
import { NodeInfo, podInfo, podKey } from "../core/node-info.ts";
import { interleaveZones, type Snapshot } from "../core/snapshot.ts";

const isFinished = (pod: Pod) =>
  pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

type Named = { metadata?: { name?: string; namespace?: string } };

export class ClusterView {
  readonly #nodes = new Map<string, NodeInfo>();
  /** Where each counted pod is counted, by pod key. */
  readonly #places = new Map<string, string>();
  readonly #assumed = new Set<string>();
  readonly #informers: InformerFactory;
  #ordered: NodeInfo[] | undefined;

  constructor(informers: InformerFactory) {
    this.#informers = informers;
    for (const ref of [
      namespaces,
      persistentVolumeClaims,
      persistentVolumes,
      storageClasses,
      csiNodes,
      services,
      replicationControllers,
      replicaSets,
      statefulSets,
      podDisruptionBudgets,
    ]) {
      informers.for(ref as ResourceRef);
    }
  }

  setNode(node: Node): void {
    const name = node.metadata?.name ?? "";
    const known = this.#nodes.get(name);
    if (known === undefined) this.#nodes.set(name, new NodeInfo(node));
    else known.setNode(node);
    this.#ordered = undefined;
  }

  deleteNode(name: string): void {
    this.#nodes.delete(name);
    this.#ordered = undefined;
  }

  /** Counts a pod on spec.nodeName, or takes it off when it has finished. */
  setPod(pod: Pod): void {
    const key = podKey(pod);
    this.#assumed.delete(key);
    if (isFinished(pod)) this.deletePod(pod);
    else this.#place(pod, pod.spec?.nodeName ?? "");
  }

  assume(pod: Pod, nodeName: string): void {
    this.#assumed.add(podKey(pod));
    this.#place({ ...pod, spec: { ...pod.spec, nodeName } as Pod["spec"] }, nodeName);
  }

  forget(pod: Pod): void {
    if (this.#assumed.delete(podKey(pod))) this.deletePod(pod);
  }

  isAssumed(pod: Pod): boolean {
    return this.#assumed.has(podKey(pod));
  }

  deletePod(pod: Pod): void {
    const key = podKey(pod);
    this.#nodes.get(this.#places.get(key) ?? "")?.removePod(key);
    this.#places.delete(key);
    this.#assumed.delete(key);
  }

  snapshot(): Snapshot {
    // A node known only by its pods has no object yet and cannot be scheduled to.
    this.#ordered ??= interleaveZones(
      [...this.#nodes.values()].filter((info) => info.node.metadata?.uid !== undefined),
    );
    const lookup = <T extends Named>(ref: ResourceRef<T>) => this.#indexer(ref);
    return {
      nodes: this.#ordered,
      node: (name) => this.#nodes.get(name),
      namespace: (name) => lookup(namespaces).get("", name),
      claim: (namespace, name) => lookup(persistentVolumeClaims).get(namespace, name),
      volume: (name) => lookup(persistentVolumes).get("", name),
      volumes: () => lookup(persistentVolumes).list(),
      storageClass: (name) => lookup(storageClasses).get("", name),
      csiNode: (name) => lookup(csiNodes).get("", name),
      ownerSelectors: (pod) => this.#ownerSelectors(pod),
      disruptionBudgets: (namespace) =>
        lookup(podDisruptionBudgets)
          .byNamespace(namespace)
          .map((budget) => ({
            selector: budget.spec?.selector,
            disruptionsAllowed: budget.status?.disruptionsAllowed ?? 0,
          })),
    };
  }

  #indexer<T extends Named>(ref: ResourceRef<T>): SharedInformer<T>["indexer"] {
    return this.#informers.for(ref).indexer;
  }

  #place(pod: Pod, nodeName: string): void {
    const key = podKey(pod);
    const place = this.#places.get(key);
    if (place !== undefined && place !== nodeName) this.#nodes.get(place)?.removePod(key);
    let node = this.#nodes.get(nodeName);
    if (node === undefined) {
      node = new NodeInfo({ metadata: { name: nodeName } });
      this.#nodes.set(nodeName, node);
    }
    node.addPod(podInfo(pod));
    this.#places.set(key, nodeName);
  }

  /** Services that select the pod, and the selector of the workload that controls it. */
  #ownerSelectors(pod: Pod): LabelSelector[] {
    const namespace = pod.metadata?.namespace ?? "";
    const found: LabelSelector[] = [];
    for (const service of this.#indexer(services).byNamespace(namespace)) {
      const matchLabels = service.spec?.selector;
      if (matchLabels === undefined || Object.keys(matchLabels).length === 0) continue;
      const selector = { matchLabels };
      if (labelSelectorToSelector(selector).matches(pod.metadata?.labels)) found.push(selector);
    }
    const owner = pod.metadata?.ownerReferences?.find((reference) => reference.controller);
    const name = owner?.name ?? "";
    if (owner?.kind === "ReplicationController") {
      const matchLabels = this.#indexer(replicationControllers).get(namespace, name)?.spec
        ?.selector;
      if (matchLabels !== undefined) found.push({ matchLabels });
    } else if (owner?.kind === "ReplicaSet" || owner?.kind === "StatefulSet") {
      const ref = owner.kind === "ReplicaSet" ? replicaSets : statefulSets;
      const selector = this.#informers.for(ref as typeof replicaSets).indexer.get(namespace, name)
        ?.spec?.selector;
      if (selector !== undefined) found.push(selector);
    }
    return found;
  }
}
