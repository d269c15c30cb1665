/**
 * The mounts of one container: its volumes, sub-paths, /etc/hosts, the termination message file.
 *
 * A sub-path is opened component by component without following links and bound from there, so that
 * a container cannot swap a directory for a link out of its volume while the kubelet looks.
 * Source  pkg/kubelet/kubelet_pods.go makeMounts, k8s.io/mount-utils subpath
 */
import { constants } from "node:fs";
import { chmod, type FileHandle, mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod, VolumeMount } from "@nanokube/api/core/v1";
import type { Random } from "@nanokube/machinery";
import { cri } from "@nanokube/rpc";
import type { ContainerDevice, ContainerMount } from "../core/container-config.ts";
import { hostsFile } from "../core/dns-config.ts";
import { expand } from "../core/expansion.ts";
import { isHostNetwork, podUID } from "../core/pod.ts";
import type { Mounter } from "./mounts.ts";
import type { MountedVolume } from "./volumes/volume.ts";

export interface MountsInput {
  pod: Pod;
  container: Container;
  volumes: ReadonlyMap<string, MountedVolume>;
  environment: ReadonlyMap<string, string>;
  podIPs: readonly string[];
  clusterDomain: string;
  rootDir: string;
  random: Random;
  mounter: Mounter;
  privileged: boolean;
  /** References of image volumes that are on the node, by volume name. */
  imageRefs: ReadonlyMap<string, string>;
}

const ETC_HOSTS = "/etc/hosts";

function propagation(mode: string | undefined): number {
  if (mode === "HostToContainer") return cri.MountPropagation.PROPAGATION_HOST_TO_CONTAINER;
  if (mode === "Bidirectional") return cri.MountPropagation.PROPAGATION_BIDIRECTIONAL;
  if (mode === undefined || mode === "None") return cri.MountPropagation.PROPAGATION_PRIVATE;
  throw new Error(`invalid MountPropagation mode: "${mode}"`);
}

function subPathOf(mount: VolumeMount, environment: ReadonlyMap<string, string>): string {
  if (!mount.subPathExpr) return checkSubPath(mount.subPath ?? "");
  let missing: string | undefined;
  const path = expand(
    mount.subPathExpr,
    (name) => environment.get(name),
    (name) => {
      missing ??= name;
    },
  );
  if (missing !== undefined) {
    throw new Error(`missing value for "${missing}"`);
  }
  return checkSubPath(path);
}

function checkSubPath(path: string): string {
  if (path.startsWith("/")) {
    throw new Error(`error SubPath \`${path}\` must not be an absolute path`);
  }
  if (path.split("/").includes("..")) {
    throw new Error(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  }
  return path;
}

/**
 * Opens `path` under `root` one name at a time, never through a symbolic link; makes directories.
 */
async function openInside(root: string, path: string, create: boolean): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const { mode } = await stat(root);
  let handle = await open(root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
      const inside = `/proc/self/fd/${handle.fd}/${name}`;
      const next = await open(inside, flags).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT" || !create) throw error;
        await mkdir(inside);
        await chmod(inside, mode & 0o7777);
        return open(inside, flags);
      });
      await handle.close();
      handle = next;
    }
    return handle;
  } catch (error) {
    await handle.close().catch(() => {});
    throw error;
  }
}

interface SubPathInput extends MountsInput {
  mount: VolumeMount;
  index: number;
  volumePath: string;
  subPath: string;
}

async function subPathMount(input: SubPathInput): Promise<string> {
  const { pod, container, mount, index, volumePath, subPath, mounter } = input;
  const what = `volumeMount "${mount.name}" of container "${container.name}"`;
  if (!input.privileged) {
    const path = join(volumePath, subPath);
    await mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    return path;
  }
  // AtomicWriter volumes are links inside themselves: their files are reached through ..data.
  let handle: FileHandle;
  try {
    handle = await openSubPath(volumePath, subPath);
  } catch {
    throw new Error(`failed to prepare subPath for ${what}`);
  }
  try {
    const info = await handle.stat();
    const directory = join(
      input.rootDir,
      "pods",
      podUID(pod),
      "volume-subpaths",
      mount.name ?? "",
      container.name ?? "",
    );
    const target = join(directory, String(index));
    await mkdir(directory, { recursive: true, mode: 0o750 });
    if (await mounter.isMountPoint(target)) await mounter.unmount(target);
    if (info.isDirectory()) await mkdir(target, { recursive: true, mode: 0o750 });
    else await writeFile(target, "", { mode: 0o640 });
    await mounter.bind(`/proc/${process.pid}/fd/${handle.fd}`, target);
    return target;
  } finally {
    await handle.close();
  }
}

