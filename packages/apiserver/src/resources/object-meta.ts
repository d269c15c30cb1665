/**
 * metadata: names, labels, owners, finalizers; what an update must leave alone.
 *
 * Source  staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go
 */
import type { ObjectMeta, OwnerReference } from "@nanokube/api/meta/v1";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  nonNegative,
  required,
  tooLong,
} from "./field.ts";
import { validateLabels } from "./labels.ts";
import {
  byteLength,
  dns1123Label,
  dns1123Subdomain,
  immutableError,
  type NameRule,
  pathSegment,
  qualifiedName,
} from "./names.ts";
import { semanticEqual } from "./semantic-equal.ts";

/** "kube": a finalizer has a domain or is one of the old ones; "plain": any name will do. */
export type FinalizerRule = "kube" | "plain";

const annotationsMaxBytes = 256 * 1024;

export function validateAnnotations(
  annotations: Record<string, string> | undefined,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    errors.push(...qualifiedName(key.toLowerCase()).map((why) => invalid(path, key, why)));
    size += byteLength(key) + byteLength(value);
  }
  if (size > annotationsMaxBytes) errors.push(tooLong(path, "", annotationsMaxBytes));
  return errors;
}

function validateOwner(owner: OwnerReference, path: FieldPath): FieldError[] {
  const { apiVersion = "", kind = "", name = "", uid = "" } = owner;
  const errors: FieldError[] = [];
  if (apiVersion === "" || apiVersion.split("/").length > 2) {
    errors.push(invalid(path.child("apiVersion"), apiVersion, "version must not be empty"));
  }
  if (kind === "") errors.push(invalid(path.child("kind"), kind, "must not be empty"));
  if (name === "") errors.push(invalid(path.child("name"), name, "must not be empty"));
  if (uid === "") errors.push(invalid(path.child("uid"), uid, "must not be empty"));
  if (apiVersion === "v1" && kind === "Event") {
    errors.push(invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"));
  }
  return errors;
}

function validateOwners(owners: readonly OwnerReference[] | undefined, path: FieldPath) {
  const errors: FieldError[] = [];
  let first = "";
  for (const owner of owners ?? []) {
    errors.push(...validateOwner(owner, path));
    if (!owner.controller) continue;
    const current = `${owner.kind ?? ""}/${owner.name ?? ""}`;
    if (first === "") {
      first = current;
    } else {
      const why =
        'Only one reference can have Controller set to true. Found "true" in references ' +
        `for ${first} and ${current}`;
      errors.push(invalid(path, owners, why));
    }
  }
  return errors;
}

export function validateFinalizers(
  finalizers: readonly string[] | undefined,
  path: FieldPath,
): FieldError[] {
  const list = finalizers ?? [];
  const errors = list.flatMap((name) => check(path, name, qualifiedName));
  if (list.includes("orphan") && list.includes("foregroundDeletion")) {
    const why = "finalizer orphan and foregroundDeletion cannot be both set";
    errors.push(invalid(path, list, why));
  }
  return errors;
}

const standardFinalizers: ReadonlySet<string> = new Set([
  "kubernetes",
  "orphan",
  "foregroundDeletion",
]);

/** What Kubernetes' own kinds add: a finalizer without a domain is one of the old ones. */
export function validateKubeFinalizer(name: string, path: FieldPath): FieldError[] {
  const why = "name is neither a standard finalizer name nor is it fully qualified";
  return name.includes("/") || standardFinalizers.has(name) ? [] : [invalid(path, name, why)];
}

function validateKubeFinalizers(meta: ObjectMeta, path: FieldPath): FieldError[] {
  return (meta.finalizers ?? []).flatMap((name, i) =>
    validateKubeFinalizer(name, path.child("finalizers").index(i)),
  );
}

function validateManagedFields(meta: ObjectMeta, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, entry] of (meta.managedFields ?? []).entries()) {
    const at = path.index(i);
    if (entry.operation !== "Apply" && entry.operation !== "Update") {
      const value = entry.operation ?? "";
      errors.push(invalid(at.child("operation"), value, "must be `Apply` or `Update`"));
    }
    if (entry.fieldsType && entry.fieldsType !== "FieldsV1") {
      errors.push(invalid(at.child("fieldsType"), entry.fieldsType, "must be `FieldsV1`"));
    }
    if (byteLength(entry.manager ?? "") > 128) errors.push(tooLong(at.child("manager"), "", 128));
  }
  return errors;
}

