/**
 * Where a custom resource keeps the numbers of its scale subresource: neither may be negative.
 *
 * Source  apiextensions-apiserver pkg/registry/customresource/validator.go
 */
import { type FieldError, invalidValue, type KubeObject } from "@nanokube/machinery";
import { findAll, parseJSONPath } from "./json-path.ts";

export interface ScalePaths {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
}

const most = 2 ** 31 - 1;

export function validateScale(
  scale: ScalePaths | undefined,
  object: KubeObject,
  parts: readonly ("spec" | "status")[],
): FieldError[] {
  if (scale === undefined) return [];
  return parts.flatMap((part) => {
    const path = scale[`${part}ReplicasPath`];
    const [value] = findAll(parseJSONPath(path) ?? [], object);
    if (typeof value !== "number") return [];
    if (value < 0) return [invalidValue(path, value, "should be a non-negative integer")];
    if (value <= most) return [];
    return [invalidValue(path, value, `should be less than or equal to ${most}`)];
  });
}
