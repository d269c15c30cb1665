/**
 * Controller: makes and removes volumes of this node.
 *
 * Nothing is attached, so ControllerPublishVolume is not there (UNIMPLEMENTED), and callers are
 * told so by the capabilities.
 *
 * Source  CSI v1.9 spec.md, Controller Service RPC; kubernetes-csi/csi-driver-host-path
 *         pkg/hostpath/controllerserver.go
 */
import { statfs } from "node:fs/promises";
import { csi, type Handlers } from "@nanokube/rpc";
import { accessTypeOf, accessTypeOfAll, problemWith } from "../core/capability.ts";
import { checkRoom, fits, requestedSize } from "../core/capacity.ts";
import { need, refuse } from "../core/errors.ts";
import { page } from "../core/page.ts";
import { toCSIVolume, topologyKey, type Volume } from "../core/volume.ts";
import type { Driver } from "./driver.ts";

const capabilities = [
  "CREATE_DELETE_VOLUME",
  "LIST_VOLUMES",
  "GET_CAPACITY",
  "CREATE_DELETE_SNAPSHOT",
  "LIST_SNAPSHOTS",
  "CLONE_VOLUME",
  "EXPAND_VOLUME",
  "SINGLE_NODE_MULTI_WRITER",
] as const;

export function controllerService(driver: Driver): Handlers<typeof csi.Controller> {
  return {
    controllerGetCapabilities: () => ({
      capabilities: capabilities.map((name) => ({
        rpc: { type: csi.ControllerServiceCapability_RPC_Type[name] },
      })),
    }),
    createVolume: (request) => {
      const name = need(request.name, "Name");
      return driver.exclusively(`name ${name}`, () => createVolume(request, driver));
    },
    deleteVolume: ({ volumeId }) => {
      const id = need(volumeId, "Volume ID");
      return driver.exclusively(id, () => deleteVolume(id, driver));
    },
    validateVolumeCapabilities: (request) => validate(request, driver),
    listVolumes: (request) => {
      const { entries, nextToken } = page(driver.store.volumes(), request);
      const volumes = entries.map((volume) => ({ volume: toCSIVolume(volume, driver.nodeID) }));
      return { entries: volumes, nextToken };
    },
    getCapacity: (request) => getCapacity(request, driver),
    controllerExpandVolume: ({ volumeId, capacityRange }) => {
      const id = need(volumeId, "Volume ID");
      return driver.exclusively(id, () => expand(id, capacityRange, driver));
    },
  };
}

async function createVolume(request: csi.CreateVolumeRequest, driver: Driver) {
  const { store, random, limits, nodeID } = driver;
  const accessType = accessTypeOfAll(request.volumeCapabilities);
  const sizeBytes = requestedSize(request.capacityRange, limits);
  checkTopology(request.accessibilityRequirements, nodeID);
  refuseParameters(request);
  const { snapshot, volume: clone } = request.volumeContentSource ?? {};
  const known = store.volumes().find((volume) => volume.name === request.name);
  if (known !== undefined) {
    checkSame(known, request);
    return { volume: toCSIVolume(known, nodeID) };
  }
  const volume: Volume = {
    id: random.uuid(),
    name: request.name,
    sizeBytes,
    accessType,
    ephemeral: false,
    ...(snapshot === undefined ? {} : { sourceSnapshot: snapshot.snapshotId }),
    ...(clone === undefined ? {} : { sourceVolume: clone.volumeId }),
  };
  checkRoom(sizeBytes, usedBytes(driver), limits);
  await store.createVolume(volume, sourcePath(volume, driver));
  driver.log.info({ volume: volume.id, name: volume.name, sizeBytes }, "volume created");
  return { volume: toCSIVolume(volume, nodeID) };
}

const usedBytes = ({ store }: Driver): number =>
  store.volumes().reduce((sum, volume) => sum + volume.sizeBytes, 0);

function checkTopology(required: csi.TopologyRequirement | undefined, nodeID: string): void {
  const requisite = required?.requisite ?? [];
  const isHere = (topology: csi.Topology) => {
    const node = topology.segments[topologyKey];
    return node === undefined || node === nodeID;
  };
  if (requisite.length === 0 || requisite.some(isHere)) return;
  refuse("RESOURCE_EXHAUSTED", `none of the requested topologies is node ${nodeID}`);
}

/** StorageClass parameters: this driver has none, and a mistyped one must not pass in silence. */
function refuseParameters(request: csi.CreateVolumeRequest): void {
  const keys = [...Object.keys(request.parameters), ...Object.keys(request.mutableParameters)];
  const unknown = keys.filter((key) => !key.startsWith("csi.storage.k8s.io/"));
  if (unknown.length > 0) {
    refuse("INVALID_ARGUMENT", `unknown parameters: ${unknown.sort().join(", ")}`);
  }
}

