/**
 * Names of resources (cpu, hugepages-2Mi, example.com/gpu) and how much of them may be asked.
 *
 * Source  pkg/apis/core/helper/helpers.go, pkg/apis/core/validation/validation.go
 */
import { parseQuantity } from "@nanokube/machinery";
import { check, type FieldError, type FieldPath, invalid } from "./field.ts";
import { qualifiedName } from "./names.ts";

const containerResources = new Set(["cpu", "memory", "ephemeral-storage"]);

/** What is counted, not measured. */
const integerResources = new Set([
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);

const standardResources = new Set([
  ...containerResources,
  ...integerResources,
  "requests.cpu",
  "requests.memory",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
  "storage",
  "requests.storage",
]);

export const isHugePages = (name: string) => name.startsWith("hugepages-");
const isQuotaHugePages = (name: string) =>
  name.startsWith("hugepages-") || name.startsWith("requests.hugepages-");
export const isNativeResource = (name: string) =>
  !name.includes("/") || name.includes("kubernetes.io/");

export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith("requests.")) return false;
  return qualifiedName(`requests.${name}`).length === 0;
}

/** Requests below the limit make sense only for what the system can share out. */
export const isOvercommitAllowed = (name: string) => isNativeResource(name) && !isHugePages(name);
const isInteger = (name: string) => integerResources.has(name) || isExtendedResource(name);

export function validateResourceName(name: string, path: FieldPath): FieldError[] {
  const errors = check(path, name, qualifiedName);
  if (errors.length > 0 || name.includes("/")) return errors;
  if (standardResources.has(name) || isQuotaHugePages(name)) return [];
  return [invalid(path, name, "must be a standard resource type or fully qualified")];
}

export function validateContainerResourceName(name: string, path: FieldPath): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes("/")) {
    if (!containerResources.has(name) && !isHugePages(name)) {
      errors.push(invalid(path, name, "must be a standard resource for containers"));
    }
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
  }
  return errors;
}

const quotaResources = new Set([...standardResources]);
quotaResources.delete("storage");

export const isStandardQuotaResource = (name: string): boolean =>
  quotaResources.has(name) || isQuotaHugePages(name);

export function validateQuotaResourceName(name: string, path: FieldPath): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes("/") && !isStandardQuotaResource(name)) {
    errors.push(invalid(path, name, "must be a standard resource for quota"));
  }
  return errors;
}

/** Not negative; whole numbers where half a thing makes no sense. */
export function validateResourceQuantity(
  name: string,
  value: string,
  path: FieldPath,
): FieldError[] {
  const quantity = parseQuantity(String(value));
  const errors: FieldError[] = [];
  if (quantity.cmp(parseQuantity("0")) < 0) {
    errors.push(invalid(path, quantity.toString(), "must be greater than or equal to 0"));
  }
  if (isInteger(name) && quantity.milliValue() % 1000 !== 0) {
    errors.push(invalid(path, quantity.toString(), "must be an integer"));
  }
  return errors;
}

export function isDivisibleHugePages(name: string, value: string): boolean {
  const size = parseQuantity(name.slice("hugepages-".length));
  return parseQuantity(value).value() % size.value() === 0;
}
