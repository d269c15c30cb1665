/**
 * Where CSI volumes are on the node, and the notes beside them.
 *
 *   mounts   <root>/plugins/kubernetes.io/csi/<driver>/<sha256 of handle>/globalmount   staged
 *            <root>/pods/<uid>/volumes/kubernetes.io~csi/<volume>/mount                  published
 *   devices  <root>/plugins/kubernetes.io/csi/volumeDevices/staging/<volume>             staged
 *            <root>/plugins/kubernetes.io/csi/volumeDevices/publish/<volume>/<uid>       published
 *
 * vol_data.json says what is there, so that a restarted kubelet can undo it.
 * Source  pkg/volume/csi/csi_mounter.go, csi_block.go
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const PLUGIN_DIRECTORY = "kubernetes.io~csi";
export const DATA_FILE = "vol_data.json";

/** Upstream's file: what tearing down needs to know. */
export interface VolumeData {
  specVolID: string;
  volumeHandle: string;
  driverName: string;
  nodeName: string;
  volumeLifecycleMode: "Persistent" | "Ephemeral";
  attachmentID: string;
  volumeMode?: "Block";
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export const uniqueName = (data: { driverName: string; volumeHandle: string }): string =>
  `kubernetes.io/csi/${data.driverName}^${data.volumeHandle}`;

type Place = Pick<VolumeData, "specVolID" | "volumeHandle" | "driverName" | "volumeMode">;

const devices = (rootDir: string): string =>
  join(rootDir, "plugins/kubernetes.io/csi/volumeDevices");

export interface StagingPlace {
  path: string;
  dataFile: string;
}

export function stagingPlace(rootDir: string, volume: Place): StagingPlace {
  if (volume.volumeMode === "Block") {
    const base = devices(rootDir);
    return {
      path: join(base, "staging", volume.specVolID),
      dataFile: join(base, volume.specVolID, "data", DATA_FILE),
    };
  }
  const base = join(rootDir, "plugins/kubernetes.io/csi", volume.driverName);
  const path = join(base, sha256(volume.volumeHandle), "globalmount");
  return { path, dataFile: join(dirname(path), DATA_FILE) };
}

/** The directory of a pod's volume, with its note. */
export const podVolumeDirectory = (rootDir: string, uid: string, name: string): string =>
  join(rootDir, "pods", uid, "volumes", PLUGIN_DIRECTORY, name);

export function publishedPath(rootDir: string, uid: string, volume: Place): string {
  if (volume.volumeMode === "Block") {
    return join(devices(rootDir), "publish", volume.specVolID, uid);
  }
  return join(podVolumeDirectory(rootDir, uid, volume.specVolID), "mount");
}

export async function readVolumeData(file: string): Promise<VolumeData | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as VolumeData);
}

/** What is published for a pod, by what lies on disk: the directory and its note. */
export async function publishedFor(
  rootDir: string,
  uid: string,
): Promise<{ directory: string; data: VolumeData }[]> {
  const base = join(rootDir, "pods", uid, "volumes", PLUGIN_DIRECTORY);
  const found: { directory: string; data: VolumeData }[] = [];
  for (const name of await readdir(base).catch(() => [])) {
    const directory = join(base, name);
    const data = await readVolumeData(join(directory, DATA_FILE));
    if (data !== undefined) found.push({ directory, data });
  }
  return found;
}

/** Everything that is published on this node now, and for which pod. */
export async function publishedVolumes(
  rootDir: string,
): Promise<{ uid: string; data: VolumeData }[]> {
  const found: { uid: string; data: VolumeData }[] = [];
  for (const uid of await readdir(join(rootDir, "pods")).catch(() => [])) {
    found.push(...(await publishedFor(rootDir, uid)).map(({ data }) => ({ uid, data })));
  }
  return found;
}
