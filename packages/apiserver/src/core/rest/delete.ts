/**
 * DELETE: at once, or marked and left to finalizers, the garbage collector or the kubelet.
 *
 * @hop apiserver.delete: an object is marked for deletion or removed
 * Source  staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go (BeforeDelete),
 *         pkg/registry/generic/registry/store.go (Delete)
 */
import { conflict, type KubeObject, notFound } from "@nanokube/machinery";
import type { AdmissionAttributes } from "../admission/plugin.ts";
import type { StoredObject } from "../cache/stored-object.ts";
import { objectKey } from "../storage/keys.ts";
import { KeyChanged } from "../storage/store.ts";
import { negotiateInput } from "../wire/negotiation.ts";
import type { ApiResponse, RestContext } from "./context.ts";
import { groupResourceOf, namespaceOf } from "./context.ts";
import { dropNulls } from "./defaults.ts";
import { decodeDeleteOptions, decodeOptionsText } from "./delete-options.ts";
import { formatTime, metadataOf } from "./object-meta.ts";
import { type DeleteOptions, parseDeleteOptions } from "./options.ts";
import { readOne, readTree } from "./reading.ts";
import { respondWithTree } from "./respond.ts";

const foreground = "foregroundDeletion";
const orphan = "orphan";

export async function remove(context: RestContext): Promise<ApiResponse> {
  const options = await readDeleteOptions(context);
  const outcome = await deleteObject(context, context.info.name, options);
  const accepted = !outcome.deleted && options.orphanDependents === false;
  return deletionResponse(context, accepted ? 202 : 200, outcome);
}

export interface DeletionOutcome {
  /** The object as it was last. */
  object: KubeObject;
  deleted: boolean;
  /** The store has agreed: the object is gone, or says now that it is being deleted. */
  isWritten?: boolean;
}

/** Some kinds' deletion is answered with the object itself; the others get a Status. */
function deletionResponse(
  context: RestContext,
  status: number,
  { object, deleted }: DeletionOutcome,
): ApiResponse {
  // Namespaces are answered so too, though upstream's OpenAPI does not tell.
  const whole = context.resource.info.returnsDeleted || isNamespace(context);
  if (whole || (!deleted && context.resource.custom !== undefined)) {
    return respondWithTree(context, status, object);
  }
  if (!deleted && (object.metadata?.finalizers ?? []).length > 0) {
    return respondWithTree(context, status, object);
  }
  const gr = groupResourceOf(context);
  const details: Record<string, unknown> = { name: object.metadata?.name ?? "" };
  if (gr.group !== "") details.group = gr.group;
  details.kind = gr.resource;
  details.uid = object.metadata?.uid ?? "";
  const answer = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
  const plain = { ...context, output: { ...context.output, as: "" as const } };
  return respondWithTree(plain, status, answer, "io.k8s.apimachinery.pkg.apis.meta.v1.Status");
}

export async function readDeleteOptions(context: RestContext): Promise<DeleteOptions> {
  const options = await readGivenOptions(context);
  const { deleteWarning } = context.resource.strategy;
  const isSilent =
    options.propagationPolicy === undefined && options.orphanDependents === undefined;
  if (deleteWarning !== undefined && isSilent) context.warnings.add(deleteWarning);
  return options;
}

async function readGivenOptions(context: RestContext): Promise<DeleteOptions> {
  const body = await context.request.body();
  if (body.length === 0) return parseDeleteOptions(context.request.query, undefined);
  const format = negotiateInput(context.request.headers["content-type"], false);
  if (format === "protobuf") {
    return parseDeleteOptions(context.request.query, decodeDeleteOptions(body));
  }
  return parseDeleteOptions(
    context.request.query,
    decodeOptionsText(new TextDecoder().decode(body), format),
  );
}

export async function deleteObject(
  context: RestContext,
  name: string,
  options: DeleteOptions,
): Promise<DeletionOutcome> {
  const { resource, server } = context;
  const key = objectKey(resource.info.namespaced, namespaceOf(context), name);
  // The cache may be behind. The store notices where something is written; what was decided
  // without a write holds only when etcd has the same version.
  let current = options.dryRun ? undefined : resource.cache.get(key);
  let isFresh = false;
  for (;;) {
    if (current === undefined && !isFresh) {
      current = await server.store.read(resource.cache, key);
      isFresh = true;
    }
    if (current === undefined) throw notFound(groupResourceOf(context), name);
    const attempt = await deleteOnce(context, current, options).catch(failed);
    if (!("error" in attempt) && (isFresh || attempt.isWritten === true)) return attempt;
    if ("error" in attempt && attempt.error instanceof KeyChanged) {
      current = attempt.error.current;
    } else {
      const newest = isFresh ? current : await server.store.read(resource.cache, key);
      if (newest?.revision === current.revision) {
        if ("error" in attempt) throw attempt.error;
        return attempt;
      }
      current = newest;
    }
    isFresh = true;
  }
}

