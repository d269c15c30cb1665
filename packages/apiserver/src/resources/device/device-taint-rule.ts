/**
 * DeviceTaintRule: a taint on every device that a selector names.
 *
 * Source  pkg/registry/resource/devicetaintrule, pkg/apis/resource/validation
 */
import type { DeviceTaintRule } from "@nanokube/api/resource/v1beta2";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { validateConditions } from "../condition.ts";
import { type FieldError, field, tooMany } from "../field.ts";
import { allMetadata, kind } from "../generic.ts";
import { age, columns, nameOf, since } from "../table.ts";
import { validateTaint } from "./device.ts";
import { validateDriverName, validateLabelName, validatePoolName } from "./names.ts";

const conditionsMax = 8;
const secondsOf = (now: number): string => new Date(now).toISOString().replace(/\.\d+Z$/, "Z");

function validateRule(rule: DeviceTaintRule, old?: DeviceTaintRule): FieldError[] {
  const { deviceSelector: selector, taint = {} } = rule.spec ?? {};
  const path = field("spec");
  const at = path.child("deviceSelector");
  const errors: FieldError[] = [];
  if (selector?.driver !== undefined) {
    errors.push(...validateDriverName(selector.driver, at.child("driver")));
  }
  if (selector?.pool !== undefined) {
    errors.push(...validatePoolName(selector.pool, at.child("pool")));
  }
  if (selector?.device !== undefined) {
    errors.push(...validateLabelName(selector.device, at.child("device")));
  }
  const isSameEffect = old !== undefined && old.spec?.taint?.effect === taint.effect;
  const effectAt = path.child("taint").child("effect").toString();
  const found = validateTaint(taint, path.child("taint"));
  errors.push(...found.filter((error) => !isSameEffect || error.field !== effectAt));
  return errors;
}

export const deviceTaintRuleStrategy: ResourceStrategy = kind(
  { status: true, generation: ["spec"], statusKeeps: allMetadata, initialStatus: () => ({}) },
  {
    prepareForCreate(object, { now }) {
      const { taint } = (object as DeviceTaintRule).spec ?? {};
      if (taint !== undefined) taint.timeAdded ??= secondsOf(now);
    },
    prepareForUpdate(object, old, { now, subresource }) {
      if (subresource !== "") return;
      const [taint, before] = [object, old].map((each) => (each as DeviceTaintRule).spec?.taint);
      if (taint === undefined) return;
      const isNew = taint.effect !== before?.effect && taint.timeAdded === before?.timeAdded;
      if (isNew || taint.timeAdded === undefined) taint.timeAdded = secondsOf(now);
    },
    validate: (object) => validateRule(object as DeviceTaintRule),
    validateUpdate(object, old, { subresource }) {
      if (subresource !== "status") {
        return validateRule(object as DeviceTaintRule, old as DeviceTaintRule);
      }
      const { conditions = [] } = (object as DeviceTaintRule).status ?? {};
      const at = field("status", "conditions");
      const many = conditions.length > conditionsMax;
      return [
        ...validateConditions(conditions, at),
        ...(many ? [tooMany(at, conditions.length, conditionsMax)] : []),
      ];
    },
    columns: columns("Name, Key, Value, Effect, TimeAdded, Age"),
    row(object, now) {
      const {
        key = "",
        value = "",
        effect = "",
        timeAdded,
      } = (object as DeviceTaintRule).spec?.taint ?? {};
      const added = timeAdded === undefined ? "" : since(timeAdded, now);
      return [nameOf(object), key, value, effect, added, age(object, now)];
    },
  },
);
