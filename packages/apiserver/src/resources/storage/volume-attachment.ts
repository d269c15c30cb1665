/**
 * VolumeAttachment: a volume is to be attached to a node.
 *
 * Source  pkg/registry/storage/volumeattachment/strategy.go, pkg/apis/storage/validation
 */
import type { VolumeAttachment } from "@nanokube/api/storage/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { validateCSIDriverName } from "../core/csi-driver-name.ts";
import { check, type FieldError, field, forbidden, required } from "../field.ts";
import { allMetadata, kind } from "../generic.ts";
import { dns1123Subdomain } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import { age, columns, nameOf } from "../table.ts";

function validateAttachment(attachment: VolumeAttachment): FieldError[] {
  const { attacher = "", nodeName = "", source = {} } = attachment.spec ?? {};
  const path = field("spec");
  const errors = validateCSIDriverName(attacher, path.child("attacher"));
  const at = path.child("source");
  const { persistentVolumeName, inlineVolumeSpec } = source;
  const why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (persistentVolumeName === undefined && inlineVolumeSpec === undefined) {
    errors.push(required(at, why));
  } else if (persistentVolumeName !== undefined && inlineVolumeSpec !== undefined) {
    errors.push(forbidden(at, why));
  } else if (persistentVolumeName === "") {
    const empty = "must specify non empty persistentVolumeName";
    errors.push(required(at.child("persistentVolumeName"), empty));
  }
  errors.push(...check(path.child("nodeName"), nodeName, dns1123Subdomain));
  if (persistentVolumeName === undefined) return errors;
  const name = field("spec.source.persistentVolumeName");
  return [...errors, ...check(name, persistentVolumeName, dns1123Subdomain)];
}

export const volumeAttachmentStrategy: ResourceStrategy = kind(
  {
    updateMeta: ["whole"],
    status: true,
    initialStatus: () => ({ attached: false }),
    statusKeeps: allMetadata,
  },
  {
    validate: (object) => validateAttachment(object as VolumeAttachment),
    validateUpdate: (object, old) => [
      ...validateAttachment(object as VolumeAttachment),
      ...validateImmutable(object.spec, old.spec, field("spec")),
    ],
    allowUnconditionalUpdate: false,
    columns: columns("Name, Attacher, PV, Node, Attached:boolean, Age").map((column) =>
      column.name === "Attacher" ? { ...column, format: "name" } : column,
    ),
    row(object, now) {
      const { spec, status } = object as VolumeAttachment;
      return [
        nameOf(object),
        spec?.attacher ?? "",
        spec?.source?.persistentVolumeName ?? "",
        spec?.nodeName ?? "",
        status?.attached ?? false,
        age(object, now),
      ];
    },
  },
);
