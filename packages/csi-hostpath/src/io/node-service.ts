/**
 * Node: brings a volume into a pod by a bind mount.
 *
 * Staging makes a raw volume's loop device; a mounted one has nothing to stage. What is mounted is
 * read from the kernel, so a call after a crash, of the driver or of the node, finds the truth and
 * does the rest.
 *
 * Source  CSI v1.9 spec.md, Node Service RPC; kubernetes-csi/csi-driver-host-path
 *         pkg/hostpath/nodeserver.go
 */
import { stat, statfs } from "node:fs/promises";
import { csi, type Handlers } from "@nanokube/rpc";
import { accessTypeOf, isSingleWriter, problemWith } from "../core/capability.ts";
import { requestedSize } from "../core/capacity.ts";
import { need, refuse } from "../core/errors.ts";
import { mountAt } from "../core/mount-table.ts";
import { isID, topologyKey, type Volume } from "../core/volume.ts";
import type { Driver } from "./driver.ts";

const capabilities = [
  "STAGE_UNSTAGE_VOLUME",
  "GET_VOLUME_STATS",
  "EXPAND_VOLUME",
  "SINGLE_NODE_MULTI_WRITER",
] as const;

export function nodeService(driver: Driver): Handlers<typeof csi.Node> {
  const { nodeID, maxVolumesPerNode, exclusively } = driver;
  return {
    nodeGetInfo: () => ({
      nodeId: nodeID,
      maxVolumesPerNode,
      accessibleTopology: { segments: { [topologyKey]: nodeID } },
    }),
    nodeGetCapabilities: () => ({
      capabilities: capabilities.map((name) => ({
        rpc: { type: csi.NodeServiceCapability_RPC_Type[name] },
      })),
    }),
    nodeStageVolume: (request) => {
      const id = need(request.volumeId, "Volume ID");
      return exclusively(id, () => stage(request, driver));
    },
    nodeUnstageVolume: (request) => {
      const id = need(request.volumeId, "Volume ID");
      need(request.stagingTargetPath, "Target path");
      return exclusively(id, () => unstage(id, driver));
    },
    nodePublishVolume: (request) => {
      const id = need(request.volumeId, "Volume ID");
      return exclusively(id, () => publish(request, driver));
    },
    nodeUnpublishVolume: (request) => {
      const id = need(request.volumeId, "Volume ID");
      const target = absolute(need(request.targetPath, "Target path"));
      return exclusively(id, () => unpublish(id, target, driver));
    },
    nodeGetVolumeStats: (request) => stats(request, driver),
    nodeExpandVolume: (request) => {
      const id = need(request.volumeId, "Volume ID");
      return exclusively(id, () => expand(request, driver));
    },
  };
}

/** Paths come from the kubelet; one that climbs is no path of its. */
function absolute(path: string): string {
  if (!path.startsWith("/") || path.split("/").includes("..") || /[\0\n]/.test(path)) {
    refuse("INVALID_ARGUMENT", `not an absolute path: ${JSON.stringify(path)}`);
  }
  return path.replace(/(.)\/+$/, "$1");
}

function existing(id: string, { store }: Driver): Volume {
  const volume = store.volume(id);
  if (volume === undefined)
    return refuse("NOT_FOUND", `volume id ${id} does not exist in the volumes list`);
  return volume;
}

function checkCapability(capability: csi.VolumeCapability | undefined): csi.VolumeCapability {
  const given = need(capability, "Volume Capability");
  const problem = problemWith(given);
  if (problem !== undefined) refuse("INVALID_ARGUMENT", problem);
  return given;
}

async function stage(request: csi.NodeStageVolumeRequest, driver: Driver) {
  absolute(need(request.stagingTargetPath, "Target path"));
  const capability = checkCapability(request.volumeCapability);
  const volume = existing(request.volumeId, driver);
  checkAccessType(volume, capability);
  if (volume.accessType === "block") {
    await driver.mounter.attachLoop(driver.store.dataOf("volumes", volume));
  }
  return {};
}

function checkAccessType(volume: Volume, capability: csi.VolumeCapability): void {
  const wanted = accessTypeOf(capability);
  if (wanted === volume.accessType) return;
  refuse(
    "INVALID_ARGUMENT",
    `cannot use a volume of ${volume.accessType} access type as ${wanted}`,
  );
}