async function openSubPath(volumePath: string, subPath: string): Promise<FileHandle> {
  const data = join(volumePath, "..data", subPath);
  const projected = await stat(data).catch(() => undefined);
  if (projected !== undefined) return open(data, constants.O_RDONLY);
  return openInside(volumePath, subPath, true);
}

async function terminationMessageMount(input: MountsInput): Promise<ContainerMount[]> {
  const { pod, container, rootDir, random } = input;
  const path = container.terminationMessagePath;
  if (!path) return [];
  const directory = join(rootDir, "pods", podUID(pod), "containers", container.name ?? "");
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const hostPath = join(directory, random.uuid().slice(0, 8));
  await writeFile(hostPath, "", { mode: 0o666 });
  await chmod(hostPath, 0o666);
  return [{ containerPath: path, hostPath, readonly: false, propagation: 0 }];
}

async function hostsMount(input: MountsInput): Promise<ContainerMount> {
  const { pod, podIPs, clusterDomain, rootDir } = input;
  const node = isHostNetwork(pod) ? await readFile(ETC_HOSTS, "utf8").catch(() => "") : "";
  const hostPath = join(rootDir, "pods", podUID(pod), "etc-hosts");
  await writeFile(hostPath, hostsFile(pod, podIPs, clusterDomain, node), { mode: 0o644 });
  await chmod(hostPath, 0o644);
  return { containerPath: ETC_HOSTS, hostPath, readonly: false, propagation: 0 };
}

async function volumeMount(
  input: MountsInput,
  mount: VolumeMount,
  index: number,
): Promise<ContainerMount> {
  const { container, volumes, environment } = input;
  const volume = volumes.get(mount.name ?? "");
  if (volume === undefined || volume.device === true) {
    throw new Error(
      `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
    );
  }
  const subPath = subPathOf(mount, environment);
  const given = mount.mountPath ?? "";
  const common = {
    containerPath: given.startsWith("/") ? given : `/${given}`,
    readonly: mount.readOnly === true || volume.readOnly,
    propagation: propagation(mount.mountPropagation),
  };
  if (volume.image !== undefined) {
    const image = input.imageRefs.get(mount.name ?? "") ?? volume.image.reference;
    return { ...common, hostPath: "", image: { image }, imageSubPath: subPath };
  }
  const volumePath = volume.hostPath;
  const hostPath =
    subPath === ""
      ? volumePath
      : await subPathMount({ ...input, mount, index, volumePath, subPath });
  return { ...common, hostPath };
}

export async function containerMounts(input: MountsInput): Promise<ContainerMount[]> {
  const { pod, container, podIPs } = input;
  const mounts: ContainerMount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    mounts.push(await volumeMount(input, mount, index));
  }
  const ownHosts = (container.volumeMounts ?? []).some((m) => m.mountPath === ETC_HOSTS);
  if (!ownHosts && (podIPs.length > 0 || isHostNetwork(pod))) mounts.push(await hostsMount(input));
  return [...mounts, ...(await terminationMessageMount(input))];
}

/** Volumes that come as devices. */
export function containerDevices(
  container: Container,
  volumes: ReadonlyMap<string, MountedVolume>,
): ContainerDevice[] {
  return (container.volumeDevices ?? []).map(({ name = "", devicePath = "" }) => {
    const volume = volumes.get(name);
    if (volume?.device !== true) {
      throw new Error(`cannot find volume "${name}" to pass into container "${container.name}"`);
    }
    const permissions = volume.readOnly ? "r" : "mrw";
    return { containerPath: devicePath, hostPath: volume.hostPath, permissions };
  });
}
