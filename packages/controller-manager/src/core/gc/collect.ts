/**
 * One look at one object of the graph: is an owner of it left? If none is, it goes.
 *
 * The graph only says where to look; what is done is decided on what the server says now, and done
 * under the condition that it is still so.
 *
 * Source  pkg/controller/garbagecollector/garbagecollector.go attemptToDeleteItem,
 *         attemptToOrphanWorker
 */
import type { ObjectMeta, OwnerReference } from "@nanokube/api/meta/v1";
import { type ApiObject, isNotFound, type ResourceRef } from "@nanokube/client";
import { attempt, read, type Steps } from "../steps.ts";
import { foregroundFinalizer, type GraphNode, type OwnerGraph, orphanFinalizer } from "./graph.ts";

export interface Collecting {
  graph: OwnerGraph;
  /**
   * Where objects of a kind live; undefined for a kind that the server doesn't serve (any more, or
   * yet).
   */
  resourceOf(apiVersion: string, kind: string): ResourceRef | undefined;
}

/** To be looked at again, a little later. */
export class NotObservedError extends Error {}

/** Comes back with the uids that want a look now. */
export function* collect(uid: string, { graph, resourceOf }: Collecting): Steps<string[]> {
  const node = graph.get(uid);
  if (node === undefined) return [];
  if (node.orphaning) return yield* orphan(node);
  if (node.beingDeleted && !node.deletingDependents) return [];

  const resource = node.resource ?? resourceOf(node.apiVersion, node.kind);
  if (resource === undefined) {
    // A virtual owner of a kind unknown: nothing may be deleted because of it.
    return [];
  }
  const namespace = resource.namespaced ? node.namespace : "";
  const latest = yield* read(resource, namespace, node.name);
  if (latest?.metadata?.uid !== uid)
    return node.virtual ? graph.forgetVirtual(uid) : graph.forget(uid);
  if (node.virtual) {
    // It may be gone again before an informer ever shows it: then nobody would tell.
    throw new NotObservedError(
      `item ${node.kind} ${namespace}/${node.name} hasn't been observed via informer yet`,
    );
  }
  if (node.deletingDependents) return yield* deleteDependents(node, latest, graph);

  const owners = latest.metadata?.ownerReferences ?? [];
  if (owners.length === 0) return [];
  const { solid, dangling, waiting } = yield* classify(node, owners, resourceOf);
  if (solid.length > 0) {
    if (dangling.length + waiting.length > 0) {
      const gone = new Set([...dangling, ...waiting].map((owner) => owner.uid));
      const ownerReferences = owners.filter((owner) => !gone.has(owner.uid));
      yield* patchMetadata(resource, latest, { ownerReferences });
    }
    return [];
  }
  return yield* remove({ node, resource, latest, inForeground: waiting.length > 0, graph });
}

interface Owners {
  solid: OwnerReference[];
  dangling: OwnerReference[];
  /** There, but going in the foreground: they wait for this one. */
  waiting: OwnerReference[];
}

function* classify(
  node: GraphNode,
  references: readonly OwnerReference[],
  resourceOf: Collecting["resourceOf"],
): Steps<Owners> {
  const owners: Owners = { solid: [], dangling: [], waiting: [] };
  for (const reference of references) {
    const resource = resourceOf(reference.apiVersion ?? "", reference.kind ?? "");
    // Unknown kinds may come back; an owner in a namespace of something that is in none is
    // nonsense, but no reason to delete.
    if (resource === undefined || (resource.namespaced && node.namespace === "")) {
      owners.solid.push(reference);
      continue;
    }
    const namespace = resource.namespaced ? node.namespace : "";
    const owner = yield* read(resource, namespace, reference.name ?? "");
    const { uid, deletionTimestamp, finalizers = [] } = owner?.metadata ?? {};
    if (uid !== reference.uid) owners.dangling.push(reference);
    else if (deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer)) {
      owners.waiting.push(reference);
    } else owners.solid.push(reference);
  }
  return owners;
}

