/**
 * Volumes of the node itself: emptyDir, hostPath, local persistent volumes.
 *
 * Source  pkg/volume/emptydir/empty_dir.go, hostpath/host_path.go, local/local.go
 */
import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { HostPathVolumeSource } from "@nanokube/api/core/v1";
import { wholeValue } from "../../core/resources.ts";
import { applyFSGroup } from "./ownership.ts";
import { fsGroupOf, type MountedVolume, type SetUp, volumeDirectory } from "./volume.ts";

const EMPTY_DIR = "kubernetes.io/empty-dir";

/** A memory-backed volume is limited by its own limit, else by the pod's memory limits. */
function tmpfsOptions(sizeLimit: string | undefined): string[] {
  const bytes = wholeValue(sizeLimit);
  return bytes > 0 ? [`size=${bytes}`] : [];
}

export const setUpEmptyDir: SetUp = async (deps, { pod, volume }) => {
  const path = volumeDirectory(deps, pod, EMPTY_DIR, volume.name ?? "");
  const medium = volume.emptyDir?.medium ?? "";
  await mkdir(path, { recursive: true, mode: 0o750 });
  if (medium === "Memory") {
    if (deps.privileged && !(await deps.mounter.isMountPoint(path))) {
      await deps.mounter.mountTmpfs(path, tmpfsOptions(volume.emptyDir?.sizeLimit));
    }
  } else if (medium !== "") throw new Error(`unknown storage medium "${medium}"`);
  const info = await stat(path);
  if ((info.mode & 0o777) !== 0o777) await chmod(path, 0o777 | (info.mode & 0o7000));
  const group = fsGroupOf(pod);
  if (group !== undefined && deps.privileged) {
    await applyFSGroup(path, group, { readOnly: false, onRootMismatch: true });
  }
  return { hostPath: path, readOnly: false };
};

type PathKind = "directory" | "file" | "socket" | "char" | "block" | "missing" | "other";

async function kindOf(path: string): Promise<PathKind> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) return "directory";
    if (info.isFile()) return "file";
    if (info.isSocket()) return "socket";
    if (info.isCharacterDevice()) return "char";
    return info.isBlockDevice() ? "block" : "other";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "missing";
    throw error;
  }
}

const WANTED: Readonly<Record<string, { kind: PathKind; name: string }>> = {
  Directory: { kind: "directory", name: "a directory" },
  File: { kind: "file", name: "a file" },
  Socket: { kind: "socket", name: "a socket file" },
  CharDevice: { kind: "char", name: "a character device" },
  BlockDevice: { kind: "block", name: "a block device" },
};

export async function checkHostPath(source: HostPathVolumeSource): Promise<void> {
  const path = source.path ?? "";
  const type = source.type ?? "";
  if (path.split("/").includes("..")) {
    throw new Error(`invalid HostPath \`${path}\`: must not contain '..'`);
  }
  if (type === "") return;
  const kind = await kindOf(path);
  const failed = (name: string) => new Error(`hostPath type check failed: ${path} is not ${name}`);
  if (type === "DirectoryOrCreate" || type === "FileOrCreate") {
    const wanted = type === "DirectoryOrCreate" ? WANTED.Directory! : WANTED.File!;
    if (kind === "missing") {
      if (wanted.kind === "directory") await mkdir(path, { recursive: true, mode: 0o755 });
      else {
        await mkdir(dirname(path), { recursive: true }).catch(() => {});
        await writeFile(path, "", { mode: 0o644, flag: "a" });
      }
    } else if (kind !== wanted.kind) throw failed(wanted.name);
    return;
  }
  const wanted = WANTED[type];
  if (wanted === undefined) throw new Error(`${type} is an invalid volume type`);
  if (kind !== wanted.kind) throw failed(wanted.name);
}

export const setUpHostPath: SetUp = async (_deps, { volume }) => {
  const source = volume.hostPath ?? {};
  await checkHostPath(source);
  return { hostPath: source.path ?? "", readOnly: false };
};

/** A persistent volume of type local: a directory that must already be there. */
export async function useLocalPath(path: string, readOnly: boolean): Promise<MountedVolume> {
  if ((await kindOf(path)) === "missing") throw new Error(`path "${path}" does not exist`);
  return { hostPath: path, readOnly };
}