function checkSame(known: Volume, request: csi.CreateVolumeRequest): void {
  const clash = (what: string) =>
    refuse(
      "ALREADY_EXISTS",
      `Volume with the same name: ${known.name} but with different ${what} already exist`,
    );
  if (!fits(known.sizeBytes, request.capacityRange)) clash("size");
  const { snapshot, volume } = request.volumeContentSource ?? {};
  if (known.sourceSnapshot !== snapshot?.snapshotId) clash("snapshot source");
  if (known.sourceVolume !== volume?.volumeId) clash("volume source");
  if (known.accessType !== accessTypeOf(request.volumeCapabilities[0]!)) clash("access type");
}

function sourcePath(volume: Volume, { store }: Driver): string | undefined {
  const { sourceSnapshot, sourceVolume } = volume;
  if (sourceSnapshot !== undefined) {
    const snapshot = store.snapshot(sourceSnapshot);
    if (snapshot === undefined) refuse("NOT_FOUND", `cannot find snapshot ${sourceSnapshot}`);
    checkSource(snapshot, volume, "snapshot");
    return store.dataOf("snapshots", snapshot);
  }
  if (sourceVolume === undefined) return undefined;
  const source = store.volume(sourceVolume);
  if (source === undefined) refuse("NOT_FOUND", `source volume ${sourceVolume} does not exist`);
  checkSource(source, volume, "volume");
  return store.dataOf("volumes", source);
}

function checkSource(
  source: Pick<Volume, "sizeBytes" | "accessType">,
  volume: Volume,
  what: string,
): void {
  if (source.sizeBytes > volume.sizeBytes) {
    refuse("INVALID_ARGUMENT", `${what} size is greater than requested volume size`);
  }
  if (source.accessType !== volume.accessType) {
    refuse("INVALID_ARGUMENT", `${what} has a different access type than the requested volume`);
  }
}

async function deleteVolume(id: string, driver: Driver) {
  const { store, mounter } = driver;
  const volume = store.volume(id);
  if (volume === undefined) return {}; // deleted already, or never there
  const used = await mounter.mountsOfVolume(volume, store.dataOf("volumes", volume));
  if (used.length > 0) {
    const where = used.map((mount) => mount.target).join(", ");
    refuse("FAILED_PRECONDITION", `volume ${id} is still used: mounted at ${where}`);
  }
  if (volume.accessType === "block") await mounter.detachLoops(store.dataOf("volumes", volume));
  await store.remove("volumes", id);
  driver.log.info({ volume: id }, "volume deleted");
  return {};
}

function validate(request: csi.ValidateVolumeCapabilitiesRequest, { store }: Driver) {
  const volume = store.volume(need(request.volumeId, "Volume ID"));
  if (request.volumeCapabilities.length === 0) {
    refuse("INVALID_ARGUMENT", "Volume Capabilities missing in request");
  }
  if (volume === undefined) {
    return refuse("NOT_FOUND", `volume id ${request.volumeId} does not exist in the volumes list`);
  }
  for (const capability of request.volumeCapabilities) {
    const other = accessTypeOf(capability) !== volume.accessType;
    const message =
      problemWith(capability) ??
      (other ? `volume is of ${volume.accessType} access type` : undefined);
    if (message !== undefined) return { message };
  }
  const { volumeContext, volumeCapabilities, parameters, mutableParameters } = request;
  return { confirmed: { volumeContext, volumeCapabilities, parameters, mutableParameters } };
}

async function getCapacity(request: csi.GetCapacityRequest, driver: Driver) {
  const { limits, nodeID, dataDir } = driver;
  const node = request.accessibleTopology?.segments[topologyKey];
  if (node !== undefined && node !== nodeID) return { availableCapacity: 0 };
  const { bavail, bsize } = await statfs(dataDir);
  const onDisk = bavail * bsize;
  const { capacityBytes, maxVolumeSizeBytes } = limits;
  const left = capacityBytes === undefined ? onDisk : capacityBytes - usedBytes(driver);
  const availableCapacity = Math.max(0, Math.min(onDisk, left));
  const maximum = Math.min(maxVolumeSizeBytes, availableCapacity);
  return {
    availableCapacity,
    maximumVolumeSize: { value: maximum },
    minimumVolumeSize: { value: 0 },
  };
}

async function expand(id: string, range: csi.CapacityRange | undefined, driver: Driver) {
  const { store, limits } = driver;
  const volume = store.volume(id);
  if (volume === undefined)
    return refuse("NOT_FOUND", `volume id ${id} does not exist in the volumes list`);
  if (range === undefined) return refuse("INVALID_ARGUMENT", "Capacity range not provided");
  const sizeBytes = requestedSize(range, limits);
  const nodeExpansionRequired = volume.accessType === "block";
  if (sizeBytes <= volume.sizeBytes) {
    return { capacityBytes: volume.sizeBytes, nodeExpansionRequired };
  }
  checkRoom(sizeBytes - volume.sizeBytes, usedBytes(driver), limits);
  const resized = await store.resize(volume, sizeBytes);
  return { capacityBytes: resized.sizeBytes, nodeExpansionRequired };
}
