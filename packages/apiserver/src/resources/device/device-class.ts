/**
 * DeviceClass: a kind of device that claims may ask for by name.
 *
 * Source  pkg/registry/resource/deviceclass/strategy.go, pkg/apis/resource/validation/validation.go
 */
import type { DeviceClass } from "@nanokube/api/resource/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { type FieldError, field, invalid } from "../field.ts";
import { kind } from "../generic.ts";
import { longNameOnly } from "../names.ts";
import { isExtendedResource } from "../resource-names.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { validateList } from "./collections.ts";
import { validateConfiguration } from "./configuration.ts";
import { validateSelectors } from "./selector.ts";

const configMax = 32;

function validateSpec({ spec = {} }: DeviceClass, old?: DeviceClass): FieldError[] {
  const path = field("spec");
  const stored = old !== undefined && semanticEqual(spec.config, old.spec?.config);
  const errors = [
    ...validateSelectors(spec.selectors, path.child("selectors")),
    ...validateList(spec.config, configMax, path.child("config"), (config, at) =>
      validateConfiguration(config, at, stored),
    ),
  ];
  const name = spec.extendedResourceName;
  if (name !== undefined && !isExtendedResource(name)) {
    const why = "must be a valid extended resource name";
    errors.push(invalid(path.child("extendedResourceName"), name, why));
  }
  return errors;
}

export const deviceClassStrategy: ResourceStrategy = kind(
  { generation: ["spec"], name: longNameOnly, updateMeta: ["whole", "update"] },
  {
    validate: (object) => validateSpec(object as DeviceClass),
    validateUpdate: (object, old) => validateSpec(object as DeviceClass, old as DeviceClass),
  },
);
