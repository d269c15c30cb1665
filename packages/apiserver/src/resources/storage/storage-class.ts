/**
 * StorageClass and VolumeAttributesClass: how storage is made, and of what quality.
 *
 * Source  pkg/registry/storage/{storageclass,volumeattributesclass}, pkg/apis/storage/validation
 */
import type { StorageClass, VolumeAttributesClass } from "@nanokube/api/storage/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  oneOf,
  required,
  tooLong,
} from "../field.ts";
import { kind } from "../generic.ts";
import { byteLength, qualifiedName } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, nameOf } from "../table.ts";

const defaultAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

function validateProvisioner(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [required(path)];
  return qualifiedName(name.toLowerCase()).map((why) => invalid(path, name.toLowerCase(), why));
}

function validateParameters(
  parameters: Record<string, string> | undefined,
  path: FieldPath,
): FieldError[] {
  const entries = Object.entries(parameters ?? {});
  if (entries.length > 512) return [tooLong(path, "", 512)];
  const errors = entries
    .filter(([key]) => key === "")
    .map(([key]) => invalid(path, key, "field can not be empty."));
  const size = entries.reduce((sum, [k, v]) => sum + byteLength(k) + byteLength(v), 0);
  return size > 256 * 1024 ? [...errors, tooLong(path, "", 256 * 1024)] : errors;
}

function validateTopologies(storageClass: StorageClass): FieldError[] {
  return (storageClass.allowedTopologies ?? []).flatMap((term, i) => {
    const path = field("allowedTopologies").index(i).child("matchLabelExpressions");
    const keys = new Set<string>();
    return (term.matchLabelExpressions ?? []).flatMap((expression, n) => {
      const { key = "" } = expression;
      const values = expression.values ?? [];
      const at = path.index(n);
      const errors = values.length === 0 ? [required(at.child("values"))] : [];
      for (const [v, value] of values.entries()) {
        if (values.indexOf(value) < v) errors.push(duplicate(at.child("values").index(v), value));
      }
      errors.push(...check(at.child("key"), key, qualifiedName));
      if (keys.has(key)) errors.push(duplicate(at.child("key"), key));
      keys.add(key);
      return errors;
    });
  });
}

function validateClass(storageClass: StorageClass): FieldError[] {
  const { provisioner = "", reclaimPolicy, volumeBindingMode } = storageClass;
  const errors = [
    ...validateProvisioner(provisioner, field("provisioner")),
    ...validateParameters(storageClass.parameters, field("parameters")),
  ];
  if (reclaimPolicy) {
    errors.push(...oneOf(field("reclaimPolicy"), reclaimPolicy, ["Delete", "Retain"]));
  }
  const modes = ["Immediate", "WaitForFirstConsumer"];
  errors.push(...oneOf(field("volumeBindingMode"), volumeBindingMode, modes));
  return [...errors, ...validateTopologies(storageClass)];
}

const frozen = ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] as const;

export const storageClassStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole", "update"] },
  {
    default(object) {
      const storageClass = object as StorageClass;
      storageClass.reclaimPolicy ??= "Delete";
      storageClass.volumeBindingMode ??= "Immediate";
    },
    validate: (object) => validateClass(object as StorageClass),
    validateUpdate: (object, old) =>
      frozen.flatMap((name) => validateImmutable(object[name], old[name], field(name))),
    columns: columns(
      "Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age",
    ),
    row(object, now) {
      const storageClass = object as StorageClass;
      const annotations = storageClass.metadata?.annotations ?? {};
      const isDefault = defaultAnnotations.some((key) => annotations[key] === "true");
      return [
        isDefault ? `${nameOf(object)} (default)` : nameOf(object),
        storageClass.provisioner ?? "",
        storageClass.reclaimPolicy ?? "Delete",
        storageClass.volumeBindingMode ?? "Immediate",
        storageClass.allowVolumeExpansion ?? false,
        age(object, now),
      ];
    },
  },
);

export const volumeAttributesClassStrategy: ResourceStrategy = kind(
  { updateMeta: ["update", "whole"] },
  {
    validate: (object) => validateAttributes(object as VolumeAttributesClass),
    validateUpdate(object, old) {
      const errors: FieldError[] = [];
      for (const name of ["driverName", "parameters"]) {
        if (semanticEqual(object[name], old[name])) continue;
        errors.push(forbidden(field(name), `updates to ${name} are forbidden.`));
      }
      return [...errors, ...validateAttributes(object as VolumeAttributesClass)];
    },
    columns: columns("Name, DriverName, Age"),
    row: (object, now) => [
      nameOf(object),
      (object as VolumeAttributesClass).driverName ?? "",
      age(object, now),
    ],
  },
);

function validateAttributes(attributes: VolumeAttributesClass): FieldError[] {
  const errors = [
    ...validateProvisioner(attributes.driverName ?? "", field("driverName")),
    ...validateParameters(attributes.parameters, field("parameters")),
  ];
  if (Object.keys(attributes.parameters ?? {}).length === 0) {
    errors.push(required(field("parameters"), "must contain at least one key/value pair"));
  }
  return errors;
}
