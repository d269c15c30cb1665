/**
 * PersistentVolume: a piece of storage.
 *
 * Source  pkg/registry/core/persistentvolume/strategy.go,
 *         pkg/apis/core/validation/validation.go ValidatePersistentVolume
 */

import { internalMembers, jsonFields } from "@nanokube/api";
import type { PersistentVolume, PersistentVolumeSpec } from "@nanokube/api/core/v1";
import { GoText, internalTree, marshalGo } from "@nanokube/machinery";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  required,
} from "../field.ts";
import { kind } from "../generic.ts";
import { dns1123Label, dns1123Subdomain } from "../names.ts";
import { validateImmutable, validateObjectMeta } from "../object-meta.ts";
import { validateNoBacksteps } from "../paths.ts";
import { compareQuantities } from "../resource-list.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, nameOf } from "../table.ts";
import { accessModesText } from "./access-modes.ts";
import { validateAccessModes } from "./claim-validation.ts";
import { validateCSIDriverName } from "./csi-driver-name.ts";
import { validateNodeSelector } from "./pod/affinity.ts";
import { unifiedDiff } from "./pod/unified-diff.ts";
import { defaultSharedSource, surplusName, validateSharedSource } from "./volume-sources.ts";

const sourceKeys = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "glusterfs",
  "flocker",
  "nfs",
  "rbd",
  "quobyte",
  "cephfs",
  "iscsi",
  "cinder",
  "fc",
  "flexVolume",
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "scaleIO",
  "local",
  "storageos",
  "csi",
] as const;

function sourceOf(spec: PersistentVolumeSpec): Record<string, unknown> {
  return Object.fromEntries(sourceKeys.flatMap((key) => (spec[key] ? [[key, spec[key]]] : [])));
}

function validateCSI(csi: NonNullable<PersistentVolumeSpec["csi"]>, path: FieldPath) {
  const errors = validateCSIDriverName(csi.driver ?? "", path.child("driver"));
  if (!csi.volumeHandle) errors.push(required(path.child("volumeHandle")));
  for (const key of [
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
  ] as const) {
    const secret = csi[key];
    if (secret === undefined) continue;
    const at = path.child(key);
    if (!secret.name) errors.push(required(at.child("name")));
    else errors.push(...check(at.child("name"), secret.name, dns1123Subdomain));
    if (!secret.namespace) errors.push(required(at.child("namespace")));
    else errors.push(...check(at.child("namespace"), secret.namespace, dns1123Label));
  }
  return errors;
}

function validateSource({ metadata, spec = {} }: PersistentVolume, path: FieldPath): FieldError[] {
  const given = sourceKeys.filter((key) => spec[key] !== undefined);
  if (given.length === 0) return [required(path, "must specify a volume type")];
  const place = { path, owner: "persistent volume", name: metadata?.name ?? "" } as const;
  return given.flatMap((key, i) => {
    if (i > 0 && key !== "flexVolume") {
      const surplus = path.child(surplusName(key));
      return [forbidden(surplus, "may not specify more than 1 volume type")];
    }
    if (key === "csi") return validateCSI(spec.csi ?? {}, path.child(key));
    if (key === "local") return validateLocal(spec, path);
    return validateSharedSource(key, spec[key] as object, place);
  });
}

function validateLocal({ local, nodeAffinity }: PersistentVolumeSpec, path: FieldPath) {
  const own = local?.path ?? "";
  const at = path.child("local", "path");
  const errors = [...(own === "" ? [required(at)] : []), ...validateNoBacksteps(own, at)];
  if (nodeAffinity === undefined) {
    errors.push(required(path.child("nodeAffinity"), "Local volume requires node affinity"));
  }
  return errors;
}

function validateCapacity(spec: PersistentVolumeSpec, path: FieldPath): FieldError[] {
  const at = path.child("capacity");
  const names = Object.keys(spec.capacity ?? {});
  const errors = names.length === 0 ? [required(at)] : [];
  if (names.length !== 1 || names[0] !== "storage") {
    errors.push(notSupported(at, spec.capacity ?? null, ["storage"]));
  }
  const storage = spec.capacity?.storage;
  if (storage !== undefined && compareQuantities(String(storage), "0") <= 0) {
    errors.push(invalid(at.key("storage"), String(storage), "must be greater than zero"));
  }
  return errors;
}

