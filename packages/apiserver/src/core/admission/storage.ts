/**
 * DefaultStorageClass, StorageObjectInUseProtection and PersistentVolumeClaimResize.
 *
 * Source  plugin/pkg/admission/storage/{storageclass/setdefault,storageobjectinuseprotection,
 *         persistentvolume/resize}/admission.go
 */
import type { PersistentVolumeClaim } from "@nanokube/api/core/v1";
import type { StorageClass } from "@nanokube/api/storage/v1";
import { compareQuantities } from "../../resources/resource-list.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";

const classAnnotation = "volume.beta.kubernetes.io/storage-class";
const defaultAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** Of several defaults the newest, then the first by name. */
export function newestDefault<T extends StorageClass>(
  classes: readonly T[],
  annotations: readonly string[],
): T | undefined {
  const time = (one: T) => Date.parse(one.metadata?.creationTimestamp ?? "") || 0;
  return classes
    .filter((one) => annotations.some((key) => one.metadata?.annotations?.[key] === "true"))
    .sort(
      (a, b) => time(b) - time(a) || ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1),
    )[0];
}

export const defaultStorageClass: AdmissionPlugin = {
  name: "DefaultStorageClass",
  handles: (attributes) =>
    attributes.operation === "CREATE" && isFor(attributes, "", "persistentvolumeclaims"),
  async admit({ object }, reader) {
    const claim = object as PersistentVolumeClaim;
    const annotated = claim.metadata?.annotations?.[classAnnotation] !== undefined;
    if (claim.spec?.storageClassName !== undefined || annotated) return;
    const classes = (await reader.list(
      "storage.k8s.io",
      "storageclasses",
    )) as readonly StorageClass[];
    const chosen = newestDefault(classes, defaultAnnotations)?.metadata?.name;
    if (chosen !== undefined) claim.spec = { ...claim.spec, storageClassName: chosen };
  },
};

const finalizers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: "kubernetes.io/pvc-protection",
  persistentvolumes: "kubernetes.io/pv-protection",
  volumeattributesclasses: "kubernetes.io/vac-protection",
};

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  handles: ({ operation, resource, subresource }) =>
    operation === "CREATE" &&
    ["", "storage.k8s.io"].includes(resource.group) &&
    subresource === "" &&
    finalizers[resource.plural] !== undefined,
  admit({ object, resource }) {
    const finalizer = finalizers[resource.plural];
    if (object === undefined || finalizer === undefined) return;
    object.metadata ??= {};
    const own = object.metadata.finalizers ?? [];
    if (!own.includes(finalizer)) object.metadata.finalizers = [...own, finalizer];
  },
};

export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: "PersistentVolumeClaimResize",
  handles: (attributes) =>
    attributes.operation === "UPDATE" && isFor(attributes, "", "persistentvolumeclaims"),
  async validate(attributes, reader) {
    const claim = attributes.object as PersistentVolumeClaim;
    const old = attributes.oldObject as PersistentVolumeClaim;
    const size = (one: PersistentVolumeClaim) =>
      String(one.spec?.resources?.requests?.storage ?? "0");
    if (compareQuantities(size(claim), size(old)) <= 0) return;
    if (old.status?.phase !== "Bound") {
      throw refuse(attributes, "Only bound persistent volume claims can be expanded");
    }
    const name = old.metadata?.annotations?.[classAnnotation] ?? old.spec?.storageClassName;
    const found = name ? await reader.get("storage.k8s.io", "storageclasses", "", name) : undefined;
    if ((found as StorageClass | undefined)?.allowVolumeExpansion) return;
    const why =
      "only dynamically provisioned pvc can be resized and the storageclass that provisions the " +
      "pvc must support resize";
    throw refuse(attributes, why);
  },
};
