/**
 * Namespace: what is deleted loses its content, kind by kind, pods first; then its finalizer
 * "kubernetes".
 *
 * Errors  a resource that cannot be deleted stands in the namespace's conditions, and is tried
 *         again
 * Source  pkg/controller/namespace/deletion/namespaced_resources_deleter.go
 */
import type { Namespace, Pod } from "@nanokube/api/core/v1";
import { type ApiObject, isNotFound, isReason, namespaces } from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import type { Context, Controller } from "../controller.ts";
import { watch } from "../controller.ts";
import { isPodTerminal } from "../pod.ts";
import {
  attempt,
  type DiscoveredResource,
  read,
  type Steps,
  together,
  updateStatus,
} from "../steps.ts";
import { parseTime } from "../time.ts";
import { namespaceConditions } from "./conditions.ts";

const finalizer = "kubernetes";
const finalizerEstimateSeconds = 15;

export function createNamespaceController(): Controller {
  return {
    name: "namespace-controller",
    workers: 10,
    watches: [
      watch(namespaces, (namespace) =>
        namespace.metadata?.deletionTimestamp === undefined ? [] : [namespace.metadata.name ?? ""],
      ),
    ],
    reconcile: reconcileNamespace,
  };
}

export function* reconcileNamespace(name: string, { nowMs }: Context): Steps<number | undefined> {
  // From the server: deleting by an old cache could hit a namespace made anew.
  let namespace = yield* read(namespaces, "", name);
  if (namespace?.metadata?.deletionTimestamp === undefined) return undefined;
  if (namespace.status?.phase !== "Terminating") {
    const status = { ...namespace.status, phase: "Terminating" };
    namespace = yield* updateStatus(namespaces, { ...namespace, status });
  }
  if (!namespace.spec?.finalizers?.length) return undefined;

  const content = yield* deleteContent(namespace, nowMs);
  const conditions = namespaceConditions(namespace.status?.conditions, content, nowMs);
  if (!deepEqual(conditions, namespace.status?.conditions ?? [])) {
    const status = { ...namespace.status, conditions };
    namespace = yield* updateStatus(namespaces, { ...namespace, status });
  }
  const [error] = [content.discoveryError, ...content.errors].filter((e) => e !== undefined);
  if (error !== undefined) throw error;
  if (content.resources.size > 0) return againMs(content.estimateSeconds);
  yield* finalize(namespace);
  return undefined;
}

/**
 * Half of the longest grace period and a second more; looking twice as often as needed costs
 * little.
 */
function againMs(estimateSeconds: number): number {
  return (estimateSeconds / 2 + 1) * 1000;
}

function* finalize(namespace: Namespace): Steps {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((token) => token !== finalizer);
  const { error } = yield* attempt({
    do: "update",
    resource: namespaces,
    object: { ...namespace, spec: { ...namespace.spec, finalizers } } as Namespace,
    subresource: "finalize",
  });
  if (error !== undefined && !isNotFound(error)) throw error;
}

interface Content {
  discoveryError: Error | undefined;
  errors: Error[];
  resources: Map<string, number>;
  finalizers: Map<string, number>;
  estimateSeconds: number;
}

function* deleteContent(namespace: Namespace, nowMs: number): Steps<Content> {
  const found = yield* attempt({ do: "discover" });
  const content: Content = {
    discoveryError: found.error,
    errors: [],
    resources: new Map(),
    finalizers: new Map(),
    estimateSeconds: 0,
  };
  const all = (found.resources ?? []).filter(
    (resource) => resource.namespaced && resource.verbs.includes("delete"),
  );
  const isPods = (r: DiscoveredResource) => r.group === "" && r.plural === "pods";
  // What pods use (secrets, claims, policies) stays until they have ended.
  for (const resource of all.filter(isPods)) yield* deleteAll(resource, namespace, content, nowMs);
  if (content.resources.size > 0) return content;
  const name = namespace.metadata?.name ?? "";
  yield* deleteMany(
    all.filter((r) => !isPods(r)),
    name,
    content,
  );
  return content;
}

/** All kinds at the same time: most are empty, and each costs two requests. */
function* deleteMany(
  resources: readonly DiscoveredResource[],
  namespace: string,
  content: Content,
): Steps {
  const collected = yield* together(
    resources
      .filter((resource) => resource.verbs.includes("deletecollection"))
      .map((resource) => ({ do: "deleteCollection" as const, resource, namespace })),
  );
  for (const { error } of collected) {
    if (error !== undefined && !isUnsupported(error)) content.errors.push(error);
  }
  for (const resource of resources.filter((r) => !r.verbs.includes("deletecollection"))) {
    yield* deleteEach(resource, namespace, content);
  }
  const listable = resources.filter((resource) => resource.verbs.includes("list"));
  const left = yield* together(
    listable.map((resource) => ({ do: "list" as const, resource, namespace })),
  );
  for (const [index, { items = [], error }] of left.entries()) {
    if (error !== undefined && !isUnsupported(error)) content.errors.push(error);
    count(listable[index]!, items, content, 0);
  }
}

function* deleteAll(
  resource: DiscoveredResource,
  namespace: Namespace,
  content: Content,
  nowMs: number,
): Steps {
  const name = namespace.metadata?.name ?? "";
  const before = yield* attempt({ do: "list", resource, namespace: name });
  const elapsedSeconds = (nowMs - parseTime(namespace.metadata?.deletionTimestamp)) / 1000;
  const grace = graceSeconds((before.items ?? []) as Pod[]);
  const { error } = yield* attempt({ do: "deleteCollection", resource, namespace: name });
  if (error !== undefined && !isUnsupported(error)) content.errors.push(error);
  const left = yield* attempt({ do: "list", resource, namespace: name });
  if (left.error !== undefined) content.errors.push(left.error);
  count(resource, left.items ?? [], content, elapsedSeconds >= grace ? 0 : grace);
}

function* deleteEach(resource: DiscoveredResource, namespace: string, content: Content): Steps {
  const { items = [] } = yield* attempt({ do: "list", resource, namespace });
  const outcomes = yield* together(
    items.map((item) => ({
      do: "delete" as const,
      resource,
      namespace,
      name: item.metadata?.name ?? "",
      propagationPolicy: "Background" as const,
    })),
  );
  for (const { error } of outcomes) {
    if (error !== undefined && !isUnsupported(error)) content.errors.push(error);
  }
}

function count(
  resource: DiscoveredResource,
  items: readonly ApiObject[],
  content: Content,
  estimateSeconds: number,
): void {
  if (items.length === 0) return;
  content.resources.set(`${resource.plural}.${resource.group}`, items.length);
  for (const token of items.flatMap((item) => item.metadata?.finalizers ?? [])) {
    content.finalizers.set(token, (content.finalizers.get(token) ?? 0) + 1);
  }
  const seconds = estimateSeconds || (content.finalizers.size > 0 ? finalizerEstimateSeconds : 0);
  content.estimateSeconds = Math.max(content.estimateSeconds, seconds);
}

function graceSeconds(pods: readonly Pod[]): number {
  return Math.max(
    0,
    ...pods
      .filter((pod) => !isPodTerminal(pod))
      .map((pod) => pod.spec?.terminationGracePeriodSeconds ?? 0),
  );
}

/** The kind went, or cannot be listed or deleted: nothing of it is in the way. */
function isUnsupported(error: Error): boolean {
  return isReason(error, "NotFound", "MethodNotAllowed");
}
