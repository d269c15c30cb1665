/**
 * Who owns whom, over all kinds: nodes by uid, edges by owner references.
 *
 * An owner that was named but never seen is a virtual node: it may be in an informer that lags, or
 * it may not exist, which the collector asks the server.
 *
 * `observe` and `forget` answer with the uids that want a look: what lost an owner, what an owner
 * waits for.
 *
 * Source  pkg/controller/garbagecollector/graph_builder.go, graph.go
 */
import type { OwnerReference } from "@nanokube/api/meta/v1";
import type { ApiObject, ResourceRef } from "@nanokube/client";

export const orphanFinalizer = "orphan";
export const foregroundFinalizer = "foregroundDeletion";

export interface GraphNode {
  uid: string;
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  /** Unknown for a virtual node: found by its kind. */
  resource: ResourceRef | undefined;
  owners: readonly OwnerReference[];
  dependents: Set<GraphNode>;
  virtual: boolean;
  beingDeleted: boolean;
  /** Goes in the foreground: its blocking dependents go first. */
  deletingDependents: boolean;
  /** Goes, and leaves its dependents behind. */
  orphaning: boolean;
}

export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();

  get size(): number {
    return this.#nodes.size;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** An object as it is now. */
  observe(object: ApiObject, resource: ResourceRef): string[] {
    const { metadata = {} } = object;
    const { uid = "", ownerReferences = [], finalizers = [], deletionTimestamp } = metadata;
    const old = this.#nodes.get(uid);
    const before = old?.owners ?? [];
    const beingDeleted = deletionTimestamp !== undefined;
    const was = {
      deletingDependents: old?.deletingDependents ?? false,
      orphaning: old?.orphaning ?? false,
    };
    const node: GraphNode = Object.assign(old ?? { dependents: new Set<GraphNode>() }, {
      uid,
      apiVersion: object.apiVersion ?? "",
      kind: object.kind ?? "",
      namespace: metadata.namespace ?? "",
      name: metadata.name ?? "",
      resource,
      owners: ownerReferences,
      virtual: false,
      beingDeleted,
      deletingDependents: beingDeleted && finalizers.includes(foregroundFinalizer),
      orphaning: beingDeleted && finalizers.includes(orphanFinalizer),
    });
    this.#nodes.set(uid, node);

    const look: string[] = [];
    for (const owner of before) {
      const now = ownerReferences.find((reference) => reference.uid === owner.uid);
      if (now === undefined) this.#unlink(node, owner.uid ?? "");
      const unblocked = owner.blockOwnerDeletion && !now?.blockOwnerDeletion;
      if (unblocked && this.#waits(owner.uid)) look.push(owner.uid ?? "");
    }
    for (const owner of ownerReferences) look.push(...this.#link(node, owner));
    const lostOwner = before.length > 0 && ownerReferences.length < before.length;
    if (lostOwner && ownerReferences.length > 0) look.push(uid);
    if (node.orphaning && !was.orphaning) look.push(uid);
    if (node.deletingDependents && !was.deletingDependents) {
      look.push(uid, ...[...node.dependents].map((dependent) => dependent.uid));
    }
    return look;
  }

  /** It is gone. */
  forget(uid: string): string[] {
    const node = this.#nodes.get(uid);
    if (node === undefined) return [];
    this.#nodes.delete(uid);
    const look = [...node.dependents].map((dependent) => dependent.uid);
    for (const { uid: owner = "" } of node.owners) {
      this.#unlink(node, owner);
      if (this.#waits(owner)) look.push(owner);
    }
    return look;
  }

  /** A virtual node that the server doesn't know either. */
  forgetVirtual(uid: string): string[] {
    const node = this.#nodes.get(uid);
    if (node === undefined || !node.virtual) return [];
    this.#nodes.delete(uid);
    return [...node.dependents].map((dependent) => dependent.uid);
  }

  /** Dependents that the deletion of this node waits for. */
  blockingDependents(node: GraphNode): GraphNode[] {
    return [...node.dependents].filter((dependent) =>
      dependent.owners.some(
        ({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion,
      ),
    );
  }

  #waits(uid: string | undefined): boolean {
    return this.#nodes.get(uid ?? "")?.deletingDependents === true;
  }

  #link(node: GraphNode, owner: OwnerReference): string[] {
    const uid = owner.uid ?? "";
    const known = this.#nodes.get(uid);
    if (known !== undefined) {
      const isNew = !known.dependents.has(node);
      known.dependents.add(node);
      // A dependent that comes late to an owner that goes, or that is gone.
      return isNew && (known.deletingDependents || known.virtual) ? [node.uid, uid] : [];
    }
    const virtual: GraphNode = {
      uid,
      apiVersion: owner.apiVersion ?? "",
      kind: owner.kind ?? "",
      namespace: node.namespace,
      name: owner.name ?? "",
      resource: undefined,
      owners: [],
      dependents: new Set([node]),
      virtual: true,
      beingDeleted: false,
      deletingDependents: false,
      orphaning: false,
    };
    this.#nodes.set(uid, virtual);
    return [uid];
  }

  #unlink(node: GraphNode, owner: string): void {
    const known = this.#nodes.get(owner);
    known?.dependents.delete(node);
    if (known?.virtual && known.dependents.size === 0) this.#nodes.delete(owner);
  }
}
