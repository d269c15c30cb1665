/**
 * LimitRange: least, most and default of what one pod, container or claim in a namespace may ask.
 *
 * Source  pkg/registry/core/limitrange/strategy.go, pkg/apis/core/validation/validation.go
 */
import type { LimitRange, LimitRangeItem } from "@nanokube/api/core/v1";
import { parseQuantity } from "@nanokube/machinery";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  required,
} from "../field.ts";
import { kind } from "../generic.ts";
import { qualifiedName } from "../names.ts";
import { compareQuantities, type ResourceList } from "../resource-list.ts";
import { validateContainerResourceName, validateResourceName } from "../resource-names.ts";
import { columns, nameOf } from "../table.ts";

function defaultItem(item: LimitRangeItem): void {
  if (item.type !== "Container") return;
  const [max, min] = [item.max ?? {}, item.min ?? {}] as ResourceList[];
  const limits = { ...max, ...(item.default as ResourceList | undefined) };
  item.default = limits;
  item.defaultRequest = { ...min, ...limits, ...(item.defaultRequest as ResourceList | undefined) };
}

function validateName(type: string, name: string, path: FieldPath): FieldError[] {
  const container = type === "Pod" || type === "Container";
  return container ? validateContainerResourceName(name, path) : validateResourceName(name, path);
}

const text = (value: string) => parseQuantity(value).toString();

/** Each pair must be in this order; the first list's key carries the error. */
const orders = [
  ["min", "max", "min", "min value", "max value"],
  ["min", "defaultRequest", "defaultRequest", "min value", "default request value"],
  ["defaultRequest", "max", "defaultRequest", "default request value", "max value"],
  ["defaultRequest", "default", "defaultRequest", "default request value", "default limit value"],
  ["min", "default", "default", "min value", "default value"],
  ["default", "max", "default", "default value", "max value"],
] as const;

function validateKey(item: LimitRangeItem, key: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const get = (list: "min" | "max" | "default" | "defaultRequest" | "maxLimitRequestRatio") =>
    (item[list] as ResourceList | undefined)?.[key];
  for (const [small, large, at, smallNoun, largeNoun] of orders) {
    const [least, most] = [get(small), get(large)];
    if (least === undefined || most === undefined || compareQuantities(least, most) <= 0) continue;
    const why = `${smallNoun} ${text(least)} is greater than ${largeNoun} ${text(most)}`;
    const shown = at === "default" ? (small === "min" ? least : most) : (get(at) ?? least);
    errors.push(invalid(path.child(at).key(key), shown, why));
  }
  const ratio = get("maxLimitRequestRatio");
  if (ratio !== undefined && compareQuantities(ratio, "1") < 0) {
    const at = path.child("maxLimitRequestRatio").key(key);
    errors.push(invalid(at, ratio, `ratio ${text(ratio)} is less than 1`));
  }
  return errors;
}

function validateItem(item: LimitRangeItem, path: FieldPath): FieldError[] {
  const { type = "" } = item;
  const errors: FieldError[] = [];
  const keys = new Set<string>();
  const lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;
  for (const list of lists) {
    const own = (item[list] ?? {}) as ResourceList;
    const defaults = list === "default" || list === "defaultRequest";
    if (type === "Pod" && defaults) {
      if (Object.keys(own).length > 0) {
        errors.push(forbidden(path.child(list), "may not be specified when `type` is 'Pod'"));
      }
      continue;
    }
    for (const name of Object.keys(own)) {
      errors.push(...validateName(type, name, path.child(list).key(name)));
      keys.add(name);
    }
  }
  if (type === "PersistentVolumeClaim" && !item.min?.storage && !item.max?.storage) {
    const why = "either minimum or maximum storage value is required, but neither was provided";
    errors.push(required(path.child("limits"), why));
  }
  return [...errors, ...[...keys].flatMap((key) => validateKey(item, key, path))];
}

function validateLimitRange(range: LimitRange): FieldError[] {
  const seen = new Set<string>();
  return (range.spec?.limits ?? []).flatMap((item, i) => {
    const at = field("spec", "limits").index(i);
    const { type = "" } = item;
    const errors = check(at.child("type"), type, qualifiedName);
    const known = ["Pod", "Container", "PersistentVolumeClaim"].includes(type);
    if (errors.length === 0 && !type.includes("/") && !known) {
      const why = "must be a standard limit type or fully qualified";
      errors.push(invalid(at.child("type"), type, why));
    }
    if (seen.has(type)) errors.push(duplicate(at.child("type"), type));
    seen.add(type);
    return [...errors, ...validateItem(item, at)];
  });
}

export const limitRangeStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole"] },
  {
    default(object) {
      for (const item of (object as LimitRange).spec?.limits ?? []) defaultItem(item);
    },
    validate: (object) => validateLimitRange(object as LimitRange),
    validateUpdate: (object) => validateLimitRange(object as LimitRange),
    allowCreateOnUpdate: true,
    columns: columns("Name, Created At:date"),
    row: (object) => [nameOf(object), object.metadata?.creationTimestamp ?? null],
  },
);
