/**
 * How much of a device's capacity a claim may ask for, when several claims share the device.
 *
 * Source  pkg/apis/resource/validation/validation.go validateRequestPolicy
 */
import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  DeviceCapacity,
} from "@nanokube/api/resource/v1";
import { parseQuantity, type Quantity } from "@nanokube/machinery";
import { type FieldError, type FieldPath, forbidden, invalid, required } from "../field.ts";
import { validateSet } from "./collections.ts";

const optionsMax = 10;
const quantity = (text: string | undefined): Quantity => parseQuantity(String(text ?? "0"));
const isMore = (a: Quantity, b: Quantity): boolean => a.cmp(b) > 0;

function validateValues(
  policy: CapacityRequestPolicy,
  capacity: Quantity,
  path: FieldPath,
): FieldError[] {
  const values = (policy.validValues ?? []).map(quantity);
  const preset = quantity(policy.default);
  const errors = values.flatMap((value, i) =>
    i > 0 && isMore(values[i - 1]!, value)
      ? [invalid(path.index(i), value.toString(), "values must be sorted in ascending order")]
      : [],
  );
  errors.push(
    ...validateSet(values, {
      max: optionsMax,
      path,
      keyOf: (value) => String(value.value()),
      validate: (value, at) =>
        isMore(value, capacity)
          ? [invalid(at, value.toString(), `option is larger than capacity value: ${capacity}`)]
          : [],
    }),
  );
  if (values.length > optionsMax || !values.some((value) => value.equals(preset))) {
    const why = "default value is not valid according to the requestPolicy";
    errors.push(invalid(path, preset.toString(), why));
  }
  return errors;
}

function validateStep(
  value: Quantity,
  min: Quantity,
  step: Quantity,
  path: FieldPath,
): FieldError[] {
  if ((value.value() - min.value()) % step.value() === 0) return [];
  const why = `value is not a multiple of a given step (${step}) from (${min})`;
  return [invalid(path, value.toString(), why)];
}

function validateRange(
  range: CapacityRequestPolicyRange,
  preset: Quantity,
  capacity: Quantity,
  path: FieldPath,
): FieldError[] {
  const [minAt, maxAt, stepAt] = [path.child("min"), path.child("max"), path.child("step")];
  if (range.min === undefined) return [required(minAt, "required when validRange is defined")];
  const min = quantity(range.min);
  const max = range.max === undefined ? undefined : quantity(range.max);
  const step = range.step === undefined ? undefined : quantity(range.step);
  const errors: FieldError[] = [];
  const refuse = (at: FieldPath, value: Quantity, why: string): void => {
    errors.push(invalid(at, value.toString(), why));
  };
  if (isMore(min, capacity)) refuse(minAt, min, `min is larger than capacity value: ${capacity}`);
  if (isMore(min, preset)) refuse(minAt, preset, `default is less than min: ${min}`);
  if (max !== undefined) {
    if (isMore(min, max)) refuse(maxAt, min, `min is larger than max: ${max}`);
    if (isMore(max, capacity)) refuse(maxAt, max, `max is larger than capacity value: ${capacity}`);
    if (isMore(preset, max)) refuse(maxAt, preset, `default is more than max: ${max}`);
  }
  if (step === undefined) return errors;
  const one = min.add(step);
  if (isMore(one, capacity)) {
    refuse(stepAt, step, `one step ${one} is larger than capacity value: ${capacity}`);
  }
  errors.push(...validateStep(preset, min, step, stepAt));
  if (max !== undefined) errors.push(...validateStep(max, min, step, stepAt));
  return errors;
}

/** Only a device that several claims may share has a policy. */
export function validateCapacity(
  { requestPolicy: policy, value }: DeviceCapacity,
  path: FieldPath,
  isShared: boolean,
): FieldError[] {
  if (policy === undefined) return [];
  const at = path.child("requestPolicy");
  if (!isShared) return [forbidden(at, "allowMultipleAllocations must be true")];
  const values = policy.validValues ?? [];
  if (values.length > 0 && policy.validRange !== undefined) {
    const why =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" ' +
      "at the same time";
    return [forbidden(at, why)];
  }
  const given = values.length > 0 ? "validValues" : "validRange";
  if (values.length === 0 && policy.validRange === undefined) return [];
  if (policy.default === undefined) {
    return [required(at.child("default"), `required when ${given} is defined`)];
  }
  const capacity = quantity(value);
  return policy.validRange === undefined
    ? validateValues(policy, capacity, at.child(given))
    : validateRange(policy.validRange, quantity(policy.default), capacity, at.child(given));
}
