/**
 * PersistentVolumeClaim: a request for storage.
 *
 * Source  pkg/registry/core/persistentvolumeclaim/strategy.go,
 *         pkg/api/persistentvolumeclaim/util.go NormalizeDataSources
 */
import type { PersistentVolumeClaim } from "@nanokube/api/core/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { type FieldError, field, forbidden } from "../field.ts";
import { kind } from "../generic.ts";
import { validateImmutable } from "../object-meta.ts";
import { compareQuantities } from "../resource-list.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, nameOf } from "../table.ts";
import { accessModesText } from "./access-modes.ts";
import { validateClaimSpec } from "./claim-validation.ts";
import { typedDiff } from "./pod/unified-diff.ts";

const classAnnotation = "volume.beta.kubernetes.io/storage-class";

export function defaultClaim(claim: PersistentVolumeClaim): void {
  claim.spec ??= {};
  claim.spec.volumeMode ??= "Filesystem";
  claim.status ??= {};
  claim.status.phase ||= "Pending";
}

/**
 * dataSource and dataSourceRef say the same; each fills the other in. A source in another
 * namespace is behind a gate that is off: it is none.
 */
function normalizeDataSources(claim: PersistentVolumeClaim, old?: PersistentVolumeClaim): void {
  const spec = claim.spec;
  if (spec === undefined) return;
  if (spec.dataSourceRef?.namespace && !old?.spec?.dataSourceRef) delete spec.dataSourceRef;
  const known =
    spec.dataSource?.kind === "PersistentVolumeClaim" || spec.dataSource?.kind === "VolumeSnapshot";
  if (spec.dataSource && !spec.dataSourceRef && !known) delete spec.dataSource;
  if (spec.dataSourceRef?.namespace) return;
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
  else if (spec.dataSourceRef && !spec.dataSource) spec.dataSource = { ...spec.dataSourceRef };
}

/** The old and new spec with what may change made equal. */
function munge(claim: PersistentVolumeClaim, old: PersistentVolumeClaim) {
  const now = structuredClone(claim.spec ?? {});
  const before = structuredClone(old.spec ?? {});
  if (!before.volumeName) before.volumeName = now.volumeName;
  const annotated = old.metadata?.annotations?.[classAnnotation];
  const mayNameClass = annotated === undefined || annotated === now.storageClassName;
  if (before.storageClassName === undefined && mayNameClass) {
    before.storageClassName = now.storageClassName;
  }
  if (claim.status?.phase === "Bound") {
    const requests = now.resources?.requests;
    if (requests && before.resources?.requests?.storage !== undefined) {
      requests.storage = before.resources.requests.storage;
    }
    now.volumeAttributesClassName = before.volumeAttributesClassName;
  }
  return { now, before };
}

function validateUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors = validateClaimSpec(claim.spec ?? {}, field("spec"));
  const { now, before } = munge(claim, old);
  if (!semanticEqual(now, before)) {
    const why =
      "spec is immutable after creation except resources.requests and " +
      "volumeAttributesClassName for bound claims\n";
    errors.push(
      forbidden(
        field("spec"),
        why + typedDiff("io.k8s.api.core.v1.PersistentVolumeClaimSpec", before, now),
      ),
    );
  }
  const [size, oldSize, real] = [
    claim.spec?.resources?.requests?.storage,
    old.spec?.resources?.requests?.storage,
    old.status?.capacity?.storage,
  ].map((value) => String(value ?? "0"));
  if (compareQuantities(size, oldSize) < 0 && compareQuantities(size, real) <= 0) {
    const at = field("spec", "resources", "requests", "storage");
    errors.push(forbidden(at, "field can not be less than status.capacity"));
  }
  const mode = validateImmutable(claim.spec?.volumeMode, old.spec?.volumeMode, field("volumeMode"));
  return [...errors, ...mode];
}

function claimRow(claim: PersistentVolumeClaim, now: number): unknown[] {
  const { spec, status, metadata } = claim;
  const bound = Boolean(spec?.volumeName);
  return [
    nameOf(claim),
    metadata?.deletionTimestamp ? "Terminating" : (status?.phase ?? ""),
    spec?.volumeName ?? "",
    bound ? String(status?.capacity?.storage ?? "0") : "",
    bound ? accessModesText(status?.accessModes) : "",
    metadata?.annotations?.[classAnnotation] ?? spec?.storageClassName ?? "",
    spec?.volumeAttributesClassName ?? "<unset>",
    age(claim, now),
    spec?.volumeMode ?? "<unset>",
  ];
}

export const persistentVolumeClaimStrategy: ResourceStrategy = kind(
  { updateMeta: ["update", "whole"], status: true, initialStatus: () => ({ phase: "Pending" }) },
  {
    default: (object) => defaultClaim(object as PersistentVolumeClaim),
    prepareForCreate: (object) => normalizeDataSources(object as PersistentVolumeClaim),
    prepareForUpdate(object, old, { subresource }) {
      if (subresource !== "") return;
      normalizeDataSources(object as PersistentVolumeClaim, old as PersistentVolumeClaim);
    },
    validate: (object) =>
      validateClaimSpec((object as PersistentVolumeClaim).spec ?? {}, field("spec")),
    validateUpdate: (object, old, { subresource }) =>
      subresource === "status"
        ? []
        : validateUpdate(object as PersistentVolumeClaim, old as PersistentVolumeClaim),
    columns: columns(
      "Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, " +
        "VolumeMode*",
    ),
    row: (object, now) => claimRow(object as PersistentVolumeClaim, now),
  },
);
