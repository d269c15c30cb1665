/**
 * Volumes of a pod: exactly one source each.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateVolumes, validateVolumeSource
 */
import type { PodSpec, Volume } from "@nanokube/api/core/v1";
import type { ObjectMeta } from "@nanokube/api/meta/v1";
import { quoteGo } from "@nanokube/machinery";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  required,
} from "../../field.ts";
import { dns1123Label, dns1123Subdomain } from "../../names.ts";
import { validateLocalPath, validateMode } from "../../paths.ts";
import { compareQuantities } from "../../resource-list.ts";
import { validateTemplateMeta } from "../../template-meta.ts";
import { validateClaimSpec } from "../claim-validation.ts";
import { validateCSIDriverName } from "../csi-driver-name.ts";
import { isShared, need, surplusName, validateSharedSource } from "../volume-sources.ts";
import { validatePullPolicy } from "./container.ts";
import { validateItems } from "./items.ts";
import { validateDownwardFile, validateProjected } from "./projected.ts";

type Check = (volume: Volume, path: FieldPath) => FieldError[];

function validateEphemeral(volume: Volume, path: FieldPath): FieldError[] {
  const template = volume.ephemeral?.volumeClaimTemplate;
  const at = path.child("volumeClaimTemplate");
  if (template === undefined) return [required(at)];
  return [
    ...validateTemplateMeta(template.metadata, at.child("metadata")),
    ...validateClaimSpec(template.spec ?? {}, at.child("spec")),
  ];
}

/** In upstream's order: the first source given counts, others are one too many. */
const sources: readonly (keyof Volume | [keyof Volume, Check])[] = [
  [
    "emptyDir",
    ({ emptyDir }, path) =>
      emptyDir?.sizeLimit !== undefined && compareQuantities(String(emptyDir.sizeLimit), "0") < 0
        ? [forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity")]
        : [],
  ],
  "hostPath",
  [
    "gitRepo",
    ({ gitRepo }, path) => [
      ...need(path, { repository: gitRepo?.repository }),
      ...validateLocalPath(gitRepo?.directory ?? "", path.child("directory")),
    ],
  ],
  "gcePersistentDisk",
  "awsElasticBlockStore",
  [
    "secret",
    ({ secret }, path) => [
      ...need(path, { secretName: secret?.secretName }),
      ...validateMode(secret?.defaultMode, path.child("defaultMode")),
      ...validateItems(secret?.items, path.child("items")),
    ],
  ],
  "nfs",
  "iscsi",
  "glusterfs",
  "flocker",
  [
    "persistentVolumeClaim",
    ({ persistentVolumeClaim: v }, path) => need(path, { claimName: v?.claimName }),
  ],
  "rbd",
  "cinder",
  "cephfs",
  "quobyte",
  [
    "downwardAPI",
    ({ downwardAPI }, path) => [
      ...validateMode(downwardAPI?.defaultMode, path.child("defaultMode")),
      ...(downwardAPI?.items ?? []).flatMap((file) => validateDownwardFile(file, path)),
    ],
  ],
  "fc",
  "flexVolume",
  [
    "configMap",
    ({ configMap }, path) => [
      ...need(path, { name: configMap?.name }),
      ...validateMode(configMap?.defaultMode, path.child("defaultMode")),
      ...validateItems(configMap?.items, path.child("items")),
    ],
  ],
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "storageos",
  ["projected", ({ projected }, path) => validateProjected(projected ?? {}, path)],
  "scaleIO",
  [
    "csi",
    ({ csi }, path) => {
      const errors = validateCSIDriverName(csi?.driver ?? "", path.child("driver"));
      const secret = csi?.nodePublishSecretRef;
      if (secret === undefined) return errors;
      if (!secret.name) return [...errors, required(path.child("nodePublishSecretRef", "name"))];
      return [...errors, ...check(path.child("name"), secret.name, dns1123Subdomain)];
    },
  ],
  ["ephemeral", validateEphemeral],
  ["image", ({ image }, path) => validatePullPolicy(image?.pullPolicy, path.child("pullPolicy"))],
];

function validateSource(volume: Volume, meta: ObjectMeta | undefined, path: FieldPath) {
  const errors: FieldError[] = [];
  let found = 0;
  for (const entry of sources) {
    const [type, validate] = typeof entry === "string" ? [entry] : entry;
    const source = volume[type];
    if (source === undefined) continue;
    const at = path.child(type);
    if (found++ > 0) {
      const surplus = path.child(surplusName(type));
      errors.push(forbidden(surplus, "may not specify more than 1 volume type"));
      continue;
    }
    if (validate !== undefined) errors.push(...validate(volume, at));
    else if (isShared(type)) {
      errors.push(
        ...validateSharedSource(type, source as object, { path, owner: "pod", name: "" }),
      );
    }
    if (type === "image" && meta !== undefined && !volume.image?.reference) {
      errors.unshift(required(at.child("reference")));
    }
    if (type === "ephemeral" && meta?.name && volume.name) {
      const claim = `${meta.name}-${volume.name}`;
      for (const why of dns1123Subdomain(claim)) {
        errors.push(invalid(path.child("name"), volume.name, `PVC name ${quoteGo(claim)}: ${why}`));
      }
    }
  }
  if (found === 0) errors.push(required(path, "must specify a volume type"));
  return errors;
}

/** Only volumes without errors may be mounted; the others would be reported twice. */
export function validateVolumes(
  spec: PodSpec,
  meta: ObjectMeta | undefined,
  path: FieldPath,
): { errors: FieldError[]; volumes: Map<string, Volume> } {
  const volumes = new Map<string, Volume>();
  const created = new Set(
    (spec.volumes ?? [])
      .filter((volume) => volume.ephemeral !== undefined && meta?.name)
      .map((volume) => `${meta?.name}-${volume.name}`),
  );
  const errors: FieldError[] = [];
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    const at = path.index(i);
    const { name = "" } = volume;
    const own = validateSource(volume, meta, at);
    if (name === "") own.push(required(at.child("name")));
    else own.push(...check(at.child("name"), name, dns1123Label));
    if (volumes.has(name)) own.push(duplicate(at.child("name"), name));
    if (own.length === 0) volumes.set(name, volume);
    errors.push(...own);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && created.has(claim)) {
      const why = "must not reference a PVC that gets created for an ephemeral volume";
      errors.push(invalid(at.child("persistentVolumeClaim", "claimName"), claim, why));
    }
  }
  return { errors, volumes };
}