function validateSpec(volume: PersistentVolume): FieldError[] {
  const spec = volume.spec ?? {};
  const path = field("spec");
  const errors = [
    ...validateAccessModes(spec.accessModes, path.child("accessModes"), ""),
    ...validateCapacity(spec, path),
  ];
  if (spec.persistentVolumeReclaimPolicy) {
    const at = path.child("persistentVolumeReclaimPolicy");
    const policies = ["Delete", "Recycle", "Retain"];
    errors.push(...oneOf(at, spec.persistentVolumeReclaimPolicy, policies));
  }
  const affinity = spec.nodeAffinity;
  const at = path.child("nodeAffinity");
  if (affinity !== undefined) {
    if (affinity.required === undefined) {
      errors.push(required(at.child("required"), "must specify required node constraints"));
    } else {
      errors.push(...validateNodeSelector(affinity.required, at.child("required")));
    }
  }
  errors.push(...validateSource(volume, path));
  if (spec.hostPath?.path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle") {
    const why = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbidden(path.child("persistentVolumeReclaimPolicy"), why));
  }
  if (spec.storageClassName) {
    errors.push(...check(path.child("storageClassName"), spec.storageClassName, dns1123Subdomain));
  }
  if (spec.volumeMode !== undefined) {
    errors.push(...oneOf(path.child("volumeMode"), spec.volumeMode, ["Block", "Filesystem"]));
  }
  return [...errors, ...validateAttributesClass(spec, path)];
}

function validateAttributesClass(spec: PersistentVolumeSpec, path: FieldPath): FieldError[] {
  const name = spec.volumeAttributesClassName;
  if (name === undefined) return [];
  const at = path.child("volumeAttributesClassName");
  const why = "has to be specified when using volumeAttributesClassName";
  return [
    ...(name === "" ? [required(at, "an empty string is disallowed")] : []),
    ...(name === "" ? [] : check(at, name, dns1123Subdomain)),
    ...(spec.csi === undefined ? [required(path.child("csi"), why)] : []),
  ];
}

const specType = "io.k8s.api.core.v1.PersistentVolumeSpec";
const affinityType = "io.k8s.api.core.v1.VolumeNodeAffinity";
const sourceType = "io.k8s.api.core.v1.PersistentVolumeSource";

/** The source alone, as upstream prints it: its kinds are members of the spec. */
function printedSource(spec: NonNullable<PersistentVolume["spec"]>): unknown {
  const kinds = jsonFields(sourceType) ?? {};
  const names = (internalMembers(specType) ?? []).flatMap(([goName, name]) =>
    Object.hasOwn(kinds, name) ? [goName] : [],
  );
  const tree = internalTree(specType, spec) as Record<string, unknown>;
  return Object.fromEntries(names.map((goName) => [goName, tree[goName]]));
}

/** An expansion's secret may come later. */
function withoutNewSecret(now: PersistentVolumeSpec, before: PersistentVolumeSpec) {
  const isNew =
    before.csi !== undefined &&
    before.csi.controllerExpandSecretRef === undefined &&
    now.csi?.controllerExpandSecretRef !== undefined;
  if (!isNew) return now;
  const { controllerExpandSecretRef: _, ...csi } = now.csi!;
  return { ...now, csi };
}

const gaLabels: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/os": "kubernetes.io/os",
  "beta.kubernetes.io/arch": "kubernetes.io/arch",
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
  "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
};

/** `old` with the labels of today where the new terms use them. */
function renamed(
  old: PersistentVolumeSpec["nodeAffinity"],
  now: PersistentVolumeSpec["nodeAffinity"],
) {
  const terms = old?.required?.nodeSelectorTerms?.map((term, t) => ({
    ...term,
    matchExpressions: term.matchExpressions?.map((one, i) => {
      const key = now?.required?.nodeSelectorTerms?.[t]?.matchExpressions?.[i]?.key;
      return (gaLabels[one.key ?? ""] ?? "") === (key ?? "") ? { ...one, key: key ?? "" } : one;
    }),
  }));
  return { required: { nodeSelectorTerms: terms } };
}