function validateMaps(meta: ObjectMeta, path: FieldPath): FieldError[] {
  return [
    ...validateLabels(meta.labels, path.child("labels")),
    ...validateAnnotations(meta.annotations, path.child("annotations")),
    ...validateOwners(meta.ownerReferences, path.child("ownerReferences")),
  ];
}

export function validateObjectMeta(
  meta: ObjectMeta,
  namespaced: boolean,
  rule: NameRule = dns1123Subdomain,
  path: FieldPath = field("metadata"),
  finalizers: FinalizerRule = "kube",
): FieldError[] {
  const errors: FieldError[] = [];
  const { name, generateName, namespace } = meta;
  if (generateName) {
    const at = path.child("generateName");
    errors.push(...rule(generateName, true).map((why) => invalid(at, generateName, why)));
  }
  if (!name) errors.push(required(path.child("name"), "name or generateName is required"));
  else errors.push(...rule(name, false).map((why) => invalid(path.child("name"), name, why)));
  if (namespaced) {
    if (!namespace) errors.push(required(path.child("namespace"), ""));
    else errors.push(...check(path.child("namespace"), namespace, dns1123Label));
  } else if (namespace) {
    errors.push(forbidden(path.child("namespace"), "not allowed on this type"));
  }
  return [
    ...errors,
    ...nonNegative(path.child("generation"), meta.generation),
    ...validateMaps(meta, path),
    ...validateFinalizers(meta.finalizers, path.child("finalizers")),
    ...validateManagedFields(meta, path.child("managedFields")),
    ...(finalizers === "kube" ? validateKubeFinalizers(meta, path) : []),
  ];
}

/** What every new object is checked for when its kind has no complaint. */
export function validateAnyKind(meta: ObjectMeta, namespaced: boolean): FieldError[] {
  return validateObjectMeta(meta, namespaced, pathSegment, field("metadata"), "plain");
}

/** What every update is checked for before its kind is asked: so much of it is told twice. */
export function validateUpdateOfAnyKind(
  meta: ObjectMeta,
  old: ObjectMeta,
  namespaced: boolean,
): FieldError[] {
  const path = field("metadata");
  return [
    ...validateAnyKind(meta, namespaced),
    ...validateObjectMetaUpdate(meta, old, path, "plain"),
  ];
}

/** Go prints a list of strings as []string{"a", "b"}. */
function goStrings(list: readonly string[]): string {
  return `[]string{${list.map((text) => JSON.stringify(text)).join(", ")}}`;
}

const immutableFields = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

export function validateObjectMetaUpdate(
  meta: ObjectMeta,
  old: ObjectMeta,
  path: FieldPath = field("metadata"),
  finalizers: FinalizerRule = "kube",
): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    const added = (meta.finalizers ?? []).filter((name) => !old.finalizers?.includes(name));
    if (added.length > 0) {
      const why =
        "no new finalizers can be added if the object is being deleted, found new finalizers " +
        goStrings([...new Set(added)].sort());
      errors.push(forbidden(path.child("finalizers"), why));
    }
  }
  if (!meta.resourceVersion) {
    const at = path.child("resourceVersion");
    errors.push(invalid(at, meta.resourceVersion ?? "", "must be specified for an update"));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(path.child("generation"), meta.generation ?? 0, "must not be decremented"));
  }
  for (const name of immutableFields) {
    if (semanticEqual(meta[name] ?? "", old[name] ?? "")) continue;
    errors.push(invalid(path.child(name), meta[name] ?? "", immutableError));
  }
  return [
    ...errors,
    ...validateMaps(meta, path),
    ...validateManagedFields(meta, path.child("managedFields")),
    ...(finalizers === "kube" ? validateKubeFinalizers(meta, path) : []),
  ];
}

export function validateImmutable(value: unknown, old: unknown, path: FieldPath): FieldError[] {
  return semanticEqual(value, old) ? [] : [invalid(path, value ?? null, immutableError)];
}
