/**
 * Namespace: it is deleted in two steps. Deletion marks it Terminating; the namespace controller
 * empties it and then takes "kubernetes" from spec.finalizers through the finalize subresource.
 *
 * Source  pkg/registry/core/namespace/strategy.go
 */
import type { Namespace } from "@nanokube/api/core/v1";
import type { FieldError } from "@nanokube/machinery";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { check, field, invalid } from "../field.ts";
import { copyField, kind } from "../generic.ts";
import { dns1123Label, qualifiedName } from "../names.ts";
import { validateKubeFinalizer } from "../object-meta.ts";
import { age, columns, nameOf } from "../table.ts";

const nameLabel = "kubernetes.io/metadata.name";

function defaultNamespace(namespace: Namespace): void {
  namespace.metadata ??= {};
  const metadata = namespace.metadata;
  // A generated name is not known yet: prepareForCreate adds the label then.
  if (metadata.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
  namespace.status ??= {};
  namespace.status.phase ||= "Active";
}

/** Of a new namespace upstream does not say which finalizer is meant. */
function validateFinalizers(namespace: Namespace, isNew: boolean): FieldError[] {
  const path = field("spec", "finalizers");
  return (namespace.spec?.finalizers ?? []).flatMap((name, i) => {
    const at = isNew ? path : path.index(i);
    return [...check(at, name, qualifiedName), ...validateKubeFinalizer(name, at)];
  });
}

function validateStatus(namespace: Namespace): FieldError[] {
  const phase = namespace.status?.phase ?? "";
  const deleting = Boolean(namespace.metadata?.deletionTimestamp);
  const path = field("status", "phase");
  if (!deleting && phase !== "Active") {
    return [invalid(path, phase, "may only be 'Active' if `deletionTimestamp` is empty")];
  }
  if (deleting && phase !== "Terminating") {
    return [invalid(path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
  }
  return [];
}

export const namespaceStrategy: ResourceStrategy = kind(
  {
    updateMeta: ["whole", "update"],
    status: true,
    initialStatus: () => ({ phase: "Active" }),
    name: dns1123Label,
  },
  {
    default: (object) => defaultNamespace(object as Namespace),
    prepareForCreate(object) {
      const namespace = object as Namespace;
      const { metadata = {} } = namespace;
      metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name ?? "" };
      const finalizers = namespace.spec?.finalizers ?? [];
      if (finalizers.includes("kubernetes")) return;
      namespace.spec = { ...namespace.spec, finalizers: [...finalizers, "kubernetes"] };
    },
    prepareForUpdate(object, old, { subresource }) {
      object.spec ??= {};
      if (subresource === "") copyField(object.spec as object, old.spec ?? {}, "finalizers");
      if (subresource === "finalize") copyField(object, old, "status");
    },
    validate: (object) => validateFinalizers(object as Namespace, true),
    validateUpdate(object, _old, { subresource }) {
      if (subresource === "status") return validateStatus(object as Namespace);
      if (subresource === "finalize") return validateFinalizers(object as Namespace, false);
      return [];
    },
    selectableFields: (object) => ({
      "status.phase": (object as Namespace).status?.phase ?? "",
      name: nameOf(object),
    }),
    columns: columns("Name, Status, Age"),
    row: (object, now) => [
      nameOf(object),
      (object as Namespace).status?.phase ?? "",
      age(object, now),
    ],
  },
);