/** Upstream looks at the whole volume twice. */
function validateUpdate(volume: PersistentVolume, old: PersistentVolume): FieldError[] {
  const path = field("metadata");
  const errors = [
    ...validateSpec(volume),
    ...validateObjectMeta(volume.metadata ?? {}, false, dns1123Subdomain, path),
    ...validateSpec(volume),
  ];
  const [now, before] = [volume.spec ?? {}, old.spec ?? {}];
  const changed = withoutNewSecret(now, before);
  if (!semanticEqual(sourceOf(changed), sourceOf(before))) {
    const why = "spec.persistentvolumesource is immutable after creation\n";
    const diff = unifiedDiff(printedSource(before), printedSource(changed));
    errors.push(forbidden(field("spec", "persistentvolumesource"), why + diff));
  }
  errors.push(...validateImmutable(now.volumeMode, before.volumeMode, field("volumeMode")));
  const affinity = before.nodeAffinity;
  if (
    affinity !== undefined &&
    !semanticEqual(now.nodeAffinity, renamed(affinity, now.nodeAffinity))
  ) {
    const why = "field is immutable, except for updating from beta label to GA";
    const shown =
      now.nodeAffinity === undefined
        ? null
        : new GoText(marshalGo(internalTree(affinityType, now.nodeAffinity)));
    errors.push(invalid(field("nodeAffinity"), shown, why));
  }
  if (
    before.volumeAttributesClassName !== undefined &&
    now.volumeAttributesClassName === undefined
  ) {
    const at = field("spec", "volumeAttributesClassName");
    errors.push(forbidden(at, "update from non-nil value to nil is forbidden"));
  }
  return errors;
}

function stamp(now: number): string {
  return new Date(Math.floor(now / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

function volumeRow(volume: PersistentVolume, now: number): unknown[] {
  const { spec, status, metadata } = volume;
  const claim = spec?.claimRef;
  return [
    nameOf(volume),
    String(spec?.capacity?.storage ?? "0"),
    accessModesText(spec?.accessModes),
    spec?.persistentVolumeReclaimPolicy ?? "",
    metadata?.deletionTimestamp ? "Terminating" : (status?.phase ?? ""),
    claim ? `${claim.namespace ?? ""}/${claim.name ?? ""}` : "",
    metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"] ??
      spec?.storageClassName ??
      "",
    spec?.volumeAttributesClassName ?? "<unset>",
    status?.reason ?? "",
    age(volume, now),
    spec?.volumeMode ?? "<unset>",
  ];
}

export const persistentVolumeStrategy: ResourceStrategy = kind(
  {
    updateMeta: ["whole"],
    status: true,
    initialStatus: (_object, { now }) => ({
      phase: "Pending",
      lastPhaseTransitionTime: stamp(now),
    }),
  },
  {
    default(object) {
      const volume = object as PersistentVolume;
      volume.status ??= {};
      volume.status.phase ||= "Pending";
      volume.spec ??= {};
      volume.spec.persistentVolumeReclaimPolicy ||= "Retain";
      volume.spec.volumeMode ??= "Filesystem";
      defaultSharedSource(volume.spec);
    },
    prepareForUpdate(object, old, { subresource, now }) {
      if (subresource !== "status") return;
      const typed = object as PersistentVolume;
      typed.status ??= {};
      const status = typed.status;
      const before = (old as PersistentVolume).status;
      const kept = before?.lastPhaseTransitionTime;
      if (status.phase === before?.phase) status.lastPhaseTransitionTime ??= kept;
      else if (!status.lastPhaseTransitionTime || status.lastPhaseTransitionTime === kept) {
        status.lastPhaseTransitionTime = stamp(now);
      }
    },
    validate: (object) => validateSpec(object as PersistentVolume),
    validateUpdate: (object, old, { subresource }) =>
      subresource === "status"
        ? []
        : validateUpdate(object as PersistentVolume, old as PersistentVolume),
    columns: columns(
      "Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, " +
        "VolumeAttributesClass, Reason, Age, VolumeMode*",
    ),
    row: (object, now) => volumeRow(object as PersistentVolume, now),
  },
);
