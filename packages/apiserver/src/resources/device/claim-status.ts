/**
 * status of a ResourceClaim: what is allocated, for whom it is reserved, what the devices say.
 *
 * Source  pkg/apis/resource/validation/validation.go ValidateResourceClaimStatusUpdate,
 *         pkg/registry/resource/resourceclaim/strategy.go dropDeallocatedStatusDevices
 */
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
} from "@nanokube/api/resource/v1";
import { GoText, marshalGo } from "@nanokube/machinery";
import { validateConditions } from "../condition.ts";
import { validateNodeSelector } from "../core/pod/affinity.ts";
import {
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "../field.ts";
import { validateInterfaceAddress } from "../ip.ts";
import { byteLength } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { validateBindingConditions } from "./binding-conditions.ts";
import { validateList, validateSet } from "./collections.ts";
import { validateConfiguration, validateRawObject } from "./configuration.ts";
import {
  adminAccessRefused,
  adminLabel,
  type RequestNames,
  requestNamesOf,
  validateRequestReference,
  validateRequestReferences,
} from "./device-claim.ts";
import {
  validateDriverName,
  validateLabelName,
  validatePoolName,
  validateShareID,
} from "./names.ts";

const reservedMax = 256;
const resultsMax = 32;
/** Those of the claim and those of its classes. */
const configMax = 64;
const conditionsMax = 8;
const addressesMax = 16;

interface DeviceID {
  driver?: string;
  pool?: string;
  device?: string;
  shareID?: string;
}

/** One device, or one share of it. */
const idOf = ({ driver = "", pool = "", device = "", shareID = "" }: DeviceID): string =>
  JSON.stringify([driver, pool, device, shareID]);

const shownID = ({ driver = "", pool = "", device = "", shareID = "" }: DeviceID): GoText =>
  new GoText(marshalGo({ Driver: driver, Pool: pool, Device: device, ShareID: shareID }));

const allocatedIn = ({ status }: ResourceClaim): ReadonlySet<string> =>
  new Set((status?.allocation?.devices?.results ?? []).map(idOf));

/** What a driver said of a device that is given back is forgotten with it. */
export function dropStatusOfDeallocated(claim: ResourceClaim, old: ResourceClaim): void {
  const { status } = claim;
  if (status?.devices === undefined) return;
  const [before, now] = [allocatedIn(old), allocatedIn(claim)];
  const kept = status.devices.filter((one) => !before.has(idOf(one)) || now.has(idOf(one)));
  if (kept.length > 0) status.devices = kept;
  else delete status.devices;
}

function validateConsumer(consumer: ResourceClaimConsumerReference, path: FieldPath): FieldError[] {
  return (["resource", "name", "uid"] as const)
    .filter((key) => !consumer[key])
    .map((key) => required(path.child(key)));
}

function validateResult(
  result: DeviceRequestAllocationResult,
  path: FieldPath,
  names: RequestNames,
): FieldError[] {
  const { request = "", driver = "", pool = "", device = "", shareID } = result;
  return [
    ...validateRequestReference(request, path.child("request"), names),
    ...validateDriverName(driver, path.child("driver")),
    ...validatePoolName(pool, path.child("pool")),
    ...validateLabelName(device, path.child("device")),
    ...validateBindingConditions(result, path),
    ...(shareID === undefined ? [] : validateShareID(shareID, path.child("shareID"))),
  ];
}

function validateAllocatedConfig(
  config: DeviceAllocationConfiguration,
  path: FieldPath,
  names: RequestNames,
): FieldError[] {
  const sources = ["FromClaim", "FromClass"];
  const { source = "" } = config;
  const at = path.child("source");
  const errors = source === "" ? [required(at)] : [];
  if (source !== "" && !sources.includes(source)) errors.push(notSupported(at, source, sources));
  return [
    ...errors,
    ...validateRequestReferences(config.requests, path.child("requests"), names),
    ...validateConfiguration(config, path, false),
  ];
}

function validateAllocation(
  { devices, nodeSelector }: AllocationResult,
  path: FieldPath,
  names: RequestNames,
): FieldError[] {
  const at = path.child("devices");
  return [
    ...validateList(devices?.results, resultsMax, at.child("results"), (result, place) =>
      validateResult(result, place, names),
    ),
    ...validateList(devices?.config, configMax, at.child("config"), (config, place) =>
      validateAllocatedConfig(config, place, names),
    ),
    ...(nodeSelector === undefined
      ? []
      : validateNodeSelector(nodeSelector, path.child("nodeSelector"))),
  ];
}

function validateNetwork(data: NetworkDeviceData | undefined, path: FieldPath): FieldError[] {
  const tooLongAt = (key: "interfaceName" | "hardwareAddress", max: number): FieldError[] =>
    byteLength(data?.[key] ?? "") > max ? [tooLong(path.child(key), "", max)] : [];
  return [
    ...tooLongAt("interfaceName", 256),
    ...tooLongAt("hardwareAddress", 128),
    ...validateSet(data?.ips, {
      max: addressesMax,
      path: path.child("ips"),
      keyOf: String,
      validate: (address, at) => validateInterfaceAddress(at, address),
    }),
  ];
}

function validateDeviceStatus(
  device: AllocatedDeviceStatus,
  path: FieldPath,
  allocated: ReadonlySet<string>,
): FieldError[] {
  const { shareID, data } = device;
  const conditions = device.conditions ?? [];
  const errors = [
    ...validateDriverName(device.driver ?? "", path.child("driver")),
    ...validatePoolName(device.pool ?? "", path.child("pool")),
    ...validateLabelName(device.device ?? "", path.child("device")),
    ...(shareID === undefined ? [] : validateShareID(shareID, path.child("shareID"))),
  ];
  if (!allocated.has(idOf(device))) {
    errors.push(invalid(path, shownID(device), "must be an allocated device in the claim"));
  }
  const at = path.child("conditions");
  if (conditions.length > conditionsMax) errors.push(tooMany(at, conditions.length, conditionsMax));
  errors.push(...validateConditions(conditions, at));
  if (data !== undefined) errors.push(...validateRawObject(data, path.child("data"), false));
  return [...errors, ...validateNetwork(device.networkData, path.child("networkData"))];
}

function validateReserved(claim: ResourceClaim, old: ResourceClaim, path: FieldPath): FieldError[] {
  const { reservedFor = [], allocation } = claim.status ?? {};
  if (reservedFor.length === 0) return [];
  if (allocation === undefined) {
    return [forbidden(path, "may not be specified when `allocated` is not set")];
  }
  if (!claim.metadata?.deletionTimestamp) return [];
  const before = old.status?.reservedFor ?? [];
  const isNew = reservedFor.some((one) => !before.some((other) => semanticEqual(one, other)));
  const why =
    "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
  return isNew ? [forbidden(path, why)] : [];
}

function validateAdminAllocation(
  claim: ResourceClaim,
  old: ResourceClaim,
  labels: Readonly<Record<string, string>>,
): FieldError[] {
  const first = ({ status }: ResourceClaim): number =>
    (status?.allocation?.devices?.results ?? []).findIndex(({ adminAccess }) => adminAccess);
  const index = first(claim);
  if (index < 0 || first(old) >= 0 || labels[adminLabel] === "true") return [];
  const results = field("status", "allocation", "devices", "results");
  return [forbidden(results.index(index).child("adminAccess"), adminAccessRefused)];
}

export function validateClaimStatus(
  claim: ResourceClaim,
  old: ResourceClaim,
  namespaceLabels: Readonly<Record<string, string>> = {},
): FieldError[] {
  const path = field("status");
  const { reservedFor, devices, allocation } = claim.status ?? {};
  const allocated = allocatedIn(claim);
  const errors = [
    ...validateAdminAllocation(claim, old, namespaceLabels),
    ...validateSet(reservedFor, {
      max: reservedMax,
      path: path.child("reservedFor"),
      keyOf: (consumer) => consumer.uid ?? "",
      validate: validateConsumer,
    }),
    ...validateSet(devices, {
      max: -1,
      path: path.child("devices"),
      keyOf: idOf,
      shown: shownID,
      validate: (device, at) => validateDeviceStatus(device, at, allocated),
    }),
    ...validateReserved(claim, old, path.child("reservedFor")),
  ];
  if (allocation === undefined) return errors;
  const at = path.child("allocation");
  const before = old.status?.allocation;
  return before === undefined
    ? [...errors, ...validateAllocation(allocation, at, requestNamesOf(claim.spec?.devices))]
    : [...errors, ...validateImmutable(allocation, before, at)];
}
