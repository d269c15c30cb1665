/**
 * StorageClass and VolumeAttributesClass: how storage is made, and of what quality.
 *
 * Source  pkg/registry/storage/{storageclass,volumeattributesclass}, pkg/apis/storage/validation
 */
import type { TopologySelectorLabelRequirement } from "@nanokube/api/core/v1";
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

function validateTopology(expression: TopologySelectorLabelRequirement, path: FieldPath) {
  const key = expression.key ?? "";
  const values = expression.values ?? [];
  const errors = values.length === 0 ? [required(path.child("values"))] : [];
  for (const [v, value] of values.entries()) {
    if (values.indexOf(value) < v) errors.push(duplicate(path.child("values").index(v), value));
  }
  return [...errors, ...check(path.child("key"), key, qualifiedName)];
}

/** What a term asks for, whatever the order. */
const meaningOf = (expressions: readonly TopologySelectorLabelRequirement[]): string =>
  JSON.stringify(
    expressions.map(({ key, values }) => [key, [...new Set(values)].sort()].flat()).sort(),
  );

function validateTopologies({ allowedTopologies }: StorageClass): FieldError[] {
  const terms = allowedTopologies ?? [];
  // Upstream compares with as many empty terms as there are terms, so that none may be empty.
  const seen = terms.map(() => meaningOf([]));
  return terms.flatMap(({ matchLabelExpressions }, i) => {
    const expressions = matchLabelExpressions ?? [];
    const path = field("allowedTopologies").index(i).child("matchLabelExpressions");
    const keys = new Set<string>();
    const errors = expressions.flatMap((expression, n) => {
      const { key = "" } = expression;
      const twice = keys.has(key) ? [duplicate(path.index(n).child("key"), key)] : [];
      keys.add(key);
      return [...validateTopology(expression, path.index(n)), ...twice];
    });
    const meaning = meaningOf(expressions);
    const same = seen.filter((one) => one === meaning);
    seen.push(meaning);
    return [...errors, ...same.map(() => duplicate(path, ""))];
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
  { updateMeta: ["whole", "spec", "update"] },
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
