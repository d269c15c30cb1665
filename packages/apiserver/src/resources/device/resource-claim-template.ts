/**
 * ResourceClaimTemplate: the claim that each pod gets for itself. It never changes.
 *
 * Source  pkg/registry/resource/resourceclaimtemplate/strategy.go
 */
import type { ResourceClaimTemplate } from "@nanokube/api/resource/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { type FieldError, field } from "../field.ts";
import { kind } from "../generic.ts";
import { validateImmutable, validateObjectMetaUpdate } from "../object-meta.ts";
import { validateTemplateMeta } from "../template-meta.ts";
import { defaultDeviceClaim, validateAdminAccess, validateDeviceClaim } from "./device-claim.ts";

function validateTemplate({ spec }: ResourceClaimTemplate): FieldError[] {
  return [
    ...validateTemplateMeta(spec?.metadata, field("spec", "metadata")),
    ...validateDeviceClaim(spec?.spec?.devices, field("spec", "spec", "devices")),
  ];
}

export const resourceClaimTemplateStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole"] },
  {
    default: (object) => defaultDeviceClaim((object as ResourceClaimTemplate).spec?.spec?.devices),
    validate(object, { namespaceLabels }) {
      const template = object as ResourceClaimTemplate;
      return [
        ...validateAdminAccess(template.spec?.spec?.devices, namespaceLabels?.()),
        ...validateTemplate(template),
      ];
    },
    validateUpdate: (object, old) => [
      ...validateTemplate(object as ResourceClaimTemplate),
      ...validateObjectMetaUpdate(object.metadata ?? {}, old.metadata ?? {}),
      ...validateImmutable(object.spec ?? {}, old.spec, field("spec")),
    ],
  },
);