interface Removal {
  node: GraphNode;
  resource: ResourceRef;
  latest: ApiObject;
  inForeground: boolean;
  graph: OwnerGraph;
}

function* remove({ node, resource, latest, inForeground, graph }: Removal): Steps<string[]> {
  let current = latest;
  const hasDependents = node.dependents.size > 0;
  if (inForeground && hasDependents) {
    // A circle of owners that wait for each other would wait for ever: this one stops blocking.
    if ([...node.dependents].some((dependent) => dependent.deletingDependents)) {
      const ownerReferences = (latest.metadata?.ownerReferences ?? []).map((owner) => ({
        ...owner,
        blockOwnerDeletion: false,
      }));
      current = yield* patchMetadata(resource, latest, { ownerReferences });
    }
  }
  const { namespace = "", name = "", uid, resourceVersion } = current.metadata ?? {};
  const { error } = yield* attempt({
    do: "delete",
    resource,
    namespace,
    name,
    uid,
    resourceVersion,
    propagationPolicy: policyFor(latest, inForeground && hasDependents),
    hop: "garbage-collector.delete",
  });
  if (isNotFound(error)) return graph.forget(node.uid);
  if (error !== undefined) throw error;
  return [];
}

function policyFor(latest: ApiObject, inForeground: boolean) {
  const { finalizers = [] } = latest.metadata ?? {};
  if (inForeground) return "Foreground";
  if (finalizers.includes(orphanFinalizer)) return "Orphan";
  return finalizers.includes(foregroundFinalizer) ? "Foreground" : "Background";
}

/**
 * In the foreground: as long as a dependent blocks, look at the dependents; then the owner may go.
 */
function* deleteDependents(node: GraphNode, latest: ApiObject, graph: OwnerGraph): Steps<string[]> {
  const blocking = graph.blockingDependents(node);
  if (blocking.length > 0) {
    return blocking.filter((dependent) => !dependent.deletingDependents).map(({ uid }) => uid);
  }
  yield* dropFinalizer(node, latest, foregroundFinalizer);
  return [];
}

function* orphan(node: GraphNode): Steps<string[]> {
  for (const dependent of node.dependents) {
    if (dependent.resource === undefined) continue;
    const latest = yield* read(dependent.resource, dependent.namespace, dependent.name);
    if (latest?.metadata?.uid !== dependent.uid) continue;
    const owners = latest.metadata?.ownerReferences ?? [];
    const ownerReferences = owners.filter((owner) => owner.uid !== node.uid);
    if (ownerReferences.length < owners.length) {
      yield* patchMetadata(dependent.resource, latest, { ownerReferences });
    }
  }
  if (node.resource === undefined) return [];
  const latest = yield* read(node.resource, node.namespace, node.name);
  if (latest?.metadata?.uid === node.uid) yield* dropFinalizer(node, latest, orphanFinalizer);
  return [];
}

function* dropFinalizer(node: GraphNode, latest: ApiObject, finalizer: string): Steps {
  const before = latest.metadata?.finalizers ?? [];
  const finalizers = before.filter((token) => token !== finalizer);
  if (finalizers.length === before.length || node.resource === undefined) return;
  yield* patchMetadata(node.resource, latest, { finalizers });
}

/** Under the condition that nobody changed it since: a list is replaced whole. */
function* patchMetadata(
  resource: ResourceRef,
  latest: ApiObject,
  change: Partial<ObjectMeta>,
): Steps<ApiObject> {
  const { namespace = "", name = "", uid, resourceVersion } = latest.metadata ?? {};
  const { object, error } = yield* attempt({
    do: "patch",
    resource,
    namespace,
    name,
    type: "merge",
    patch: { metadata: { uid, resourceVersion, ...change } },
  });
  if (isNotFound(error)) return latest;
  if (error !== undefined) throw error;
  return object as ApiObject;
}
