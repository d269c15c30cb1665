/**
 * A bound claim that asks for more than its volume has: the driver makes the volume larger; where
 * the node has its part to do, its kubelet finishes.
 *
 * In upstream's world another sidecar of the driver, external-resizer.
 * Errors  the claim keeps what it has; a Warning event VolumeResizeFailed says why
 * Source  github.com/kubernetes-csi/external-resizer pkg/controller
 */
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
} from "@nanokube/api/core/v1";
import { persistentVolumeClaims, persistentVolumes } from "@nanokube/client";
import { parseQuantity, quantityOf } from "@nanokube/machinery";
import { attempt, mergePatch, note, type Steps } from "../steps.ts";
import { formatTime } from "../time.ts";

export interface ExpandedVolume {
  capacityBytes: number;
  nodeExpansionRequired: boolean;
}

const sizeOf = (text: string | undefined): number =>
  text === undefined ? 0 : parseQuantity(text).value();

/** Does the claim want more than it has been given? */
export function wantsMore(claim: PersistentVolumeClaim): boolean {
  const wanted = sizeOf(claim.spec?.resources?.requests?.storage);
  const given = claim.status?.capacity?.storage;
  if (claim.status?.phase !== "Bound" || given === undefined || wanted <= sizeOf(given))
    return false;
  // The volume is large enough already: the rest is the kubelet's.
  const state = claim.status.allocatedResourceStatuses?.storage;
  return state !== "NodeResizePending" || sizeOf(claim.status.allocatedResources?.storage) < wanted;
}

type Conditions = NonNullable<PersistentVolumeClaimStatus["conditions"]>;

function withCondition(claim: PersistentVolumeClaim, type: string, now: string, message = "") {
  const kept = (claim.status?.conditions ?? []).filter(
    (condition) => condition.type !== "Resizing" && condition.type !== "FileSystemResizePending",
  );
  const condition = { type, status: "True", lastTransitionTime: now, ...(message && { message }) };
  return [...kept, condition] as Conditions;
}

const setStatus = (claim: PersistentVolumeClaim, status: object): Steps<PersistentVolumeClaim> =>
  mergePatch<PersistentVolumeClaim>(persistentVolumeClaims, claim, { status }, "status");

export function* resizeVolume(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  nowMs: number,
): Steps {
  const wanted = claim.spec?.resources?.requests?.storage ?? "0";
  const now = formatTime(nowMs);
  const name = volume.metadata?.name;
  const marked = yield* setStatus(claim, {
    allocatedResources: { ...claim.status?.allocatedResources, storage: wanted },
    allocatedResourceStatuses: { storage: "ControllerResizeInProgress" },
    conditions: withCondition(claim, "Resizing", now),
  });
  yield* note(claim, "Normal", "Resizing", `External resizer is resizing volume ${name}`);
  const volumeId = volume.spec?.csi?.volumeHandle ?? "";
  const question = { call: "expandVolume", volumeId, requiredBytes: sizeOf(wanted) };
  const { answer, error } = yield* attempt({ do: "ask", question });
  if (error !== undefined) {
    const what = `resize volume "${name}" by resizer "${volume.spec?.csi?.driver}" failed`;
    const text = `${what}: ${error.message}`;
    yield* note(claim, "Warning", "VolumeResizeFailed", text);
    throw error;
  }
  const { capacityBytes, nodeExpansionRequired } = answer as ExpandedVolume;
  const size =
    capacityBytes > sizeOf(wanted) ? quantityOf(capacityBytes, "BinarySI").toString() : wanted;
  if (sizeOf(volume.spec?.capacity?.storage) < sizeOf(size)) {
    yield* mergePatch(persistentVolumes, volume, { spec: { capacity: { storage: size } } });
  }
  if (nodeExpansionRequired) {
    const message =
      "Waiting for user to (re-)start a pod to finish file system resize of volume on node.";
    yield* setStatus(marked, {
      allocatedResourceStatuses: { storage: "NodeResizePending" },
      conditions: withCondition(marked, "FileSystemResizePending", now, message),
    });
    const text = "Require file system resize of volume on node";
    yield* note(claim, "Normal", "FileSystemResizeRequired", text);
    return;
  }
  const kept = withCondition(marked, "Resizing", now).filter(({ type }) => type !== "Resizing");
  yield* setStatus(marked, {
    capacity: { ...claim.status?.capacity, storage: size },
    allocatedResources: null,
    allocatedResourceStatuses: null,
    conditions: kept.length === 0 ? null : kept,
  });
  yield* note(claim, "Normal", "VolumeResizeSuccessful", "Resize volume succeeded");
}
