/**
 * Printer columns, subresources and selectable fields of a version.
 *
 * Source  apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go
 */
import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresources,
  SelectableField,
} from "@nanokube/api/apiextensions/v1";
import {
  duplicate,
  type FieldError,
  type FieldPath,
  invalidValue,
  required,
  tooMany,
} from "@nanokube/machinery";
import { parseRulePath } from "../rules/rule-path.ts";
import type { Schema } from "../structural-schema.ts";

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = [
  "byte",
  "date",
  "date-time",
  "double",
  "float",
  "int32",
  "int64",
  "password",
];

export function validateColumn(
  column: CustomResourceColumnDefinition,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const { name, type = "", format = "", jsonPath = "" } = column;
  if (!name) errors.push(required(path.child("name"), ""));
  const oneOfTypes = `must be one of ${columnTypes.join(",")}`;
  if (type === "") errors.push(required(path.child("type"), oneOfTypes));
  else if (!columnTypes.includes(type)) {
    errors.push(invalidValue(path.child("type"), type, oneOfTypes));
  }
  if (format !== "" && !columnFormats.includes(format)) {
    const why = `must be one of ${columnFormats.join(",")}`;
    errors.push(invalidValue(path.child("format"), format, why));
  }
  const at = path.child("JSONPath");
  if (jsonPath === "") errors.push(required(at, ""));
  else errors.push(...simplePath(jsonPath, at));
  return errors;
}

function simplePath(text: string, path: FieldPath): FieldError[] {
  if (text.startsWith(".")) return [];
  return [invalidValue(path, text, "must be a simple json path starting with .")];
}

function under(text: string, roots: readonly string[], path: FieldPath, why: string): FieldError[] {
  const simple = simplePath(text, path);
  if (simple.length > 0 || roots.some((root) => text.startsWith(root))) return simple;
  return [invalidValue(path, text, why)];
}

export function validateSubresources(
  subresources: CustomResourceSubresources | undefined,
  path: FieldPath,
): FieldError[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  const one = (name: "specReplicasPath" | "statusReplicasPath", root: string) => {
    const at = path.child(`scale.${name}`);
    const text = scale[name] ?? "";
    if (text === "") errors.push(required(at, ""));
    else errors.push(...under(text, [`.${root}.`], at, `should be a json path under .${root}`));
  };
  one("specReplicasPath", "spec");
  one("statusReplicasPath", "status");
  const labels = scale.labelSelectorPath ?? "";
  if (labels !== "") {
    const why = "should be a json path under either .spec or .status";
    const at = path.child("scale.labelSelectorPath");
    errors.push(...under(labels, [".spec.", ".status."], at, why));
  }
  return errors;
}

const selectableMax = 8;

export function validateSelectableFields(
  fields: readonly SelectableField[],
  schema: Schema | undefined,
  path: FieldPath,
): FieldError[] {
  if (fields.length === 0 || schema === undefined) return [];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { jsonPath = "" }] of fields.entries()) {
    const at = path.index(i).child("jsonPath");
    if (jsonPath === "") {
      errors.push(required(at, ""));
      continue;
    }
    const found = parseRulePath(jsonPath, schema, false);
    if ("error" in found) {
      errors.push(invalidValue(at, jsonPath, `is an invalid path: ${found.error}`));
      continue;
    }
    if (found.root === "metadata") {
      errors.push(invalidValue(at, jsonPath, "must not point to fields in metadata"));
    }
    if (!["string", "boolean", "integer"].includes(found.schema.type ?? "")) {
      const why =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      errors.push(invalidValue(at, jsonPath, why));
    }
    if (seen.has(found.path)) errors.push(duplicate(at, jsonPath));
    seen.add(found.path);
  }
  if (seen.size > selectableMax) errors.push(tooMany(path, seen.size, selectableMax));
  return errors;
}
