/**
 * A strategy for a version of another shape: what the kind does, it does to its newer form.
 *
 * Source  pkg/apis/resource/v1beta1/{conversion,defaults}.go; upstream's strategies see the
 *         internal version only
 */
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceStrategy } from "../strategy.ts";
import { deviceKind, oldDeviceVersion } from "./device.ts";

const newVersion = "resource.k8s.io/v1";

/** Metadata is the same in both: who holds on to it sees what is done to it. */
function toNew({ metadata, ...rest }: KubeObject): KubeObject {
  const copy = structuredClone(rest) as KubeObject;
  return deviceKind(metadata === undefined ? copy : { ...copy, metadata }, newVersion);
}

export function inOldForm(strategy: ResourceStrategy, apiVersion: string): ResourceStrategy {
  if (apiVersion !== oldDeviceVersion) return strategy;
  /** Changes the newer form, and the object with it. */
  const through = (object: KubeObject, change: (newer: KubeObject) => void): void => {
    const newer = toNew(object);
    change(newer);
    const changed = deviceKind(newer, apiVersion);
    for (const name of Object.keys(object)) delete object[name];
    Object.assign(object, changed);
  };
  const old: ResourceStrategy = {
    ...strategy,
    prepareForCreate: (object, context) =>
      through(object, (newer) => strategy.prepareForCreate?.(newer, context)),
    prepareForUpdate: (object, before, context) =>
      through(object, (newer) => strategy.prepareForUpdate?.(newer, toNew(before), context)),
    validate: (object, context) => strategy.validate?.(toNew(object), context) ?? [],
    validateUpdate: (object, before, context) =>
      strategy.validateUpdate?.(toNew(object), toNew(before), context) ?? [],
    warnings: (object, before) => strategy.warnings?.(toNew(object), before && toNew(before)) ?? [],
  };
  const defaults = strategy.default;
  if (defaults === undefined) return old;
  return {
    ...old,
    default(object) {
      const nameless = requestsOf(object).map(({ deviceClassName }) => !deviceClassName);
      const before = requestsOf(object).map(({ allocationMode, count }) => ({
        allocationMode,
        count,
      }));
      through(object, defaults);
      // Without a class it may be one of alternatives, which has neither.
      for (const [i, request] of requestsOf(object).entries()) {
        if (nameless[i]) restore(request, before[i]!);
      }
    },
  };
}

type Tree = Record<string, unknown>;

function requestsOf({ spec }: KubeObject): Tree[] {
  const claim = spec as { devices?: unknown; spec?: unknown } | undefined;
  const devices = (claim?.devices ?? (claim?.spec as Tree | undefined)?.devices) as
    | { requests?: unknown }
    | undefined;
  return Array.isArray(devices?.requests) ? (devices.requests as Tree[]) : [];
}

function restore(request: Tree, members: Tree): void {
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) delete request[name];
    else request[name] = value;
  }
}
