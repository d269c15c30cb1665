/**
 * ConfigMap: small pieces of configuration.
 *
 * Source  pkg/registry/core/configmap/strategy.go, pkg/apis/core/validation/validation.go
 */
import type { ConfigMap } from "@nanokube/api/core/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { check, type FieldError, field, invalid, tooLong } from "../field.ts";
import { kind } from "../generic.ts";
import { byteLength, configMapKey } from "../names.ts";
import { age, columns, nameOf } from "../table.ts";
import { validateFrozen } from "./frozen.ts";
import { decodedLength, maxDataBytes } from "./secret.ts";

function validateConfigMap(map: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(map.data ?? {})) {
    const at = field("data").key(key);
    errors.push(...check(at, key, configMapKey));
    if (map.binaryData?.[key] !== undefined) {
      errors.push(invalid(at, key, "duplicate of key present in binaryData"));
    }
    size += byteLength(value);
  }
  for (const [key, value] of Object.entries(map.binaryData ?? {})) {
    errors.push(...check(field("binaryData").key(key), key, configMapKey));
    size += decodedLength(value);
  }
  if (size > maxDataBytes) errors.push(tooLong(field(""), "", maxDataBytes));
  return errors;
}

export const configMapStrategy: ResourceStrategy = kind(
  { updateMeta: ["update", "whole"] },
  {
    validate: (object) => validateConfigMap(object as ConfigMap),
    validateUpdate: (object, old) => [
      ...validateFrozen(object, old, ["data", "binaryData"]),
      ...validateConfigMap(object as ConfigMap),
    ],
    columns: columns("Name, Data, Age"),
    row(object, now) {
      const { data, binaryData } = object as ConfigMap;
      const count = Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length;
      return [nameOf(object), count, age(object, now)];
    },
  },
);
