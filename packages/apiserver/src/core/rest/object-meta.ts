/**
 * What the server itself writes into metadata, on creation, update and deletion.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/registry/rest/{meta,create,update}.go
 */
import {
  badRequest,
  type Clock,
  type KubeObject,
  type ObjectMeta,
  type Random,
} from "@nanokube/machinery";
import type { RestContext } from "./context.ts";
import { namespaceOf } from "./context.ts";

/** RFC 3339 with whole seconds, as metav1.Time is written. */
export function timestamp(clock: Clock): string {
  return formatTime(clock.now());
}

export function formatTime(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

export function metadataOf(object: KubeObject): ObjectMeta {
  object.metadata ??= {};
  return object.metadata;
}

/** A client cannot set these on creation. */
export function wipeSystemFields(meta: ObjectMeta): void {
  delete meta.creationTimestamp;
  delete meta.uid;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
}

export function fillSystemFields(meta: ObjectMeta, clock: Clock, random: Random): void {
  meta.creationTimestamp = timestamp(clock);
  meta.uid = random.uuid();
}

/** The namespace of the URL is the object's; another one in the body is refused. */
export function ensureNamespace(context: RestContext, object: KubeObject): void {
  const expected = namespaceOf(context);
  const meta = metadataOf(object);
  if (meta.namespace === undefined || meta.namespace === "") {
    if (expected !== "") meta.namespace = expected;
    return;
  }
  if (meta.namespace === expected) return;
  if (expected === "") {
    delete meta.namespace;
    return;
  }
  throw badRequest(
    "the namespace of the provided object does not match the namespace sent on the request",
  );
}

/** The name in the body must be the name in the URL. */
export function ensureName(context: RestContext, object: KubeObject): void {
  const { name: expected, namespace } = context.info;
  const { name, namespace: objectNamespace } = metadataOf(object);
  if (name === undefined || name === "") {
    throw badRequest(
      `the name of the object (${expected} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (name !== expected) {
    throw badRequest(
      `the name of the object (${name}) does not match the name on the URL (${expected})`,
    );
  }
  const wanted = namespaceOf(context);
  if (namespace !== "" && wanted !== "" && objectNamespace && objectNamespace !== namespace) {
    throw badRequest(
      `the namespace of the object (${objectNamespace}) does not match the namespace on the request (${namespace})`,
    );
  }
}

/** What an update cannot change, taken over from the stored object before validation. */
export function keepSystemFields(meta: ObjectMeta, old: ObjectMeta): void {
  if (meta.uid === undefined || meta.uid === "") meta.uid = old.uid;
  if (old.creationTimestamp) meta.creationTimestamp = old.creationTimestamp;
  if (old.deletionTimestamp) meta.deletionTimestamp = old.deletionTimestamp;
  if (
    old.deletionGracePeriodSeconds !== undefined &&
    meta.deletionGracePeriodSeconds === undefined
  ) {
    meta.deletionGracePeriodSeconds = old.deletionGracePeriodSeconds;
  }
  if (meta.uid === undefined) delete meta.uid;
}
