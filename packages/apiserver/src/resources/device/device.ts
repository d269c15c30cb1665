/**
 * One device of a ResourceSlice: attributes, capacity, taints, the counters it draws on.
 *
 * Source  pkg/apis/resource/validation/validation.go validateDevice
 */
import type {
  Counter,
  Device,
  DeviceAttribute,
  DeviceCounterConsumption,
  DeviceTaint,
  NodeAllocatableResourceMapping,
} from "@nanokube/api/resource/v1";
import { parseQuantity } from "@nanokube/machinery";
import { validateNodeSelector } from "../core/pod/affinity.ts";
import {
  check,
  type FieldError,
  type FieldPath,
  invalid,
  notFound,
  oneOf,
  required,
  tooLong,
} from "../field.ts";
import { byteLength, dns1123Subdomain, labelValue, qualifiedName } from "../names.ts";
import { isNativeResource } from "../resource-names.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { validateBindingConditions } from "./binding-conditions.ts";
import { validateList, validateMap, validateSet } from "./collections.ts";
import { attributeKeyMax, validateLabelName, validateQualifiedName } from "./names.ts";
import { validateCapacity } from "./request-policy.ts";

const attributesAndCapacitiesMax = 32;
const attributeValuesMax = 48;
const attributeMaxBytes = 64;
const taintsMax = 16;
const consumptionsMax = 2;
const countersMax = 32;

const lists = ["bools", "ints", "strings", "versions"] as const;

function valueCount(attributes: Record<string, DeviceAttribute>): number {
  const counts = Object.values(attributes).map((attribute) =>
    lists.reduce((sum, key) => sum + (attribute[key]?.length ?? 0), 0),
  );
  return counts.reduce((sum, count) => sum + (count || 1), 0);
}

const identifier = "(0|[1-9]\\d*)";
const preRelease = "(0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)";
const build = "[0-9a-zA-Z-]+";
const semver = new RegExp(
  `^${identifier}\\.${identifier}\\.${identifier}` +
    `(-${preRelease}(\\.${preRelease})*)?(\\+${build}(\\.${build})*)?$`,
);

function validateText(text: string, path: FieldPath, isVersion: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (isVersion && !semver.test(text)) {
    const why = "must be a string compatible with semver.org spec 2.0.0";
    errors.push(invalid(path, text, why));
  }
  if (byteLength(text) > attributeMaxBytes) errors.push(tooLong(path, "", attributeMaxBytes));
  return errors;
}

function validateAttribute(attribute: DeviceAttribute, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of ["string", "version"] as const) {
    const text = attribute[key];
    if (text !== undefined) errors.push(...validateText(text, path.child(key), key === "version"));
  }
  for (const key of lists) {
    const list: readonly unknown[] | undefined = attribute[key];
    const at = path.child(key);
    if (list?.length === 0) errors.push(invalid(at, list, "must not be empty if specified"));
    if (key !== "strings" && key !== "versions") continue;
    for (const [i, text] of (attribute[key] ?? []).entries()) {
      errors.push(...validateText(text, at.index(i), key === "versions"));
    }
  }
  const given = Object.values(attribute).filter((value) => value !== undefined && value !== null);
  if (given.length !== 1) {
    const shown = given.length === 0 ? "" : attribute;
    errors.push(invalid(path, shown, "exactly one value must be specified"));
  }
  return errors;
}

export function validateTaint(taint: DeviceTaint, path: FieldPath): FieldError[] {
  const { key = "", value = "", effect = "" } = taint;
  const at = path.child("effect");
  return [
    ...check(path.child("key"), key, qualifiedName),
    ...(value === "" ? [] : check(path.child("value"), value, labelValue)),
    ...(effect === "" ? [required(at)] : oneOf(at, effect, ["NoExecute", "NoSchedule", "None"])),
  ];
}

/** Counters of a set, and those a device takes from it. */
export function validateCounters(
  counters: Record<string, Counter> | undefined,
  path: FieldPath,
): FieldError[] {
  if (Object.keys(counters ?? {}).length === 0) return [required(path)];
  return validateMap(counters, {
    max: countersMax,
    path,
    keyMax: 63,
    validateKey: validateLabelName,
    validate: () => [],
  });
}

export function validateCounterSetName(name: string | undefined, path: FieldPath): FieldError[] {
  return name ? validateLabelName(name, path) : [required(path)];
}

function validateConsumption(one: DeviceCounterConsumption, path: FieldPath): FieldError[] {
  return [
    ...validateCounterSetName(one.counterSet, path.child("counterSet")),
    ...validateCounters(one.counters, path.child("counters")),
  ];
}