const failed = (error: unknown): { error: unknown } => ({ error });

async function deleteOnce(
  context: RestContext,
  stored: StoredObject,
  options: DeleteOptions,
): Promise<DeletionOutcome> {
  const { resource, server } = context;
  const shown = await readOne(resource, stored);
  const object = resource.fromStorage(shown.tree());
  dropNulls(resource, object);
  checkPreconditions(context, object, options);
  const attributes = deleteAttributes(context, object, options);
  await server.admission.admit(attributes);
  await server.admission.validate(attributes);
  if (isNamespace(context)) return deleteNamespace(context, stored, object, options);
  const isFirst = !object.metadata?.deletionTimestamp;
  if (isFirst) server.hooksFor(resource).beginDelete?.(object);
  // A hook that has marked it means: written, and that is all for now.
  const isMarked = isFirst && object.metadata?.deletionTimestamp !== undefined;
  const plan = isMarked ? "write" : planDeletion(context, object, options);
  if (plan === "pending") return { object: resource.fromStorage(shown.tree()), deleted: false };
  if (plan === "now") return removeNow(context, stored, object, options);
  if (options.dryRun) {
    return { object: await readTree(resource, await resource.toStorage(object)), deleted: false };
  }
  const tree = await resource.toStorage(object);
  const written = await server.store.replace(resource.cache, stored, tree);
  const marked = resource.fromStorage((await readOne(resource, written)).tree());
  // A graceful deletion that needs no waiting was written only to be removed.
  if (plan === "remove after write") return removeNow(context, written, marked, options);
  return { object: marked, deleted: false, isWritten: true };
}

function deleteAttributes(
  context: RestContext,
  oldObject: KubeObject,
  options: DeleteOptions,
): AdmissionAttributes {
  return {
    operation: "DELETE",
    resource: context.resource.info,
    subresource: context.info.subresource,
    namespace: context.info.namespace,
    // A collection has none, also while each of its objects is judged.
    name: context.info.verb === "deletecollection" ? "" : context.info.name,
    user: context.user,
    dryRun: options.dryRun,
    oldObject,
    options: options.object,
    warn: (text) => context.warnings.add(text),
    annotate: context.annotate,
  };
}

async function removeNow(
  context: RestContext,
  stored: StoredObject,
  object: KubeObject,
  options: DeleteOptions,
): Promise<DeletionOutcome> {
  const { resource, server } = context;
  if (options.dryRun) {
    return { object: await readTree(resource, await resource.toStorage(object)), deleted: true };
  }
  const last = await server.store.remove(resource.cache, stored);
  await server.hooksFor(resource).afterDelete?.(object);
  const shown = resource.fromStorage((await readOne(resource, last)).tree());
  return { object: shown, deleted: true, isWritten: true };
}

function checkPreconditions(
  context: RestContext,
  object: KubeObject,
  { preconditions }: DeleteOptions,
): void {
  if (preconditions === undefined) return;
  const { uid, resourceVersion } = preconditions;
  const meta = metadataOf(object);
  const { info } = context.resource;
  const isNamespaces = info.group === "" && info.plural === "namespaces";
  // Only the stores of these two check them themselves.
  const isOwn = isNamespaces || info.plural === "customresourcedefinitions";
  // Events are stored as the core group's, whatever version was asked.
  const group = info.group === "events.k8s.io" ? "" : info.group;
  const gr = { group, resource: isOwn ? info.plural : info.kind };
  if (uid !== undefined && uid !== null && uid !== meta.uid) {
    const found = meta.uid ?? "";
    const why = isOwn
      ? `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${found}`
      : `the UID in the precondition (${uid}) does not match the UID in record (${found}). The object might have been deleted and then recreated`;
    throw conflict(gr, meta.name ?? "", why);
  }
  if (
    resourceVersion !== undefined &&
    resourceVersion !== null &&
    resourceVersion !== meta.resourceVersion
  ) {
    const found = meta.resourceVersion ?? "";
    const why = isOwn
      ? `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${found}`
      : `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${found}). The object might have been modified`;
    throw conflict(gr, meta.name ?? "", why);
  }
}

type DeletionPlan = "now" | "pending" | "write" | "remove after write";

/** Marks `object` when it has to stay for a while; says what to do with it. */
function planDeletion(
  context: RestContext,
  object: KubeObject,
  options: DeleteOptions,
): DeletionPlan {
  const meta = metadataOf(object);
  const nowMs = context.server.clock.now();
  const asked = options.gracePeriodSeconds;
  const grace = graceful(context, object, asked === undefined || asked >= 0 ? asked : 1, nowMs);
  if (grace === "pending") return "pending";
  const finalizers = finalizersFor(context, object, options);
  if (finalizers.length > 0) meta.finalizers = finalizers;
  else delete meta.finalizers;
  if (grace === undefined) {
    if (finalizers.length === 0) return "now";
    markAsDeleting(object, nowMs);
    return "write";
  }
  if (finalizers.length > 0 || grace > 0) return "write";
  return "remove after write";
}

