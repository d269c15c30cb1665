/**
 * The snapshot calls of the Controller service: a snapshot is a copy (shared blocks where the file
 * system can).
 *
 * The copy is not atomic: a pod that writes meanwhile may find half of its last write in it, as
 * with upstream's driver.
 *
 * Source  CSI v1.9 spec.md, CreateSnapshot, DeleteSnapshot, ListSnapshots
 */
import type { csi, Handlers } from "@nanokube/rpc";
import { need, refuse } from "../core/errors.ts";
import { page } from "../core/page.ts";
import { type Snapshot, toCSISnapshot } from "../core/volume.ts";
import type { Driver } from "./driver.ts";

export function snapshotService(driver: Driver): Handlers<typeof csi.Controller> {
  const { store } = driver;
  return {
    createSnapshot: (request) => {
      const name = need(request.name, "Name");
      need(request.sourceVolumeId, "SourceVolumeId");
      return driver.exclusively(`snapshot ${name}`, () => createSnapshot(request, driver));
    },
    deleteSnapshot: async ({ snapshotId }) => {
      const id = need(snapshotId, "Snapshot ID");
      if (store.snapshot(id) !== undefined) await store.remove("snapshots", id);
      return {};
    },
    listSnapshots: (request) => {
      const { snapshotId, sourceVolumeId } = request;
      const found = store
        .snapshots()
        .filter((s) => snapshotId === "" || s.id === snapshotId)
        .filter((s) => sourceVolumeId === "" || s.sourceVolume === sourceVolumeId);
      const { entries, nextToken } = page(found, request);
      return { entries: entries.map((s) => ({ snapshot: toCSISnapshot(s) })), nextToken };
    },
  };
}

async function createSnapshot(request: csi.CreateSnapshotRequest, driver: Driver) {
  const { store, random, clock, log } = driver;
  const { name, sourceVolumeId } = request;
  const known = store.snapshots().find((snapshot) => snapshot.name === name);
  if (known !== undefined) {
    if (known.sourceVolume === sourceVolumeId) return { snapshot: toCSISnapshot(known) };
    return refuse(
      "ALREADY_EXISTS",
      `snapshot with the same name: ${name} but with different SourceVolumeId already exist`,
    );
  }
  const volume = store.volume(sourceVolumeId);
  if (volume === undefined) {
    return refuse("NOT_FOUND", `volume id ${sourceVolumeId} does not exist in the volumes list`);
  }
  const snapshot: Snapshot = {
    id: random.uuid(),
    name,
    sourceVolume: volume.id,
    sizeBytes: volume.sizeBytes,
    accessType: volume.accessType,
    createdMs: clock.now(),
  };
  await driver.exclusively(volume.id, () => store.createSnapshot(snapshot));
  log.info({ snapshot: snapshot.id, volume: volume.id }, "snapshot created");
  return { snapshot: toCSISnapshot(snapshot) };
}
