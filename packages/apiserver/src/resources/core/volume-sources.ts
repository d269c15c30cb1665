/**
 * Sources of volumes that pods and persistent volumes have in common: disks of other systems.
 *
 * Shapes  `owner` says for whom: a persistent volume names the namespace of its secrets too
 * Source  pkg/apis/core/validation/validation.go validateGCEPersistentDiskVolumeSource and the like
 */
import type { PersistentVolumeSpec, Volume } from "@nanokube/api/core/v1";
import {
  check,
  type FieldError,
  type FieldPath,
  invalid,
  notSupported,
  oneOf,
  required,
} from "../field.ts";
import { dns1123Label, rangeError } from "../names.ts";
import { validateNoBacksteps } from "../paths.ts";

export type Owner = "pod" | "persistent volume";

/** What both kinds of volumes can be; some fields are those of one of them only. */
export type SharedSources = Pick<Volume, SharedKey> & Pick<PersistentVolumeSpec, SharedKey>;

type SharedKey = Extract<keyof Volume, keyof PersistentVolumeSpec>;

interface Place {
  path: FieldPath;
  owner: Owner;
  /** The persistent volume's. */
  name: string;
}

type Check<Key extends SharedKey> = (
  source: NonNullable<SharedSources[Key]>,
  place: Place,
) => FieldError[];

/** Fields that have to say something. */
export function need(path: FieldPath, fields: Record<string, string | undefined>): FieldError[] {
  return Object.entries(fields)
    .filter(([, value]) => !value)
    .map(([name]) => required(path.child(name)));
}

function validatePartition(partition: number | undefined, path: FieldPath): FieldError[] {
  const at = path.child("partition");
  if (partition === undefined || (partition >= 0 && partition <= 255)) return [];
  return [invalid(at, partition, rangeError(1, 255))];
}

function validateLun(lun: number, path: FieldPath): FieldError[] {
  return lun >= 0 && lun <= 255 ? [] : [invalid(path, lun, rangeError(0, 255))];
}

interface SecretReference {
  name?: string;
  namespace?: string;
}

function needSecret(secret: SecretReference | undefined, { path, owner }: Place): FieldError[] {
  if (secret === undefined) return [];
  const at = path.child("secretRef");
  return need(at, {
    name: secret.name,
    ...(owner === "pod" ? {} : { namespace: secret.namespace }),
  });
}

const iscsiNames: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[a-zA-Z0-9]{16}$/,
  naa: /^naa.[a-zA-Z0-9]{32}$/,
};

function validateISCSIName(name: string, path: FieldPath, owner: Owner): FieldError[] {
  const pattern = iscsiNames[name.slice(0, 3)];
  if (pattern?.test(name)) return [];
  const why = "must be valid format";
  const isUnknown = pattern === undefined && owner === "pod";
  return [invalid(path, name, isUnknown ? `${why} starting with iqn, eui, or naa` : why)];
}

const validateISCSI: Check<"iscsi"> = (iscsi, { path, owner, name }) => {
  const { targetPortal = "", iqn = "", lun = 0, initiatorName, secretRef } = iscsi;
  const errors = need(path, { targetPortal });
  const isVolume = owner === "persistent volume";
  if (isVolume && initiatorName !== undefined && `${name}:${targetPortal}`.length > 64) {
    const why =
      "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if " +
      "iscsi.initiatorName is specified.";
    errors.push(invalid(path.child("targetportal"), targetPortal, why));
  }
  const at = path.child("iqn");
  errors.push(...(iqn === "" ? [required(at)] : validateISCSIName(iqn, at, owner)));
  errors.push(...validateLun(lun, path.child("lun")));
  const hasAuth = iscsi.chapAuthDiscovery || iscsi.chapAuthSession;
  if (hasAuth && secretRef === undefined) errors.push(required(path.child("secretRef")));
  if (isVolume && secretRef !== undefined) {
    errors.push(...need(path.child("secretRef"), { name: secretRef.name }));
  }
  if (initiatorName !== undefined) {
    errors.push(...validateISCSIName(initiatorName, path.child("initiatorname"), owner));
  }
  return errors;
};

