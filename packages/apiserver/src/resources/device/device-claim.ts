/**
 * spec.devices of a claim and of a claim's template: which devices, together how, configured how.
 *
 * Source  pkg/apis/resource/validation/validation.go validateDeviceClaim,
 *         pkg/apis/resource/v1/defaults.go
 */
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  DeviceToleration,
} from "@nanokube/api/resource/v1";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  required,
} from "../field.ts";
import { dns1123Subdomain, labelValue, qualifiedName } from "../names.ts";
import { validateList, validateSet } from "./collections.ts";
import { validateConfiguration } from "./configuration.ts";
import { validateFullyQualifiedName, validateLabelName } from "./names.ts";
import { validateSelectors } from "./selector.ts";

const requestsMax = 32;
const constraintsMax = 32;
const configMax = 32;
const alternativesMax = 8;

export function defaultTolerations(tolerations: readonly DeviceToleration[] | undefined): void {
  for (const toleration of tolerations ?? []) toleration.operator ||= "Equal";
}

function defaultRequest(request: DeviceSubRequest): void {
  request.allocationMode ||= "ExactCount";
  if (request.allocationMode === "ExactCount") request.count ||= 1;
  defaultTolerations(request.tolerations);
}

export function defaultDeviceClaim(claim: DeviceClaim | undefined): void {
  for (const { exactly, firstAvailable } of claim?.requests ?? []) {
    if (exactly !== undefined) defaultRequest(exactly);
    for (const alternative of firstAvailable ?? []) defaultRequest(alternative);
  }
}

/** Requests by name, each with the names of its alternatives. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export function requestNamesOf(claim: DeviceClaim | undefined): RequestNames {
  return new Map(
    (claim?.requests ?? []).map(({ name = "", firstAvailable }) => [
      name,
      new Set((firstAvailable ?? []).map((alternative) => alternative.name ?? "")),
    ]),
  );
}

/** "request" or "request/alternative". */
export function validateRequestReference(
  reference: string,
  path: FieldPath,
  names: RequestNames,
): FieldError[] {
  const segments = reference.split("/");
  const unknown = invalid(
    path,
    reference,
    "must be the name of a request in the claim or the name of a request and a subrequest " +
      "separated by '/'",
  );
  if (segments.length > 2) return [unknown];
  const [request = "", alternative] = segments;
  const errors = segments.flatMap((segment) => validateLabelName(segment, path));
  const alternatives = names.get(request);
  const isKnown =
    alternatives !== undefined && (alternative === undefined || alternatives.has(alternative));
  return isKnown ? errors : [...errors, unknown];
}

export function validateRequestReferences(
  references: readonly string[] | undefined,
  path: FieldPath,
  names: RequestNames,
): FieldError[] {
  return validateSet(references, {
    max: requestsMax,
    path,
    keyOf: String,
    validate: (reference, at) => validateRequestReference(reference, at, names),
  });
}

const effects = ["NoExecute", "NoSchedule", "None"];

export function validateToleration(toleration: DeviceToleration, path: FieldPath): FieldError[] {
  const { key, operator = "", value = "", effect } = toleration;
  const errors = key ? check(path.child("key"), key, qualifiedName) : [];
  const at = path.child("operator");
  if (operator === "Exists") {
    const why = "must be empty for operator `Exists`";
    if (value !== "") errors.push(invalid(path.child("value"), value, why));
  } else if (operator === "Equal") errors.push(...check(path.child("value"), value, labelValue));
  else if (operator === "") errors.push(required(at));
  else errors.push(notSupported(at, operator, ["Equal", "Exists"]));
  if (effect) errors.push(...oneOf(path.child("effect"), effect, effects));
  return errors;
}

