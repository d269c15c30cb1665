/**
 * PUT, and the loop under every change: read, change, check, compare-and-swap, again when someone
 * was faster.
 *
 * The first try starts from the cache, which may be behind: what fails there is tried once more on
 * what etcd holds before the caller hears of it.
 *
 * @hop apiserver.update: a new version of an object is accepted and written
 * Source  staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go (Update),
 *         pkg/storage/etcd3/store.go (GuaranteedUpdate)
 */
import {
  conflict,
  deepClone,
  deepEqual,
  type FieldError,
  forbidden,
  genericStatus,
  invalid,
  invalidValue,
  type KubeObject,
  notFound,
  objectModifiedMessage,
} from "@nanokube/machinery";
import { validateUpdateOfAnyKind } from "../../resources/object-meta.ts";
import type { StoredObject } from "../cache/stored-object.ts";
import { objectKey } from "../storage/keys.ts";
import { KeyChanged } from "../storage/store.ts";
import type { ApiResponse, RestContext } from "./context.ts";
import { groupResourceOf, namespaceOf } from "./context.ts";
import {
  createObject,
  errorKindOf,
  printed,
  strategyContext,
  ttlOf,
  type Written,
} from "./create.ts";
import { decodeBody, expectedOf } from "./decode-body.ts";
import { applyDefaults, dropNulls } from "./defaults.ts";
import { keepTimestamps, trackUpdate } from "./field-managers.ts";
import {
  ensureName,
  ensureNamespace,
  keepSystemFields,
  metadataOf,
  wipeSystemFields,
} from "./object-meta.ts";
import { parseWriteOptions, type WriteOptions } from "./options.ts";
import { readOne, readTree } from "./reading.ts";
import { respondWithStored, respondWithTree } from "./respond.ts";

export async function update(context: RestContext): Promise<ApiResponse> {
  const options = parseWriteOptions(context.request.query, "UpdateOptions");
  const sent = await decodeBody(context, expectedOf(context), options.fieldValidation);
  ensureNamespace(context, sent);
  ensureName(context, sent);
  const change: Change = {
    uid: sent.metadata?.uid || undefined,
    createsWhenAbsent: context.resource.strategy.allowCreateOnUpdate ?? false,
    apply: async (current) => {
      const object = deepClone(sent);
      applyDefaults(context, object);
      await trackUpdate(context, current, object, options);
      return object;
    },
    create: () => deepClone(sent),
  };
  return respond(context, await changeObject(context, change, options));
}

export function respond(
  context: RestContext,
  { written, created }: { written: Written; created: boolean },
): Promise<ApiResponse> | ApiResponse {
  const status = created ? 201 : 200;
  return "tree" in written
    ? respondWithTree(context, status, written.tree)
    : respondWithStored(context, status, written.stored);
}

export interface Change {
  /** The object must have this uid. */
  uid?: string | undefined;
  createsWhenAbsent: boolean;
  /** The new object from the current one, defaulted; called again after a lost race. */
  apply(current: KubeObject): KubeObject | Promise<KubeObject>;
  /** The new object when there is none. */
  create?(): KubeObject | Promise<KubeObject>;
  /** A retry after a lost race makes sense (patches); else a race is a 409. */
  keepsTrying?: boolean;
  /** The change writes managedFields itself. */
  alreadyTracked?: boolean;
  /** The server's own change (a binding): neither admitted nor validated as a user's update is. */
  isOwn?: boolean;
}

export async function changeObject(
  context: RestContext,
  change: Change,
  options: WriteOptions,
): Promise<{ written: Written; created: boolean }> {
  const { resource, server, info } = context;
  const key = objectKey(resource.info.namespaced, namespaceOf(context), info.name);
  let current = resource.cache.get(key);
  let fresh = false;
  for (;;) {
    if (current === undefined && !fresh) {
      current = await server.store.read(resource.cache, key);
      fresh = true;
    }
    if (current === undefined) return createInstead(context, change, options);
    try {
      return { written: await changeOnce(context, current, change, options), created: false };
    } catch (error) {
      if (error instanceof KeyChanged) {
        current = error.current;
        fresh = true;
      } else if (!fresh) {
        const newest = await server.store.read(resource.cache, key);
        fresh = true;
        if (newest?.revision === current.revision) throw error;
        current = newest;
      } else {
        throw error;
      }
    }
  }
}

async function createInstead(
  context: RestContext,
  change: Change,
  options: WriteOptions,
): Promise<{ written: Written; created: boolean }> {
  const { info, server, user } = context;
  if (!change.createsWhenAbsent || change.create === undefined || info.subresource !== "") {
    throw notFound(groupResourceOf(context), info.name);
  }
  const object = await change.create();
  if (change.uid !== undefined) {
    throw conflict(
      groupResourceOf(context),
      info.name,
      preconditionFailed(context, change.uid, ""),
    );
  }
  const decision = await server.authorizer.authorize({
    user,
    verb: "create",
    resourceRequest: true,
    namespace: info.namespace,
    apiGroup: info.apiGroup,
    apiVersion: info.apiVersion,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
    path: info.path,
  });
  if (decision.decision !== "allow") {
    throw forbidden(groupResourceOf(context), info.name, decision.reason);
  }
  const meta = metadataOf(object);
  delete meta.resourceVersion;
  wipeSystemFields(meta);
  ensureNamespace(context, object);
  return {
    written: await createObject(context, object, options, change.alreadyTracked),
    created: true,
  };
}