/** Go's net.SplitHostPort. */
const hostAndPort = /^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/;

const validateQuobyte: Check<"quobyte"> = ({ registry = "", tenant = "", volume }, { path }) => {
  const at = path.child("registry");
  const why = "must be a host:port pair or multiple pairs separated by commas";
  const errors: FieldError[] = [];
  if (registry === "") errors.push(required(at, why));
  else if (tenant.length >= 65) {
    const long = "must be a UUID and may not exceed a length of 64 characters";
    errors.push(required(path.child("tenant"), long));
  } else {
    const bad = registry.split(",").filter((pair) => !hostAndPort.test(pair));
    errors.push(...bad.map(() => invalid(at, registry, why)));
  }
  return [...errors, ...need(path, { volume })];
};

const validateFlocker: Check<"flocker"> = ({ datasetName, datasetUUID }, { path }) => {
  const errors: FieldError[] = [];
  if (!datasetName && !datasetUUID) {
    errors.push(required(path, "one of datasetName and datasetUUID is required"));
  }
  if (datasetName && datasetUUID) {
    const why = "datasetName and datasetUUID can not be specified simultaneously";
    errors.push(invalid(path, "resource", why));
  }
  if (datasetName?.includes("/")) {
    errors.push(invalid(path.child("datasetName"), datasetName, "must not contain '/'"));
  }
  return errors;
};

const validateFC: Check<"fc"> = ({ targetWWNs = [], wwids = [], lun }, { path }) => {
  const at = path.child("targetWWNs");
  const errors: FieldError[] = [];
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.push(required(at, "must specify either targetWWNs or wwids, but not both"));
  }
  if (targetWWNs.length > 0 && wwids.length > 0) {
    const why = "targetWWNs and wwids can not be specified simultaneously";
    errors.push(invalid(at, targetWWNs, why));
  }
  if (targetWWNs.length === 0) return errors;
  const why = "lun is required if targetWWNs is specified";
  if (lun === undefined) return [...errors, required(path.child("lun"), why)];
  return [...errors, ...validateLun(lun, path.child("lun"))];
};

const validateFlex: Check<"flexVolume"> = ({ driver, options }, { path }) => {
  const errors = need(path, { driver });
  for (const key of Object.keys(options ?? {})) {
    const owner = `.${key.split("/")[0]!.toLowerCase()}`;
    if (!owner.endsWith(".kubernetes.io") && !owner.endsWith(".k8s.io")) continue;
    const why = "kubernetes.io and k8s.io namespaces are reserved";
    errors.push(invalid(path.child("options").key(key), key, why));
  }
  return errors;
};

const managedDisk =
  "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
const blobDisk = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";

const validateAzureDisk: Check<"azureDisk"> = (disk, { path }) => {
  const { diskName, diskURI = "", cachingMode, kind } = disk;
  const errors = need(path, { diskName, diskURI });
  if (cachingMode !== undefined) {
    const modes = ["None", "ReadOnly", "ReadWrite"];
    errors.push(...oneOf(path.child("cachingMode"), cachingMode, modes));
  }
  if (kind === undefined) return errors;
  errors.push(...oneOf(path.child("kind"), kind, ["Dedicated", "Managed", "Shared"]));
  const at = path.child("diskURI");
  if (kind === "Managed") {
    if (!diskURI.startsWith("/subscriptions/"))
      errors.push(notSupported(at, diskURI, [managedDisk]));
  } else if (!diskURI.startsWith("https://")) errors.push(notSupported(at, diskURI, [blobDisk]));
  return errors;
};

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

