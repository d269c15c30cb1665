/**
 * Is the volume at this node? The attach-detach controller says so in the node's status, its driver
 * in the VolumeAttachment, with what publishing needs to know.
 *
 * Errors  NotAttachedError while the controller has not come to it: nothing is wrong yet
 * Source  pkg/volume/csi/csi_attacher.go, pkg/volume/util/operationexecutor/operation_generator.go
 *         (GenerateVerifyControllerAttachedVolumeFunc)
 */
import type { PersistentVolume, Pod } from "@nanokube/api/core/v1";
import { ifFound, volumeAttachments } from "@nanokube/client";
import { sleep } from "@nanokube/machinery";
import { podName, podUID } from "../../core/pod.ts";
import { sha256 } from "./csi-data.ts";
import type { CSIRegistryOptions } from "./csi-registry.ts";

/** A kubelet may get a VolumeAttachment but not watch it. */
const LOOK_MS = 250;
const ATTACH_MS_MAX = 120_000;

export class NotAttachedError extends Error {}

export interface Attachable {
  readonly driverName: string;
  readonly handle: string;
}

/** The VolumeAttachment's name. */
export const attachmentID = ({ driverName, handle }: Attachable, nodeName: string): string =>
  `csi-${sha256(handle + driverName + nodeName)}`;

/** Only what the node's status names may be read as an attachment. */
export function verifyAttached(
  { node }: Pick<CSIRegistryOptions, "node">,
  pod: Pod,
  pv: PersistentVolume,
  unique: string,
): void {
  const attached = node()?.status?.volumesAttached ?? [];
  if (attached.some(({ name }) => name === unique)) return;
  const which = `for volume "${pv.metadata?.name}" (UniqueName: "${unique}")`;
  const whose = `pod "${podName(pod)}" (UID: "${podUID(pod)}")`;
  throw new NotAttachedError(`Volume not attached according to node status ${which} ${whose}`);
}

/** Waits for the driver's word; the attachment's metadata is the publish context. */
export async function waitForAttach(
  { client, clock, nodeName }: CSIRegistryOptions,
  volume: Attachable,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const api = client.resource(volumeAttachments);
  const giveUpAt = clock.monotonic() + ATTACH_MS_MAX;
  for (;;) {
    const attachment = await ifFound(api.get(attachmentID(volume, nodeName)));
    const { attached, attachError, attachmentMetadata } = attachment?.status ?? {};
    if (attachment?.metadata?.deletionTimestamp !== undefined) {
      throw new Error("volume attachment is being deleted");
    }
    if (attached === true) return (attachmentMetadata ?? {}) as Record<string, string>;
    if (attachError !== undefined) throw new Error(attachError.message ?? "");
    if (clock.monotonic() > giveUpAt) {
      throw new Error(
        `timed out waiting for external-attacher of ${volume.driverName} CSI driver to attach volume ${volume.handle}`,
      );
    }
    await sleep(clock, LOOK_MS, signal);
  }
}