/** What a device says of its nodes where each says it for itself; and nothing where none does. */
function validateNodes(device: Device, path: FieldPath, isEach: boolean): FieldError[] {
  const { nodeName, nodeSelector, allNodes } = device;
  if (!isEach) {
    if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return [];
    const why =
      "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` " +
      "is set to true in the ResourceSlice spec";
    return [invalid(path, null, why)];
  }
  const given: string[] = [];
  const errors: FieldError[] = [];
  if (nodeName !== undefined) {
    const at = path.child("nodeName");
    if (nodeName === "") errors.push(invalid(at, nodeName, "must not be empty"));
    else {
      given.push("`nodeName`");
      errors.push(...check(at, nodeName, dns1123Subdomain));
    }
  }
  if (nodeSelector !== undefined) {
    given.push("`nodeSelector`");
    errors.push(...validateNodeSelector(nodeSelector, path.child("nodeSelector")));
  }
  if (allNodes === true) given.push("`allNodes`");
  if (allNodes === false) {
    errors.push(invalid(path.child("allNodes"), false, "must be either unset or set to true"));
  }
  const why =
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when " +
    "`perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  if (given.length === 0) errors.push(required(path, why));
  else if (given.length > 1) errors.push(invalid(path, `{${given.join(", ")}}`, why));
  return errors;
}

function validateMapping(
  name: string,
  { allocationMultiplier, capacityKey }: NodeAllocatableResourceMapping,
  capacities: Device["capacity"],
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!isNativeResource(name)) {
    errors.push(invalid(path, name, "must be a node allocatable resource name"));
  }
  if (allocationMultiplier === undefined && capacityKey === undefined) {
    const why = "at least one of allocationMultiplier or capacityKey must be set";
    return [...errors, invalid(path, "", why)];
  }
  if (allocationMultiplier !== undefined) {
    const multiplier = parseQuantity(String(allocationMultiplier));
    if (multiplier.sign() <= 0) {
      const at = path.child("allocationMultiplier");
      errors.push(invalid(at, multiplier.toString(), "must be positive"));
    }
  }
  const at = path.child("capacityKey");
  if (capacityKey === "") {
    errors.push(invalid(at, "", "capacityKey must not be an empty string"));
  } else if (capacityKey !== undefined && !Object.hasOwn(capacities ?? {}, capacityKey)) {
    errors.push(notFound(at, capacityKey));
  }
  return errors;
}

function validateSizes(device: Device, path: FieldPath): FieldError[] {
  const { attributes = {}, capacity = {} } = device;
  const entries = Object.keys(attributes).length + Object.keys(capacity).length;
  const values = valueCount(attributes);
  const errors: FieldError[] = [];
  if (entries > attributesAndCapacitiesMax) {
    const what = "the total number of attributes and capacities must not exceed";
    errors.push(invalid(path, entries, `${what} ${attributesAndCapacitiesMax}`));
  }
  if (values > attributeValuesMax) {
    const what = "the total number of attribute values must not exceed";
    errors.push(invalid(path, values, `${what} ${attributeValuesMax}`));
  }
  return errors;
}

export interface DeviceRules {
  /** The device of this name before. */
  old: Device | undefined;
  perDeviceNodeSelection: boolean;
}

export function validateDevice(device: Device, path: FieldPath, rules: DeviceRules): FieldError[] {
  const { attributes, capacity, taints, consumesCounters } = device;
  const keys = { max: -1, keyMax: attributeKeyMax, validateKey: validateQualifiedName };
  const isShared = device.allowMultipleAllocations === true;
  const mappingsAt = path.child("nodeAllocatableResourceMappings");
  return [
    ...validateLabelName(device.name ?? "", path.child("name")),
    ...validateSizes(device, path),
    ...validateMap(attributes, {
      ...keys,
      path: path.child("attributes"),
      validate: validateAttribute,
    }),
    ...validateMap(capacity, {
      ...keys,
      path: path.child("capacity"),
      validate: (one, at) => validateCapacity(one, at, isShared),
    }),
    ...(rules.old !== undefined && semanticEqual(rules.old.taints, taints)
      ? []
      : validateList(taints, taintsMax, path.child("taints"), validateTaint)),
    ...validateSet(consumesCounters, {
      max: consumptionsMax,
      path: path.child("consumesCounters"),
      keyOf: (one) => one.counterSet ?? "",
      validate: validateConsumption,
    }),
    ...validateNodes(device, path, rules.perDeviceNodeSelection),
    ...validateBindingConditions(device, path),
    ...Object.entries(device.nodeAllocatableResourceMappings ?? {}).flatMap(([name, mapping]) =>
      validateMapping(name, mapping, capacity, mappingsAt.key(name)),
    ),
  ];
}
