/**
 * ResourceSlice: the devices that one driver has on a node, or for several.
 *
 * Source  pkg/registry/resource/resourceslice/strategy.go, pkg/apis/resource/validation/validation.go
 */
import type {
  CounterSet,
  Device,
  ResourcePool,
  ResourceSlice,
  ResourceSliceSpec,
} from "@nanokube/api/resource/v1";
import { quoteGo } from "@nanokube/machinery";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { validateNodeSelector } from "../core/pod/affinity.ts";
import { check, type FieldError, type FieldPath, field, invalid, required } from "../field.ts";
import { kind } from "../generic.ts";
import { dns1123Subdomain } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import { age, columns, nameOf } from "../table.ts";
import { validateSet } from "./collections.ts";
import { validateCounterSetName, validateCounters, validateDevice } from "./device.ts";
import { validateDriverName, validatePoolName } from "./names.ts";

const devicesMax = 128;
/** When any of them is tainted, draws on counters or has lists as attributes. */
const richDevicesMax = 64;
const counterSetsMax = 8;

function validatePool(pool: ResourcePool, path: FieldPath): FieldError[] {
  const { name = "", resourceSliceCount = 0, generation = 0 } = pool;
  const errors = validatePoolName(name, path.child("name"));
  if (resourceSliceCount <= 0) {
    const at = path.child("resourceSliceCount");
    errors.push(invalid(at, resourceSliceCount, "must be greater than zero"));
  }
  if (generation < 0) {
    const why = "must be greater than or equal to zero";
    errors.push(invalid(path.child("generation"), generation, why));
  }
  return errors;
}

function validateTrueOrUnset(value: boolean, path: FieldPath): FieldError[] {
  return value ? [] : [invalid(path, value, "must be either unset or set to true")];
}

/** Which nodes reach these devices: said in exactly one of four ways. */
function validateNodes(spec: ResourceSliceSpec, path: FieldPath): FieldError[] {
  const { nodeName, nodeSelector } = spec;
  const given: string[] = [];
  const errors: FieldError[] = [];
  if (nodeName !== undefined) {
    const at = path.child("nodeName");
    if (nodeName === "") {
      errors.push(invalid(at, nodeName, "must be either unset or set to a non-empty string"));
    } else {
      given.push("`nodeName`");
      errors.push(...check(at, nodeName, dns1123Subdomain));
    }
  }
  if (nodeSelector !== undefined) {
    const at = path.child("nodeSelector");
    given.push("`nodeSelector`");
    errors.push(...validateNodeSelector(nodeSelector, at));
    const terms = nodeSelector.nodeSelectorTerms;
    if (terms?.length !== 1) {
      const why = "must have exactly one node selector term";
      errors.push(invalid(at.child("nodeSelectorTerms"), terms ?? null, why));
    }
  }
  for (const key of ["allNodes", "perDeviceNodeSelection"] as const) {
    const value = spec[key];
    if (value === undefined) continue;
    if (value) given.push(`\`${key}\``);
    errors.push(...validateTrueOrUnset(value, path.child(key)));
  }
  const why =
    "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  if (given.length === 0) errors.push(required(path, why));
  else if (given.length > 1) {
    const both = `${why}, but multiple fields are set`;
    errors.push(invalid(path, `{${given.join(", ")}}`, both));
  }
  return errors;
}

const isRich = ({ taints, consumesCounters, attributes }: Device): boolean =>
  (taints ?? []).length > 0 ||
  (consumesCounters ?? []).length > 0 ||
  Object.values(attributes ?? {}).some(
    ({ bools, ints, strings, versions }) => (bools ?? ints ?? strings ?? versions) !== undefined,
  );

function validateCounterSet({ name, counters }: CounterSet, path: FieldPath): FieldError[] {
  return [
    ...validateCounterSetName(name, path.child("name")),
    ...validateCounters(counters, path.child("counters")),
  ];
}

function validateKept(spec: ResourceSliceSpec, old: ResourceSliceSpec, path: FieldPath) {
  return [
    ...validateImmutable(spec.pool?.name ?? "", old.pool?.name ?? "", path.child("pool", "name")),
    ...validateImmutable(spec.driver ?? "", old.driver ?? "", path.child("driver")),
    ...validateImmutable(spec.nodeName, old.nodeName, path.child("nodeName")),
  ];
}

function validateSpec({ spec = {} }: ResourceSlice, old?: ResourceSlice): FieldError[] {
  const path = field("spec");
  const { driver = "", pool = {}, devices, sharedCounters } = spec;
  const errors = [
    ...validateDriverName(driver, path.child("driver")),
    ...validatePool(pool, path.child("pool")),
    ...(old === undefined ? [] : validateKept(spec, old.spec ?? {}, path)),
    ...validateNodes(spec, path),
  ];
  if (sharedCounters !== undefined && devices !== undefined) {
    errors.push(invalid(path, "", "only one of `sharedCounters` or `devices` is allowed"));
  }
  const perDeviceNodeSelection = spec.perDeviceNodeSelection === true;
  return [
    ...errors,
    ...validateSet(devices, {
      max: devices?.some(isRich) ? richDevicesMax : devicesMax,
      path: path.child("devices"),
      keyOf: (device) => device.name ?? "",
      validate(device, at) {
        const before = old?.spec?.devices?.find(({ name }) => name === device.name);
        return validateDevice(device, at, { old: before, perDeviceNodeSelection });
      },
    }),
    ...validateSet(sharedCounters, {
      max: counterSetsMax,
      path: path.child("sharedCounters"),
      keyOf: (set) => set.name ?? "",
      validate: validateCounterSet,
    }),
  ];
}

export const resourceSliceStrategy: ResourceStrategy = kind(
  { generation: ["spec"] },
  {
    prepareForCreate(object, { now }) {
      stampTaints(object as ResourceSlice, now);
    },
    prepareForUpdate(object, _old, { now }) {
      stampTaints(object as ResourceSlice, now);
    },
    validate: (object) => validateSpec(object as ResourceSlice),
    validateUpdate: (object, old) => validateSpec(object as ResourceSlice, old as ResourceSlice),
    warnings(object) {
      const driver = (object as ResourceSlice).spec?.driver ?? "";
      if (driver === driver.toLowerCase()) return [];
      const why = "contains uppercase characters";
      return [`spec.driver: driver names should be lowercase; ${quoteGo(driver)} ${why}`];
    },
    unknownField: (name, apiVersion) =>
      `field label not supported for ${apiVersion}, Kind=ResourceSlice: ${name}`,
    selectableFields(object) {
      const { spec } = object as ResourceSlice;
      return { "spec.nodeName": spec?.nodeName ?? "", "spec.driver": spec?.driver ?? "" };
    },
    columns: columns("Name, Node, Driver, Pool, Age"),
    row(object, now) {
      const { spec } = object as ResourceSlice;
      return [
        nameOf(object),
        spec?.nodeName ?? "",
        spec?.driver ?? "",
        spec?.pool?.name ?? "",
        age(object, now),
      ];
    },
  },
);

/** Upstream's default, which needs a clock. */
function stampTaints({ spec }: ResourceSlice, now: number): void {
  const time = new Date(Math.floor(now / 1000) * 1000).toISOString().replace(".000Z", "Z");
  for (const device of spec?.devices ?? []) {
    for (const taint of device.taints ?? []) taint.timeAdded ??= time;
  }
}
