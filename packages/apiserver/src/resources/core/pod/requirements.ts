/**
 * Resource requirements: what is asked, what is allowed, and that the two fit.
 *
 * Source  pkg/apis/core/validation/validation.go validateResourceRequirements
 */
import type { PodSpec, ResourceRequirements } from "@nanokube/api/core/v1";
import { FieldError as Failure, parseQuantity } from "@nanokube/machinery";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  notSupported,
  required,
} from "../../field.ts";
import { dns1123Label } from "../../names.ts";
import { compareQuantities, type ResourceList } from "../../resource-list.ts";
import {
  isDivisibleHugePages,
  isHugePages,
  isOvercommitAllowed,
  validateContainerResourceName,
  validateResourceName,
  validateResourceQuantity,
} from "../../resource-names.ts";
import { aggregateContainers, isPodLevelResource } from "./resources.ts";

function validatePodResourceName(name: string, path: FieldPath): FieldError[] {
  const errors = validateResourceName(name, path);
  if (errors.length > 0 || isPodLevelResource(name)) return errors;
  return [notSupported(path, name, ["cpu", "memory"])];
}

function validateClaims(
  claims: ResourceRequirements["claims"],
  podClaims: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  const seen = new Set<string>();
  return (claims ?? []).flatMap(({ name = "", request = "" }, i) => {
    const at = path.index(i);
    if (name === "") return [required(at)];
    const errors: FieldError[] = [];
    const key = request === "" ? name : `${name}/${request}`;
    if (request !== "") errors.push(...check(at.child("request"), request, dns1123Label));
    const taken =
      seen.has(name) ||
      seen.has(key) ||
      (request === "" && [...seen].some((one) => one.startsWith(`${name}/`)));
    if (taken) errors.push(duplicate(at, seen.has(name) ? name : key));
    seen.add(key);
    if (!podClaims.has(name)) {
      const names = [...podClaims].sort().join(", ");
      const rest = podClaims.size === 0 ? " which is empty" : `: ${names}`;
      const why = `must be one of the names in pod.spec.resourceClaims${rest}`;
      errors.push(new Failure("FieldValueNotFound", at, name, why));
    }
    return errors;
  });
}

function validateOne(name: string, value: string, path: FieldPath, scope: "container" | "pod") {
  const nameRule = scope === "pod" ? validatePodResourceName : validateContainerResourceName;
  const errors = [...nameRule(name, path), ...validateResourceQuantity(name, value, path)];
  if (isHugePages(name) && !isDivisibleHugePages(name, value)) {
    const text = parseQuantity(value).toString();
    errors.push(invalid(path, text, `${text} is not positive integer multiple of ${name}`));
  }
  return errors;
}

function validateAgainstLimit(
  name: string,
  value: string,
  limit: string | undefined,
  path: FieldPath,
): FieldError[] {
  const overcommit = isOvercommitAllowed(name);
  if (limit === undefined) {
    if (overcommit) return [];
    const why = "Limit must be set for non overcommitable resources";
    return [required(path.child("limits"), why)];
  }
  const order = compareQuantities(value, limit);
  const relation = overcommit ? "less than or equal" : "equal";
  if (overcommit ? order <= 0 : order === 0) return [];
  const [asked, most] = [value, limit].map((text) => parseQuantity(text).toString());
  return [
    invalid(path.child("requests"), asked, `must be ${relation} to ${name} limit of ${most}`),
  ];
}

export function validateRequirements(
  requirements: ResourceRequirements | undefined,
  path: FieldPath,
  scope: "container" | "pod",
  claimNames: ReadonlySet<string> = new Set(),
): FieldError[] {
  const limits = (requirements?.limits ?? {}) as ResourceList;
  const requests = (requirements?.requests ?? {}) as ResourceList;
  const errors: FieldError[] = [];
  for (const name in limits) {
    errors.push(...validateOne(name, limits[name]!, path.child("limits").key(name), scope));
  }
  for (const name in requests) {
    const value = requests[name]!;
    errors.push(...validateOne(name, value, path.child("requests").key(name), scope));
    errors.push(...validateAgainstLimit(name, value, limits[name], path));
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.some((name) => name === "cpu" || name === "memory")) {
    errors.push(forbidden(path, "HugePages require cpu or memory"));
  }
  return [...errors, ...validateClaims(requirements?.claims, claimNames, path.child("claims"))];
}

/** Pod-level resources must hold what the containers ask together. */
export function validatePodLevelResources(spec: PodSpec, path: FieldPath): FieldError[] {
  const own = spec.resources;
  if (own === undefined) return [];
  if (spec.os?.name === "windows") return [forbidden(path, "may not be set for a windows pod")];
  const errors: FieldError[] = [];
  if (own.claims !== undefined) {
    const why = "claims may not be set for Resources at pod-level";
    errors.push(forbidden(path.child("claims"), why));
  }
  errors.push(...validateRequirements(own, path, "pod"));
  const [limits, requests] = [own.limits ?? {}, own.requests ?? {}] as ResourceList[];
  for (const [name, sum] of Object.entries(aggregateContainers(spec, "requests"))) {
    const asked = requests?.[name];
    if (asked === undefined || compareQuantities(sum, asked) <= 0) continue;
    const why = `must be greater than or equal to aggregate container requests of ${sum}`;
    errors.push(invalid(path.child("requests").key(name), asked, why));
  }
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const [name, limit] of Object.entries(
      (container.resources?.limits ?? {}) as ResourceList,
    )) {
      const most = limits?.[name];
      if (most === undefined || compareQuantities(limit, most) <= 0) continue;
      const at = path.child("containers").index(i).key(name).child("limits");
      errors.push(invalid(at, limit, `must be less than or equal to pod limits of ${most}`));
    }
  }
  return errors;
}