/** Seconds to wait; undefined when the kind does not wait, "pending" when it waits already. */
function graceful(
  context: RestContext,
  object: KubeObject,
  asked: number | undefined,
  nowMs: number,
): number | "pending" | undefined {
  const { strategy } = context.resource;
  if (strategy.gracePeriodSeconds === undefined) return undefined;
  const meta = metadataOf(object);
  if (meta.deletionTimestamp) return shorten(object, asked, nowMs);
  const seconds = strategy.gracePeriodSeconds(object, asked);
  if (seconds === undefined) return undefined;
  meta.deletionTimestamp = formatTime(nowMs + seconds * 1000);
  meta.deletionGracePeriodSeconds = seconds;
  if ((meta.generation ?? 0) > 0) meta.generation = meta.generation! + 1;
  return seconds;
}

/** Being deleted already: a caller can only make it sooner. */
function shorten(
  object: KubeObject,
  asked: number | undefined,
  nowMs: number,
): number | "pending" | undefined {
  const meta = metadataOf(object);
  const current = meta.deletionGracePeriodSeconds ?? 0;
  if (current === 0) return undefined;
  if (asked === undefined || asked >= current) return "pending";
  let seconds = asked;
  let at = Date.parse(meta.deletionTimestamp!) - current * 1000 + asked * 1000;
  if (at < nowMs) {
    at = nowMs;
    if (seconds !== 0) seconds = 1;
  }
  meta.deletionTimestamp = formatTime(at);
  meta.deletionGracePeriodSeconds = seconds;
  return seconds;
}

function markAsDeleting(object: KubeObject, nowMs: number): void {
  const meta = metadataOf(object);
  if (meta.deletionTimestamp === undefined && (meta.generation ?? 0) > 0) {
    meta.generation = meta.generation! + 1;
  }
  if (meta.deletionTimestamp === undefined || Date.parse(meta.deletionTimestamp) > nowMs) {
    meta.deletionTimestamp = formatTime(nowMs);
  }
  meta.deletionGracePeriodSeconds = 0;
}

/** The garbage collector's finalizers as the caller's propagation policy wants them. */
function finalizersFor(context: RestContext, object: KubeObject, options: DeleteOptions): string[] {
  const current = metadataOf(object).finalizers ?? [];
  if (!collectsGarbage(context)) return current;
  const others = current.filter((name) => name !== foreground && name !== orphan);
  const wish = dependents(context, current, options);
  if (wish === "Orphan") others.push(orphan);
  if (wish === "Foreground") others.push(foreground);
  const same = others.length === current.length && others.every((name) => current.includes(name));
  return same ? current : others;
}

/** Events and the like own nothing, and nobody watches them for their finalizers. */
function collectsGarbage(context: RestContext): boolean {
  return context.resource.info.plural !== "events";
}

function dependents(
  context: RestContext,
  finalizers: readonly string[],
  options: DeleteOptions,
): string {
  if (options.orphanDependents !== undefined) {
    return options.orphanDependents ? "Orphan" : "Background";
  }
  if (options.propagationPolicy !== undefined) return options.propagationPolicy;
  for (const name of finalizers) {
    if (name === orphan) return "Orphan";
    if (name === foreground) return "Foreground";
  }
  return context.resource.strategy.defaultPropagation === "Orphan" ? "Orphan" : "Background";
}

function isNamespace({ info }: RestContext): boolean {
  return info.apiGroup === "" && info.resource === "namespaces";
}

/** A namespace turns Terminating first; it goes when nothing holds it any more. */
async function deleteNamespace(
  context: RestContext,
  stored: StoredObject,
  object: KubeObject,
  options: DeleteOptions,
): Promise<DeletionOutcome> {
  const { resource, server } = context;
  const meta = metadataOf(object);
  const spec = (object.spec ?? {}) as { finalizers?: string[] };
  if (meta.deletionTimestamp === undefined) {
    meta.deletionTimestamp = formatTime(server.clock.now());
    object.status = { ...((object.status as object | undefined) ?? {}), phase: "Terminating" };
    const wish = dependents(context, meta.finalizers ?? [], options);
    const others = (meta.finalizers ?? []).filter((name) => name !== orphan && name !== foreground);
    if (wish === "Orphan") others.push(orphan);
    if (wish === "Foreground") others.push(foreground);
    if (others.length > 0) meta.finalizers = others;
    else delete meta.finalizers;
    if (options.dryRun) {
      return { object: await readTree(resource, await resource.toStorage(object)), deleted: false };
    }
    const tree = await resource.toStorage(object);
    const written = await server.store.replace(resource.cache, stored, tree);
    return { object: resource.fromStorage(written.tree()), deleted: false, isWritten: true };
  }
  const held = (spec.finalizers ?? []).length > 0 || (meta.finalizers ?? []).length > 0;
  if (held) return { object: resource.fromStorage(stored.tree()), deleted: false };
  return removeNow(context, stored, object, options);
}