const checks: { [Key in SharedKey]?: Check<Key> } = {
  hostPath: ({ path: own = "", type }, { path }) =>
    own === ""
      ? [required(path.child("path"))]
      : [
          ...validateNoBacksteps(own, path.child("path")),
          ...oneOf(path.child("type"), type, hostPathTypes),
        ],
  gcePersistentDisk: ({ pdName, partition }, { path }) => [
    ...need(path, { pdName }),
    ...validatePartition(partition, path),
  ],
  awsElasticBlockStore: ({ volumeID, partition }, { path }) => [
    ...need(path, { volumeID }),
    ...validatePartition(partition, path),
  ],
  nfs: ({ server, path: own = "" }, { path }) => [
    ...need(path, { server, path: own }),
    ...(own.startsWith("/") ? [] : [invalid(path.child("path"), own, "must be an absolute path")]),
  ],
  iscsi: validateISCSI,
  glusterfs: (source, { path, owner }) => {
    const errors = need(path, { endpoints: source.endpoints, path: source.path });
    const namespace = source.endpointsNamespace;
    if (owner === "pod" || namespace === undefined) return errors;
    const at = path.child("endpointsNamespace");
    const why = "if the endpointnamespace is set, it must be a valid namespace name";
    if (namespace === "") return [...errors, invalid(at, namespace, why)];
    return [...errors, ...check(at, namespace, dns1123Label)];
  },
  flocker: validateFlocker,
  rbd: ({ monitors, image }, { path }) => [
    ...((monitors ?? []).length > 0 ? [] : [required(path.child("monitors"))]),
    ...need(path, { image }),
  ],
  cinder: ({ volumeID, secretRef }, place) => [
    ...need(place.path, { volumeID }),
    ...needSecret(secretRef, place),
  ],
  cephfs: ({ monitors }, { path }) =>
    (monitors ?? []).length > 0 ? [] : [required(path.child("monitors"))],
  quobyte: validateQuobyte,
  fc: validateFC,
  flexVolume: validateFlex,
  azureFile: ({ secretName, shareName, secretNamespace }, { path, owner }) => [
    ...need(path, { secretName, shareName }),
    ...(owner === "pod" || secretNamespace === undefined ? [] : need(path, { secretNamespace })),
  ],
  vsphereVolume: ({ volumePath }, { path }) => need(path, { volumePath }),
  photonPersistentDisk: ({ pdID }, { path }) => need(path, { pdID }),
  portworxVolume: ({ volumeID }, { path }) => need(path, { volumeID }),
  azureDisk: validateAzureDisk,
  storageos: ({ volumeName = "", volumeNamespace, secretRef }, place) => {
    const { path } = place;
    const at = path.child("volumeName");
    return [
      ...(volumeName === "" ? [required(at)] : check(at, volumeName, dns1123Label)),
      ...(volumeNamespace
        ? check(path.child("volumeNamespace"), volumeNamespace, dns1123Label)
        : []),
      ...needSecret(secretRef, place),
    ];
  },
  scaleIO: ({ gateway, system, volumeName }, { path }) =>
    need(path, { gateway, system, volumeName }),
};

/** Upstream's own names for two of the places. */
const placeNames: Readonly<Record<string, string>> = { gcePersistentDisk: "persistentDisk" };

export const isShared = (key: string): key is SharedKey => Object.hasOwn(checks, key);

/** The errors of one source; `path` is that of the volume. */
export function validateSharedSource<Key extends SharedKey>(
  key: Key,
  source: NonNullable<SharedSources[Key]>,
  place: Place,
): FieldError[] {
  const path = place.path.child(placeNames[key] ?? key);
  return checks[key]?.(source, { ...place, path }) ?? [];
}

/** Where a source that is one too many is said to be. */
const surplusNames: Readonly<Record<string, string>> = {
  cephfs: "cephFS",
  downwardAPI: "downwarAPI",
};

export const surplusName = (key: string): string => surplusNames[key] ?? key;

/** What upstream fills in, whoever has the source. */
export function defaultSharedSource({ hostPath, iscsi, rbd, azureDisk, scaleIO }: SharedSources) {
  if (hostPath) hostPath.type ??= "";
  if (iscsi) iscsi.iscsiInterface ||= "default";
  if (rbd) {
    rbd.pool ||= "rbd";
    rbd.user ||= "admin";
    rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= "ReadWrite";
    azureDisk.kind ??= "Shared";
    azureDisk.fsType ??= "ext4";
    azureDisk.readOnly ??= false;
  }
  if (scaleIO) {
    scaleIO.storageMode ||= "ThinProvisioned";
    scaleIO.fsType ||= "xfs";
  }
}
