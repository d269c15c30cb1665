/**
 * ResourceQuota: a namespace may not use more than its quotas allow.
 *
 * Used is what the store holds and what was let in but is not in the store's cache yet, so that two
 * requests at the same time cannot both have the last of it.
 *
 * Source  apiserver pkg/admission/plugin/resourcequota/controller.go CheckRequest
 * Not     upstream takes `used` from the quota's status, written by the quota controller and by
 *         admission; here status is the controller's alone
 */
import type { PersistentVolumeClaim, Pod, ResourceQuota } from "@nanokube/api/core/v1";
import { type Clock, type KubeObject, parseQuantity } from "@nanokube/machinery";
import type { AdmissionAttributes, AdmissionPlugin, AdmissionReader } from "../plugin.ts";
import { refuse } from "../refuse.ts";
import { isInScope } from "./scopes.ts";
import {
  add,
  concerns,
  increase,
  missingResources,
  type Usage,
  usageOf,
  usageText,
} from "./usage.ts";

/** An admitted object that does not show up by then was not stored after all. */
const reservationMs = 5000;

interface Reservation {
  uid: string;
  object: KubeObject;
  expires: number;
}

const notCounted = new Set([
  "/bindings",
  "/events",
  "events.k8s.io/events",
  "authorization.k8s.io/localsubjectaccessreviews",
]);

function claimGrows({ object, oldObject }: AdmissionAttributes): boolean {
  const allocated = (claim: KubeObject | undefined) =>
    String((claim as PersistentVolumeClaim | undefined)?.status?.allocatedResources?.storage ?? "");
  return allocated(object) !== allocated(oldObject);
}

function handles(attributes: AdmissionAttributes): boolean {
  const { operation, resource, subresource, namespace } = attributes;
  const key = `${resource.group}/${resource.plural}`;
  if (namespace === "" || key === "/namespaces" || notCounted.has(key)) return false;
  const [creates, updates] = [operation === "CREATE", operation === "UPDATE"];
  switch (key) {
    case "/pods": {
      if (subresource === "resize") return updates;
      const deadline = (pod: KubeObject | undefined) =>
        ((pod as Pod | undefined)?.spec?.activeDeadlineSeconds ?? -1) >= 0;
      if (subresource !== "") return false;
      const moved = () => deadline(attributes.object) !== deadline(attributes.oldObject);
      return creates || (updates && moved());
    }
    case "/services":
      return subresource === "" && (creates || updates);
    case "/persistentvolumeclaims":
      if (subresource === "status") return updates && claimGrows(attributes);
      return subresource === "" && (creates || updates);
  }
  return subresource === "" && creates;
}

interface Ask {
  attributes: AdmissionAttributes;
  object: KubeObject;
  now: number;
  /** Objects that count besides those in the store. */
  reserved: readonly Reservation[];
}

function usedOf(
  quota: ResourceQuota,
  stored: readonly KubeObject[],
  { attributes, now, reserved }: Ask,
): Usage {
  const { group, plural } = attributes.resource;
  const uids = new Set(stored.map((object) => object.metadata?.uid));
  const more = reserved.filter(({ uid }) => !uids.has(uid)).map(({ object }) => object);
  const used: Usage = {};
  for (const object of [...stored, ...more]) {
    if (isInScope(quota, plural, object)) add(used, usageOf(group, plural, object, now));
  }
  return used;
}

function risen(quota: ResourceQuota, { attributes, object, now }: Ask): Usage {
  const { operation, oldObject, resource } = attributes;
  const { group, plural } = resource;
  const after = usageOf(group, plural, object, now);
  const counts = operation === "UPDATE" && oldObject && isInScope(quota, plural, oldObject);
  return increase(after, counts ? usageOf(group, plural, oldObject, now) : {});
}

function pick<T>(from: Readonly<Record<string, T>>, names: readonly string[], otherwise: T) {
  return Object.fromEntries(names.map((name) => [name, from[name] ?? otherwise]));
}

function check(quota: ResourceQuota, stored: readonly KubeObject[], ask: Ask): boolean {
  const { attributes, object } = ask;
  const { group, plural } = attributes.resource;
  const hard = (quota.spec?.hard ?? {}) as Record<string, string>;
  const names = Object.keys(hard).filter((name) => concerns(name, group, plural));
  if (names.length === 0 || !isInScope(quota, plural, object)) return false;
  const name = quota.metadata?.name ?? "";
  if (group === "" && plural === "pods") {
    const missing = missingResources(object as Pod, names);
    if (missing !== undefined) throw refuse(attributes, `failed quota: ${name}: ${missing}`);
  }
  const requested = risen(quota, ask);
  const wanted = names.filter((each) => requested[each] !== undefined);
  if (wanted.length === 0) return false;
  if (attributes.subresource === "status") return true;
  const zero = parseQuantity("0");
  const used = usedOf(quota, stored, ask);
  const limits: Usage = Object.fromEntries(
    names.map((each) => [each, parseQuantity(hard[each] ?? "0")]),
  );
  const exceeded = wanted.filter(
    (each) => (used[each] ?? zero).add(requested[each] ?? zero).cmp(limits[each] ?? zero) > 0,
  );
  if (exceeded.length === 0) return true;
  const texts = [requested, used, limits].map((usage) => usageText(pick(usage, exceeded, zero)));
  const why = `requested: ${texts[0]}, used: ${texts[1]}, limited: ${texts[2]}`;
  throw refuse(attributes, `exceeded quota: ${name}, ${why}`);
}

export function createResourceQuota(clock: Clock): AdmissionPlugin {
  const reservations = new Map<string, Reservation[]>();

  function reservedIn(key: string, now: number): Reservation[] {
    const left = (reservations.get(key) ?? []).filter(({ expires }) => expires > now);
    if (left.length === 0) reservations.delete(key);
    else reservations.set(key, left);
    return left;
  }

  async function validate(attributes: AdmissionAttributes, reader: AdmissionReader) {
    const { resource, namespace, object, dryRun } = attributes;
    if (object === undefined) return;
    const quotas = await reader.list("", "resourcequotas", namespace);
    if (quotas.length === 0) return;
    const stored = await reader.list(resource.group, resource.plural, namespace);
    // No await from here to the end: what is free now is taken now.
    const key = `${resource.group}/${resource.plural}/${namespace}`;
    const now = clock.now();
    const reserved = reservedIn(key, now);
    const ask = { attributes, object, now, reserved };
    const isCharged = quotas.map((quota) => check(quota, stored, ask)).some(Boolean);
    const uid = object.metadata?.uid;
    if (!isCharged || dryRun || attributes.operation !== "CREATE" || uid === undefined) return;
    reservations.set(key, [...reserved, { uid, object, expires: now + reservationMs }]);
  }

  return { name: "ResourceQuota", handles, validate };
}