async function changeOnce(
  context: RestContext,
  stored: StoredObject,
  change: Change,
  options: WriteOptions,
): Promise<Written> {
  const { resource, server, info } = context;
  const old = resource.fromStorage((await readOne(resource, stored)).tree());
  dropNulls(resource, old);
  checkUID(context, old, change.uid);
  const object = await change.apply(old);
  checkVersion(context, object, old);
  const attributes = {
    operation: "UPDATE" as const,
    resource: resource.info,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    user: context.user,
    dryRun: options.dryRun,
    object,
    oldObject: old,
    options: { ...options.object, kind: "UpdateOptions" },
    warn: (text: string) => context.warnings.add(text),
    annotate: context.annotate,
  };
  if (change.isOwn) return storeChange(context, stored, object, old, options);
  await server.admission.admit(attributes);
  const hooks = server.hooksFor(resource);
  const allocation =
    info.subresource === "" ? await hooks.beginUpdate?.(object, old, options.dryRun) : undefined;
  try {
    prepare(context, object, old);
    const refused = await hooks.authorizeUpdate?.(context, object, old);
    validate(context, object, old, refused ?? []);
    await server.admission.validate(attributes);
    const written = await storeChange(context, stored, object, old, options);
    await (options.dryRun ? allocation?.undo() : allocation?.done());
    return written;
  } catch (error) {
    await allocation?.undo();
    throw error;
  }
}

function checkUID(context: RestContext, old: KubeObject, uid: string | undefined): void {
  if (uid === undefined || uid === old.metadata?.uid) return;
  throw conflict(
    groupResourceOf(context),
    context.info.name,
    preconditionFailed(context, uid, old.metadata?.uid ?? ""),
  );
}

/** Upstream's storage error, key and all. */
function preconditionFailed(context: RestContext, wanted: string, found: string): string {
  const { resource, info, server } = context;
  const key =
    server.store.prefix +
    resource.cache.prefix +
    objectKey(resource.info.namespaced, namespaceOf(context), info.name);
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`;
  return `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`;
}

function checkVersion(context: RestContext, object: KubeObject, old: KubeObject): void {
  const meta = metadataOf(object);
  const gr = groupResourceOf(context);
  const version = meta.resourceVersion ?? "";
  if (version === "" || version === "0") {
    if (context.resource.strategy.allowUnconditionalUpdate) {
      meta.resourceVersion = old.metadata!.resourceVersion!;
      return;
    }
    throw invalid({ group: gr.group, kind: gr.resource }, context.info.name, [
      invalidValue("metadata.resourceVersion", 0, "must be specified for an update"),
    ]);
  }
  if (!/^[0-9]+$/.test(version)) {
    const why = `strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`;
    throw genericStatus(500, "", why);
  }
  if (version !== old.metadata?.resourceVersion) {
    throw conflict(gr, context.info.name, objectModifiedMessage);
  }
}

/** Writes of a status and the like are no occasion to warn about the rest. */
const warnsIn: ReadonlySet<string> = new Set(["", "scale"]);

function prepare(context: RestContext, object: KubeObject, old: KubeObject): void {
  const { resource, server } = context;
  const { strategy } = resource;
  const meta = metadataOf(object);
  ensureNamespace(context, object);
  if (old.metadata?.generation === undefined) delete meta.generation;
  else meta.generation = old.metadata.generation;
  const strategyCtx = strategyContext(context);
  if (resource.typeName !== undefined) server.disabledFields.drop(resource.typeName, object, old);
  strategy.prepareForUpdate?.(object, old, strategyCtx);
  keepSystemFields(meta, old.metadata ?? {});
}

function validate(
  context: RestContext,
  object: KubeObject,
  old: KubeObject,
  refused: readonly FieldError[],
): void {
  const { resource } = context;
  const { strategy, info } = resource;
  const meta = metadataOf(object);
  const strategyCtx = strategyContext(context);
  const errors = [
    ...refused,
    ...validateUpdateOfAnyKind(meta, old.metadata ?? {}, info.namespaced),
    ...(strategy.validateUpdate?.(object, old, strategyCtx) ?? []),
  ];
  if (errors.length > 0) {
    throw invalid(errorKindOf(resource), meta.name ?? "", printed(resource, errors));
  }
  if (!warnsIn.has(context.info.subresource)) return;
  for (const warning of strategy.warnings?.(object, old) ?? []) context.warnings.add(warning);
}

async function storeChange(
  context: RestContext,
  stored: StoredObject,
  object: KubeObject,
  old: KubeObject,
  options: WriteOptions,
): Promise<Written> {
  const { resource, server } = context;
  if (deletesNow(object, old)) {
    if (!options.dryRun) {
      await server.store.remove(resource.cache, stored);
      await server.hooksFor(resource).afterDelete?.(old);
    }
    return { tree: await readTree(resource, await resource.toStorage(object)) };
  }
  keepTimestamps(object, old);
  const tree = await resource.toStorage(object);
  const same = resource.custom === undefined ? stored.isSame(tree) : deepEqual(object, old);
  if (same) return { stored };
  if (options.dryRun) return { tree: await readTree(resource, tree) };
  const ttlSeconds = ttlOf(context);
  return {
    stored: await server.store.replace(
      resource.cache,
      stored,
      tree,
      ttlSeconds === undefined ? {} : { ttlSeconds },
    ),
  };
}

/** The last finalizer of a deleted object is gone: the update is its end. */
function deletesNow(object: KubeObject, old: KubeObject): boolean {
  if ((object.metadata?.finalizers ?? []).length > 0) return false;
  if (!old.metadata?.deletionTimestamp) return false;
  if (hasSpecFinalizers(object)) return false;
  return (old.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

/** Namespaces have finalizers in their spec too; only the finalize subresource ends them. */
function hasSpecFinalizers(object: KubeObject): boolean {
  if (object.kind !== "Namespace" || object.apiVersion !== "v1") return false;
  const spec = object.spec as { finalizers?: string[] } | undefined;
  return (spec?.finalizers ?? []).length > 0;
}
