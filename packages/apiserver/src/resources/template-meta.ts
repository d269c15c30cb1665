/**
 * The metadata of a template that objects are made from: labels and annotations, nothing else.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateTemplateObjectMeta
 */
import type { ObjectMeta } from "@nanokube/api/meta/v1";
import { type FieldError, type FieldPath, forbidden } from "./field.ts";
import { validateLabels } from "./labels.ts";
import { validateAnnotations } from "./object-meta.ts";

/** In upstream's order; the second word is the Go field with a small first letter. */
const others = [
  ["name", "name"],
  ["generateName", "generateName"],
  ["namespace", "namespace"],
  ["selfLink", "selfLink"],
  ["uid", "uID"],
  ["resourceVersion", "resourceVersion"],
  ["generation", "generation"],
  ["creationTimestamp", "creationTimestamp"],
  ["deletionTimestamp", "deletionTimestamp"],
  ["deletionGracePeriodSeconds", "deletionGracePeriodSeconds"],
  ["ownerReferences", "ownerReferences"],
  ["finalizers", "finalizers"],
  ["managedFields", "managedFields"],
] as const;

/** A pointer or a list that is there is set, even to nothing; a word or a number has to say some. */
function isSet(meta: ObjectMeta, key: (typeof others)[number][0]): boolean {
  const value = meta[key];
  if (value === undefined || value === null || value === "") return false;
  return value !== 0 || key === "deletionGracePeriodSeconds";
}

export function validateTemplateMeta(meta: ObjectMeta | undefined, path: FieldPath): FieldError[] {
  if (meta === undefined) return [];
  return [
    ...validateAnnotations(meta.annotations, path.child("annotations")),
    ...validateLabels(meta.labels, path.child("labels")),
    ...others
      .filter(([key]) => isSet(meta, key))
      .map(([, word]) => forbidden(path.child(word), "cannot be set")),
  ];
}
