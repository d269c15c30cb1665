/**
 * Environment variables, and the field paths of the downward API.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateEnv, ValidateEnvFrom
 */
import type {
  EnvFromSource,
  EnvVar,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from "@nanokube/api/core/v1";
import { parseQuantity } from "@nanokube/machinery";
import {
  check,
  type FieldError,
  type FieldPath,
  invalid,
  notSupported,
  required,
} from "../../field.ts";
import {
  configMapKey,
  dns1123Label,
  dns1123Subdomain,
  envVarName,
  qualifiedName,
} from "../../names.ts";
import { validateNoBacksteps } from "../../paths.ts";

const envFieldPaths = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

export const volumeFieldPaths = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

/** Labels upstream's field label conversion knows for pods, besides subscripts. */
const knownFieldPaths = new Set([
  ...envFieldPaths,
  ...volumeFieldPaths,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
]);

const resourcePaths = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

export function validateFieldRef(
  selector: ObjectFieldSelector,
  allowed: readonly string[],
  path: FieldPath,
): FieldError[] {
  const { apiVersion = "", fieldPath = "" } = selector;
  if (apiVersion === "") return [required(path.child("apiVersion"))];
  if (fieldPath === "") return [required(path.child("fieldPath"))];
  const at = path.child("fieldPath");
  const subscript = /^(.*)\['(.*)'\]$/.exec(fieldPath);
  if (apiVersion !== "v1") {
    const why = `error converting fieldPath: unsupported pod version: ${apiVersion}`;
    return [invalid(at, fieldPath, why)];
  }
  if (subscript !== null) {
    const [, base = "", key = ""] = subscript;
    if (base === "metadata.annotations") return check(path, key.toLowerCase(), qualifiedName);
    if (base === "metadata.labels") return check(path, key, qualifiedName);
    const why = `error converting fieldPath: field label does not support subscript: ${fieldPath}`;
    return [invalid(at, fieldPath, why)];
  }
  if (!knownFieldPaths.has(fieldPath)) {
    const why = `error converting fieldPath: field label not supported: ${fieldPath}`;
    return [invalid(at, fieldPath, why)];
  }
  return allowed.includes(fieldPath) ? [] : [notSupported(at, fieldPath, allowed)];
}

const wholeDivisors = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";

function validateDivisor(selector: ResourceFieldSelector, path: FieldPath): FieldError[] {
  const { resource = "", divisor } = selector;
  if (divisor === undefined || parseQuantity(String(divisor)).isZero()) return [];
  const text = parseQuantity(String(divisor)).toString();
  const at = path.child("divisor");
  if (resource.endsWith(".cpu")) {
    if (text === "1m" || text === "1") return [];
    const why = "only divisor's values 1m and 1 are supported with the cpu resource";
    return [invalid(at, resource, why)];
  }
  if (wholeDivisors.split(", ").includes(text)) return [];
  const noun = resource.endsWith(".memory")
    ? "memory"
    : resource.endsWith(".ephemeral-storage")
      ? "local ephemeral storage"
      : "hugepages";
  const why = `only divisor's values ${wholeDivisors} are supported with the ${noun} resource`;
  return [invalid(at, resource, why)];
}

export function validateResourceFieldRef(
  selector: ResourceFieldSelector,
  path: FieldPath,
  inVolume: boolean,
): FieldError[] {
  const { resource = "", containerName } = selector;
  const errors: FieldError[] = [];
  if (inVolume && !containerName) {
    errors.push(required(path.child("containerName")));
  } else if (resource === "") {
    errors.push(required(path.child("resource")));
  } else if (
    !resourcePaths.includes(resource) &&
    !/^(requests|limits)\.hugepages-/.test(resource)
  ) {
    errors.push(notSupported(path.child("resource"), resource, resourcePaths));
  }
  return [...errors, ...validateDivisor(selector, path)];
}

function validateKeyRef(ref: { name?: string; key?: string }, path: FieldPath): FieldError[] {
  const errors = check(path.child("name"), ref.name ?? "", dns1123Subdomain);
  if (!ref.key) errors.push(required(path.child("key")));
  else errors.push(...check(path.child("key"), ref.key, configMapKey));
  return errors;
}

function validateFileKeyRef(
  ref: { key?: string; volumeName?: string; path?: string },
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!ref.key) errors.push(required(path.child("key")));
  else errors.push(...check(path.child("key"), ref.key, envVarName));
  if (!ref.volumeName) errors.push(required(path.child("volumeName")));
  else errors.push(...check(path.child("volumeName"), ref.volumeName, dns1123Label));
  if (!ref.path) errors.push(required(path.child("path")));
  else errors.push(...validateNoBacksteps(ref.path, path.child("path")));
  return errors;
}

function validateValueFrom(variable: EnvVar, path: FieldPath): FieldError[] {
  const from = variable.valueFrom;
  if (from === undefined) return [];
  const errors: FieldError[] = [];
  if (from.fieldRef) {
    errors.push(...validateFieldRef(from.fieldRef, envFieldPaths, path.child("fieldRef")));
  }
  if (from.resourceFieldRef) {
    const at = path.child("resourceFieldRef");
    errors.push(...validateResourceFieldRef(from.resourceFieldRef, at, false));
  }
  if (from.configMapKeyRef) {
    errors.push(...validateKeyRef(from.configMapKeyRef, path.child("configMapKeyRef")));
  }
  if (from.secretKeyRef) {
    errors.push(...validateKeyRef(from.secretKeyRef, path.child("secretKeyRef")));
  }
  if (from.fileKeyRef) {
    errors.push(...validateFileKeyRef(from.fileKeyRef, path.child("fileKeyRef")));
  }
  const sources = Object.values(from).filter((source) => source !== undefined).length;
  if (sources === 0) {
    const why =
      "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` " +
      "or `fileKeyRef`";
    errors.push(invalid(path, "", why));
  } else if (variable.value) {
    errors.push(invalid(path, "", "may not be specified when `value` is not empty"));
  } else if (sources > 1) {
    errors.push(invalid(path, "", "may not have more than one field specified at a time"));
  }
  return errors;
}

export function validateEnv(list: readonly EnvVar[] | undefined, path: FieldPath): FieldError[] {
  return (list ?? []).flatMap((variable, i) => {
    const at = path.index(i);
    const name = variable.name ?? "";
    const errors =
      name === "" ? [required(at.child("name"))] : check(at.child("name"), name, envVarName);
    return [...errors, ...validateValueFrom(variable, at.child("valueFrom"))];
  });
}

export function validateEnvFrom(
  list: readonly EnvFromSource[] | undefined,
  path: FieldPath,
): FieldError[] {
  return (list ?? []).flatMap((source, i) => {
    const at = path.index(i);
    const errors = source.prefix ? check(at.child("prefix"), source.prefix, envVarName) : [];
    let sources = 0;
    for (const key of ["configMapRef", "secretRef"] as const) {
      const ref = source[key];
      if (ref === undefined) continue;
      sources++;
      const name = at.child(key).child("name");
      if (!ref.name) errors.push(required(name));
      else
        errors.push(...dns1123Subdomain(ref.name, true).map((why) => invalid(name, ref.name, why)));
    }
    // Upstream names the list, not the entry.
    if (sources === 0) {
      errors.push(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    } else if (sources > 1) {
      errors.push(invalid(path, "", "may not have more than one field specified at a time"));
    }
    return errors;
  });
}
