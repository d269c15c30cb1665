/**
 * The node's part of making a volume larger: the driver grows what is on the node, and the claim is
 * told.
 *
 * Source  pkg/volume/util/operationexecutor/node_expander.go
 */
import type { PersistentVolume, PersistentVolumeClaim } from "@nanokube/api/core/v1";
import { type Client, type EventRecorder, persistentVolumeClaims } from "@nanokube/client";
import { wholeValue } from "../../core/resources.ts";
import type { CSIDriverClient, CSIVolume } from "./csi-driver.ts";

export interface Growth {
  client: Client;
  recorder: EventRecorder;
  nodeName: string;
  claim: PersistentVolumeClaim;
  pv: PersistentVolume;
  volume: CSIVolume;
  driver: CSIDriverClient;
  paths: { staging: string; target: string };
}

/** Does the volume have more than its claim was told? */
export const mustGrow = (claim: PersistentVolumeClaim, pv: PersistentVolume): boolean =>
  claim.status?.conditions?.some(({ type }) => type === "FileSystemResizePending") === true &&
  wholeValue(pv.spec?.capacity?.storage) > wholeValue(claim.status?.capacity?.storage);

export async function growVolume(growth: Growth): Promise<void> {
  const { client, recorder, nodeName, claim, pv, volume, driver, paths } = growth;
  const size = pv.spec?.capacity?.storage;
  if (await driver.expands()) await driver.expand(volume, paths, wholeValue(size));
  const conditions = (claim.status?.conditions ?? []).filter(
    ({ type }) => type !== "FileSystemResizePending" && type !== "Resizing",
  );
  const status = {
    capacity: { storage: size },
    allocatedResources: null,
    allocatedResourceStatuses: null,
    conditions: conditions.length === 0 ? null : conditions,
  };
  const { namespace = "", name = "" } = claim.metadata ?? {};
  const api = client.resource(persistentVolumeClaims).namespace(namespace);
  await api.patch(name, { status }, { type: "merge", subresource: "status" });
  const what = "MountVolume.NodeExpandVolume succeeded for volume";
  const message = `${what} "${pv.metadata?.name}" ${nodeName}`;
  const about = { ...claim, apiVersion: "v1", kind: "PersistentVolumeClaim" };
  recorder.event(about, "Normal", "FileSystemResizeSuccessful", message);
}