async function unstage(id: string, driver: Driver) {
  const volume = existing(id, driver);
  const used = await driver.mounter.mountsOfVolume(volume, driver.store.dataOf("volumes", volume));
  if (used.length > 0) refuse("INTERNAL", `volume ${id} is still published at ${used[0]!.target}`);
  if (volume.accessType === "block") {
    await driver.mounter.detachLoops(driver.store.dataOf("volumes", volume));
  }
  return {};
}

async function publish(request: csi.NodePublishVolumeRequest, driver: Driver) {
  const { store, mounter } = driver;
  const target = absolute(need(request.targetPath, "Target path"));
  const capability = checkCapability(request.volumeCapability);
  const isEphemeral = request.volumeContext["csi.storage.k8s.io/ephemeral"] === "true";
  if (isEphemeral) await createEphemeral(request.volumeId, capability, driver);
  const volume = existing(request.volumeId, driver);
  checkAccessType(volume, capability);
  const readonly =
    request.readonly ||
    capability.accessMode?.mode === csi.VolumeCapability_AccessMode_Mode.SINGLE_NODE_READER_ONLY;
  const mounts = await mounter.mounts();
  const there = mountAt(mounts, target);
  if (there !== undefined) {
    if (there.readonly === readonly) return {}; // a repeated call
    refuse(
      "ALREADY_EXISTS",
      `volume ${volume.id} is published at ${target} with readonly=${there.readonly}`,
    );
  }
  const data = store.dataOf("volumes", volume);
  const others = isSingleWriter(capability) ? await mounter.mountsOfVolume(volume, data) : [];
  if (others.length > 0) {
    refuse(
      "FAILED_PRECONDITION",
      `volume ${volume.id} is published at ${others[0]!.target} already`,
    );
  }
  const source = volume.accessType === "mount" ? data : await mounter.attachLoop(data);
  const flags = capability.mount?.mountFlags ?? [];
  await mounter.bind(source, target, { type: volume.accessType, readonly, flags });
  return {};
}

async function createEphemeral(id: string, capability: csi.VolumeCapability, driver: Driver) {
  if (!isID(id)) refuse("INVALID_ARGUMENT", `not a volume id: ${JSON.stringify(id)}`);
  if (driver.store.volume(id) !== undefined) return;
  if (capability.block !== undefined) {
    refuse("INVALID_ARGUMENT", "ephemeral volumes have mount access type only");
  }
  const volume = {
    id,
    name: `ephemeral-${id}`,
    sizeBytes: 0,
    accessType: "mount",
    ephemeral: true,
  } as const;
  await driver.store.createVolume(volume);
}

async function unpublish(id: string, target: string, driver: Driver) {
  // First the mount: should the volume be gone, a pod that cannot end helps nobody.
  await driver.mounter.unbind(target);
  const volume = existing(id, driver);
  if (volume.ephemeral) await driver.store.remove("volumes", id);
  return {};
}

async function stats(request: csi.NodeGetVolumeStatsRequest, driver: Driver) {
  const id = need(request.volumeId, "Volume ID");
  const path = need(request.volumePath, "Volume Path");
  const volume = existing(id, driver);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    return refuse("NOT_FOUND", `Could not get file information from ${path}`);
  const { BYTES, INODES } = csi.VolumeUsage_Unit;
  if (volume.accessType === "block") return { usage: [{ total: volume.sizeBytes, unit: BYTES }] };
  const { blocks, bsize, bfree, bavail, files, ffree } = await statfs(path);
  return {
    usage: [
      {
        total: blocks * bsize,
        available: bavail * bsize,
        used: (blocks - bfree) * bsize,
        unit: BYTES,
      },
      { total: files, available: ffree, used: files - ffree, unit: INODES },
    ],
  };
}

async function expand(request: csi.NodeExpandVolumeRequest, driver: Driver) {
  const { store, mounter, limits } = driver;
  const path = need(request.volumePath, "Volume Path");
  const volume = existing(request.volumeId, driver);
  const sizeBytes = Math.max(requestedSize(request.capacityRange, limits), volume.sizeBytes);
  if ((await stat(path).catch(() => undefined)) === undefined) {
    refuse("NOT_FOUND", `Could not get file information from ${path}`);
  }
  if (volume.accessType === "block") await mounter.growLoops(store.dataOf("volumes", volume));
  return { capacityBytes: sizeBytes };
}
