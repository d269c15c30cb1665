/**
 * The spec of a claim for storage: of a PersistentVolumeClaim, or of a template for one.
 *
 * Source  pkg/apis/core/validation/validation.go ValidatePersistentVolumeClaimSpec
 */
import type { PersistentVolumeClaimSpec } from "@nanokube/api/core/v1";
import {
  check,
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  required,
} from "../field.ts";
import { validateLabelSelector } from "../labels.ts";
import { dns1123Label, dns1123Subdomain } from "../names.ts";
import { compareQuantities } from "../resource-list.ts";

const modes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

export function validateAccessModes(
  given: readonly string[] | undefined,
  path: FieldPath,
  emptyText: string,
): FieldError[] {
  const list = given ?? [];
  const errors = list.length === 0 ? [required(path, emptyText)] : [];
  for (const mode of list) if (!modes.includes(mode)) errors.push(notSupported(path, mode, modes));
  const others = list.some((mode) => mode !== "ReadWriteOncePod" && modes.includes(mode));
  if (list.includes("ReadWriteOncePod") && others) {
    errors.push(forbidden(path, "may not use ReadWriteOncePod with other access modes"));
  }
  return errors;
}

type DataSource = NonNullable<PersistentVolumeClaimSpec["dataSourceRef"]>;

function validateDataSource(source: DataSource, path: FieldPath): FieldError[] {
  const { name, kind, apiGroup = "", namespace } = source;
  const errors: FieldError[] = [];
  if (!name) errors.push(required(path.child("name")));
  if (!kind) errors.push(required(path.child("kind")));
  if (apiGroup === "" && kind !== "PersistentVolumeClaim") {
    const why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(invalid(path, kind ?? "", why));
  }
  if (apiGroup !== "") errors.push(...check(path.child("apiGroup"), apiGroup, dns1123Subdomain));
  if (namespace) errors.push(...check(path.child("namespace"), namespace, dns1123Label));
  return errors;
}

function validateStorage(spec: PersistentVolumeClaimSpec, path: FieldPath): FieldError[] {
  const at = path.child("resources").key("storage");
  const storage = spec.resources?.requests?.storage;
  if (storage === undefined) return [required(at)];
  if (compareQuantities(String(storage), "0") > 0) return [];
  return [invalid(at, String(storage), "must be greater than zero")];
}

function validateSources(spec: PersistentVolumeClaimSpec, path: FieldPath): FieldError[] {
  const { dataSource, dataSourceRef } = spec;
  const errors: FieldError[] = [];
  if (dataSource) errors.push(...validateDataSource(dataSource, path.child("dataSource")));
  if (dataSourceRef) {
    errors.push(...validateDataSource(dataSourceRef, path.child("dataSourceRef")));
  }
  if (!dataSource || !dataSourceRef) return errors;
  if (dataSourceRef.namespace) {
    const why = "may not be specified when dataSourceRef.namespace is specified";
    errors.push(invalid(path, {}, why));
  } else if (
    dataSource.kind !== dataSourceRef.kind ||
    dataSource.name !== dataSourceRef.name ||
    dataSource.apiGroup !== dataSourceRef.apiGroup
  ) {
    errors.push(invalid(path, {}, "must match dataSourceRef"));
  }
  return errors;
}

export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: FieldPath): FieldError[] {
  const modesText = "at least 1 access mode is required";
  const [missing, ...others] = validateAccessModes(
    spec.accessModes,
    path.child("accessModes"),
    modesText,
  );
  const errors: FieldError[] = [];
  const empty = (spec.accessModes ?? []).length === 0;
  if (empty && missing !== undefined) errors.push(missing);
  errors.push(...validateLabelSelector(spec.selector, path.child("selector")));
  if (!empty && missing !== undefined) errors.push(missing);
  errors.push(...others, ...validateStorage(spec, path));
  if (spec.storageClassName) {
    errors.push(...check(path.child("storageClassName"), spec.storageClassName, dns1123Subdomain));
  }
  if (spec.volumeMode !== undefined) {
    errors.push(...oneOf(path.child("volumeMode"), spec.volumeMode, ["Block", "Filesystem"]));
  }
  errors.push(...validateSources(spec, path));
  if (spec.volumeAttributesClassName) {
    const at = path.child("volumeAttributesClassName");
    errors.push(...check(at, spec.volumeAttributesClassName, dns1123Subdomain));
  }
  return errors;
}
