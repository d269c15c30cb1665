/**
 * metadata.managedFields read and written: who owns which paths, since when, in which version.
 *
 * A manager is identified by name, operation, subresource and, for updates, version; the
 * identifier is a JSON text.
 *
 * Source  k8s.io/apimachinery/pkg/util/managedfields/internal/managedfields.go, capmanagers.go,
 *         stripmeta.go
 */
import { parseTime } from "../codec/times.ts";
import type { ManagedFieldsEntry } from "../object.ts";
import { FieldSet, type FieldsV1 } from "./fields-v1.ts";

export interface Manager {
  set: FieldSet;
  apiVersion: string;
  applied: boolean;
  time: string | undefined;
}

export type Managers = Map<string, Manager>;

export interface ManagerIdentity {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  subresource?: string;
}

export function managerIdentifier(identity: ManagerIdentity): string {
  const { manager, operation, apiVersion, subresource } = identity;
  return JSON.stringify({
    ...(manager ? { manager } : {}),
    ...(operation ? { operation } : {}),
    ...(apiVersion && operation !== "Apply" ? { apiVersion } : {}),
    ...(subresource ? { subresource } : {}),
  });
}

/** @throws Error when an entry is malformed */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers: Managers = new Map();
  for (const [i, entry] of (entries ?? []).entries()) {
    if (entry.operation !== "Apply" && entry.operation !== "Update") {
      throw new Error("operation must be `Apply` or `Update`");
    }
    if (!entry.apiVersion) throw new Error("apiVersion must not be empty");
    if (!entry.fieldsType) throw new Error(`missing fieldsType in managed fields entry ${i}`);
    if (entry.fieldsType !== "FieldsV1") {
      const type = JSON.stringify(entry.fieldsType);
      throw new Error(`invalid fieldsType ${type} in managed fields entry ${i}`);
    }
    managers.set(managerIdentifier(entry), {
      set: FieldSet.fromFieldsV1(entry.fieldsV1 ?? {}),
      apiVersion: entry.apiVersion,
      applied: entry.operation === "Apply",
      time: entry.time,
    });
  }
  return managers;
}

/** undefined when nobody owns anything. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  const entries = [...managers].map(([identifier, manager]) => {
    const identity = JSON.parse(identifier) as ManagerIdentity;
    const operation = manager.applied ? "Apply" : (identity.operation ?? "Update");
    return entryOf({ ...identity, operation }, manager, manager.set.toFieldsV1());
  });
  return entries.sort(compareEntries);
}

export function entryOf(
  { manager, operation, subresource }: ManagerIdentity & { operation: string },
  { apiVersion, time }: Pick<Manager, "apiVersion" | "time">,
  fieldsV1: FieldsV1,
): ManagedFieldsEntry {
  return {
    ...(manager ? { manager } : {}),
    operation,
    apiVersion,
    ...(time ? { time } : {}),
    fieldsType: "FieldsV1",
    fieldsV1,
    ...(subresource ? { subresource } : {}),
  };
}

const epochSeconds = (time: string | undefined): number =>
  Math.floor((parseTime(time) ?? 0) / 1000);

const compareTexts = (a = "", b = ""): number => (a < b ? -1 : a > b ? 1 : 0);

function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    compareTexts(a.operation, b.operation) ||
    epochSeconds(a.time) - epochSeconds(b.time) ||
    compareTexts(a.manager, b.manager) ||
    compareTexts(a.apiVersion, b.apiVersion) ||
    compareTexts(a.subresource, b.subresource)
  );
}

/** Paths nobody can own: identity, and what the server sets. */
export const unowned = FieldSet.ofFields([
  ["apiVersion"],
  ["kind"],
  ["metadata"],
  ["metadata", "name"],
  ["metadata", "namespace"],
  ["metadata", "creationTimestamp"],
  ["metadata", "selfLink"],
  ["metadata", "uid"],
  ["metadata", "clusterName"],
  ["metadata", "generation"],
  ["metadata", "managedFields"],
  ["metadata", "resourceVersion"],
]);

export function stripUnowned(managers: Managers, identifier: string): void {
  const manager = managers.get(identifier);
  if (manager === undefined) return;
  const set = manager.set.difference(unowned);
  if (set.isEmpty()) managers.delete(identifier);
  else managers.set(identifier, { ...manager, set });
}

const maxUpdateManagers = 10;

/** More than ten updaters: the oldest become one, "ancient-changes", a version. */
export function capUpdateManagers(managers: Managers): void {
  const updaters = [...managers].filter(([, manager]) => !manager.applied);
  let excess = updaters.length - maxUpdateManagers;
  if (excess <= 0) return;
  updaters.sort(
    ([aId, a], [bId, b]) => epochSeconds(a.time) - epochSeconds(b.time) || compareTexts(aId, bId),
  );
  const firstOfVersion = new Map<string, string>();
  for (const [identifier, manager] of updaters) {
    if (excess <= 0) return;
    const { apiVersion } = manager;
    const bucket = managerIdentifier({
      manager: "ancient-changes",
      operation: "Update",
      apiVersion,
    });
    const first = firstOfVersion.get(apiVersion);
    if (first === undefined) {
      firstOfVersion.set(apiVersion, identifier);
      continue;
    }
    let old = managers.get(bucket);
    if (old === undefined) {
      old = managers.get(first)!;
      managers.delete(first);
    }
    managers.delete(identifier);
    managers.set(bucket, { ...manager, set: manager.set.union(old.set) });
    excess--;
  }
}