function validateCount({ allocationMode = "", count = 0 }: DeviceSubRequest, path: FieldPath) {
  const at = path.child("count");
  if (allocationMode === "All") {
    const why = "must not be specified when allocationMode is 'All'";
    return count === 0 ? [] : [invalid(at, count, why)];
  }
  if (allocationMode === "ExactCount") {
    return count > 0 ? [] : [invalid(at, count, "must be greater than zero")];
  }
  return oneOf(path.child("allocationMode"), allocationMode, ["All", "ExactCount"]);
}

function validateOneRequest(request: DeviceSubRequest, path: FieldPath): FieldError[] {
  const at = path.child("deviceClassName");
  const { deviceClassName = "", tolerations } = request;
  return [
    ...(deviceClassName === "" ? [required(at)] : check(at, deviceClassName, dns1123Subdomain)),
    ...validateSelectors(request.selectors, path.child("selectors")),
    ...validateCount(request, path),
    ...validateList(tolerations, -1, path.child("tolerations"), validateToleration),
  ];
}

function validateRequest(request: DeviceRequest, path: FieldPath): FieldError[] {
  const { name = "", exactly, firstAvailable = [] } = request;
  const errors = validateLabelName(name, path.child("name"));
  const why = "exactly one of `exactly` or `firstAvailable` is required";
  if (exactly !== undefined) {
    if (firstAvailable.length > 0) {
      const both = `${why}, but multiple fields are set`;
      return [...errors, invalid(path, null, both)];
    }
    return [...errors, ...validateOneRequest(exactly, path.child("exactly"))];
  }
  if (firstAvailable.length === 0) return [...errors, required(path, why)];
  return [
    ...errors,
    ...validateSet(firstAvailable, {
      max: alternativesMax,
      path: path.child("firstAvailable"),
      keyOf: (alternative) => alternative.name ?? "",
      validate: (alternative, at) => [
        ...validateLabelName(alternative.name ?? "", at.child("name")),
        ...validateOneRequest(alternative, at),
      ],
    }),
  ];
}

function validateConstraint(
  constraint: DeviceConstraint,
  path: FieldPath,
  names: RequestNames,
): FieldError[] {
  const { requests, matchAttribute, distinctAttribute } = constraint;
  const errors = validateRequestReferences(requests, path.child("requests"), names);
  if (matchAttribute !== undefined) {
    errors.push(...validateFullyQualifiedName(matchAttribute, path.child("matchAttribute")));
  } else if (distinctAttribute !== undefined) {
    errors.push(...validateFullyQualifiedName(distinctAttribute, path.child("distinctAttribute")));
  } else {
    const why =
      'exactly one of "matchAttribute" or "distinctAttribute" is required, ' +
      "but multiple fields are set";
    errors.push(required(path, why));
  }
  return errors;
}

export function validateDeviceClaim(claim: DeviceClaim | undefined, path: FieldPath): FieldError[] {
  const names = requestNamesOf(claim);
  return [
    ...validateSet(claim?.requests, {
      max: requestsMax,
      path: path.child("requests"),
      keyOf: (request) => request.name ?? "",
      validate: validateRequest,
    }),
    ...validateList(claim?.constraints, constraintsMax, path.child("constraints"), (one, at) =>
      validateConstraint(one, at, names),
    ),
    ...validateList(claim?.config, configMax, path.child("config"), (config, at) => [
      ...validateRequestReferences(config.requests, at.child("requests"), names),
      ...validateConfiguration(config, at, false),
    ]),
  ];
}

/** Access to devices that are in use by others, for whoever looks after them. */
export const adminLabel = "resource.kubernetes.io/admin-access";

export function validateAdminAccess(
  claim: DeviceClaim | undefined,
  namespaceLabels: Readonly<Record<string, string>> = {},
): FieldError[] {
  const first = (claim?.requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess === true);
  if (first < 0 || namespaceLabels[adminLabel] === "true") return [];
  const path = field("spec", "devices", "requests").index(first).child("adminAccess");
  return [forbidden(path, adminAccessRefused)];
}

export const adminAccessRefused =
  `admin access to devices requires the \`${adminLabel}: true\` label ` +
  "on the containing namespace";
