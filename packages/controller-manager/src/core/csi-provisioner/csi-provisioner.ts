/**
 * CSI provisioner: makes the volume that a claim asks one driver for, and deletes it when its claim
 * is gone.
 *
 * In upstream's world a sidecar of the driver; it runs by itself here too. On a driver that has a
 * volume only on its own node, there is one of these per node: with `nodeName` it minds only claims
 * whose pod was scheduled there.
 *
 * Keys    "claim:NAMESPACE/NAME", "volume:NAME"
 * Source  github.com/kubernetes-csi/external-provisioner, sig-storage-lib-external-provisioner
 *         controller.go
 */

import type { PersistentVolume, PersistentVolumeClaim } from "@nanokube/api/core/v1";
import {
  csiNodes,
  isAlreadyExists,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from "@nanokube/client";
import { matchesNodeSelectorTerm } from "@nanokube/machinery";
import { type Caches, type Context, type Controller, watch } from "../controller.ts";
import { selectedNode, storageClassOf } from "../persistent-volume/match.ts";
import { attempt, note, remove, type Steps, update } from "../steps.ts";
import {
  type CreatedVolume,
  type CreateVolume,
  createVolumeRequest,
  type Provisioning,
  persistentVolume,
  volumeFinalizer,
  volumeName,
} from "./request.ts";
import { resizeVolume, wantsMore } from "./resize.ts";

const provisionerAnnotations = [
  "volume.kubernetes.io/storage-provisioner",
  "volume.beta.kubernetes.io/storage-provisioner",
];
const provisionedBy = "pv.kubernetes.io/provisioned-by";

export interface CsiProvisionerOptions {
  driverName: string;
  nodeName?: string | undefined;
}

/** What is asked of the driver. */
export type CsiQuestion =
  | { call: "createVolume"; request: CreateVolume }
  | { call: "deleteVolume"; volumeId: string }
  | { call: "expandVolume"; volumeId: string; requiredBytes: number };

export function createCsiProvisionerController(options: CsiProvisionerOptions): Controller {
  return {
    name: "csi-provisioner",
    component: options.driverName,
    watches: [
      watch(persistentVolumeClaims, ({ metadata }) => [
        `claim:${metadata?.namespace}/${metadata?.name}`,
      ]),
      watch(persistentVolumes, ({ metadata }) => [`volume:${metadata?.name}`]),
      watch(storageClasses, () => []),
      watch(nodes, () => []),
      watch(csiNodes, () => []),
    ],
    reconcile: (key, context) => reconcileCsi(key, context, options),
  };
}

export function* reconcileCsi(
  key: string,
  context: Context,
  options: CsiProvisionerOptions,
): Steps<undefined> {
  const { caches } = context;
  const colon = key.indexOf(":");
  const name = key.slice(colon + 1);
  if (key.startsWith("volume:")) {
    const volume = caches.of(persistentVolumes).get("", name);
    if (volume !== undefined && mayDelete(volume, caches, options)) yield* deleteVolume(volume);
    return undefined;
  }
  const claim = caches.of(persistentVolumeClaims).getByKey(name);
  if (claim !== undefined) {
    yield* provision(claim, caches, options);
    yield* grow(claim, context, options);
  }
  return undefined;
}

function* grow(
  claim: PersistentVolumeClaim,
  { caches, nowMs }: Context,
  options: CsiProvisionerOptions,
): Steps {
  if (!wantsMore(claim) || claim.metadata?.deletionTimestamp !== undefined) return;
  const volume = caches.of(persistentVolumes).get("", claim.spec?.volumeName ?? "");
  if (volume === undefined || volume.spec?.csi?.driver !== options.driverName) return;
  if (volume.spec.claimRef?.uid !== claim.metadata?.uid) return;
  if (isWithin(volume, caches, options)) yield* resizeVolume(claim, volume, nowMs);
}

function* provision(
  claim: PersistentVolumeClaim,
  caches: Caches,
  { driverName, nodeName }: CsiProvisionerOptions,
): Steps {
  const annotations = claim.metadata?.annotations ?? {};
  const asked = provisionerAnnotations.some((name) => annotations[name] === driverName);
  if (!asked || claim.spec?.volumeName || claim.metadata?.deletionTimestamp !== undefined) return;
  if (caches.of(persistentVolumes).get("", volumeName(claim)) !== undefined) return;
  const storageClass = storageClassOf(claim, caches);
  if (storageClass?.provisioner !== driverName) return;
  const chosen = annotations[selectedNode];
  if (storageClass.volumeBindingMode === "WaitForFirstConsumer" && chosen === undefined) return;
  if (nodeName !== undefined && chosen !== nodeName) return;
  const { dataSource, dataSourceRef } = claim.spec ?? {};
  if (dataSource !== undefined || dataSourceRef !== undefined) {
    const message =
      "failed to provision volume: dataSource is not implemented by nanokube's provisioner";
    yield* note(claim, "Warning", "ProvisioningFailed", message);
    return;
  }
  const node = chosen === undefined ? undefined : caches.of(nodes).get("", chosen);
  const csiNode = chosen === undefined ? undefined : caches.of(csiNodes).get("", chosen);
  yield* createVolume({ claim, storageClass, node, csiNode, driverName });
}

/**
 * @hop csi-provisioner.create: the provisioner has the driver make the volume, and writes the
 * PersistentVolume for it.
 */
function* createVolume(provisioning: Provisioning): Steps {
  const { claim, storageClass } = provisioning;
  const { namespace, name } = claim.metadata ?? {};
  const message = `External provisioner is provisioning volume for claim "${namespace}/${name}"`;
  yield* note(claim, "Normal", "Provisioning", message);
  const question: CsiQuestion = {
    call: "createVolume",
    request: createVolumeRequest(provisioning),
  };
  const made = yield* attempt({ do: "ask", question });
  if (made.error !== undefined) {
    const what = `failed to provision volume with StorageClass "${storageClass.metadata?.name}"`;
    yield* note(claim, "Warning", "ProvisioningFailed", `${what}: ${made.error.message}`);
    throw made.error;
  }
  const object = persistentVolume(provisioning, made.answer as CreatedVolume);
  const { error } = yield* attempt({
    do: "create",
    resource: persistentVolumes,
    object,
    hop: "csi-provisioner.create",
  });
  if (error !== undefined && !isAlreadyExists(error)) throw error;
  const done = `Successfully provisioned volume ${object.metadata?.name}`;
  yield* note(claim, "Normal", "ProvisioningSucceeded", done);
}

function mayDelete(
  volume: PersistentVolume,
  caches: Caches,
  options: CsiProvisionerOptions,
): boolean {
  const { driverName } = options;
  const { spec, status, metadata } = volume;
  if (metadata?.annotations?.[provisionedBy] !== driverName) return false;
  if (spec?.csi?.driver !== driverName || spec.persistentVolumeReclaimPolicy !== "Delete")
    return false;
  const going = metadata.deletionTimestamp !== undefined;
  // Without our finalizer it is done already, and waits for others only.
  if (going && !metadata.finalizers?.includes(volumeFinalizer)) return false;
  const unclaimed = status?.phase === "Released" || status?.phase === "Failed";
  const unprotected = !metadata.finalizers?.includes("kubernetes.io/pv-protection");
  if (!unclaimed && !(going && unprotected)) return false;
  return isWithin(volume, caches, options);
}

/** Is the volume where this provisioner is? */
function isWithin(
  volume: PersistentVolume,
  caches: Caches,
  { nodeName }: CsiProvisionerOptions,
): boolean {
  if (nodeName === undefined) return true;
  const node = caches.of(nodes).get("", nodeName);
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  return node !== undefined && terms.some((term) => matchesNodeSelectorTerm(term, node));
}

function* deleteVolume(volume: PersistentVolume): Steps {
  const question: CsiQuestion = {
    call: "deleteVolume",
    volumeId: volume.spec?.csi?.volumeHandle ?? "",
  };
  const { error } = yield* attempt({ do: "ask", question });
  if (error !== undefined) {
    yield* note(volume, "Warning", "VolumeFailedDelete", error.message);
    throw error;
  }
  const finalizers = (volume.metadata?.finalizers ?? []).filter(
    (token) => token !== volumeFinalizer,
  );
  let current = volume;
  if (finalizers.length !== volume.metadata?.finalizers?.length) {
    current = yield* update(persistentVolumes, {
      ...volume,
      metadata: { ...volume.metadata, finalizers },
    });
  }
  if (current.metadata?.deletionTimestamp === undefined) yield* remove(persistentVolumes, current);
}
