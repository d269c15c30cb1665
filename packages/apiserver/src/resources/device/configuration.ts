/**
 * What a claim or a class hands to a driver unread, and other objects without a schema.
 *
 * Source  pkg/apis/resource/validation/validation.go validateDeviceConfiguration
 */
import type { DeviceConfiguration } from "@nanokube/api/resource/v1";
import { isPlainObject } from "@nanokube/machinery";
import { type FieldError, type FieldPath, invalid, required, tooLong } from "../field.ts";
import { byteLength } from "../names.ts";
import { validateDriverName } from "./names.ts";

const parametersMaxBytes = 10 * 1024;

/** `stored`: it was there before, and is not measured again. */
export function validateRawObject(value: unknown, path: FieldPath, stored: boolean): FieldError[] {
  if (value === undefined || value === null) return [required(path)];
  if (!stored && byteLength(JSON.stringify(value)) > parametersMaxBytes) {
    return [tooLong(path, "", parametersMaxBytes)];
  }
  if (isPlainObject(value)) return [];
  return [invalid(path, "<value omitted>", "must be a valid JSON object")];
}

export function validateConfiguration(
  { opaque }: DeviceConfiguration,
  path: FieldPath,
  stored: boolean,
): FieldError[] {
  const at = path.child("opaque");
  if (opaque === undefined) return [required(at)];
  return [
    ...validateDriverName(opaque.driver ?? "", at.child("driver")),
    ...validateRawObject(opaque.parameters, at.child("parameters"), stored),
  ];
}
