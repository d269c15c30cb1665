/**
 * Gives a volume to the pod's fsGroup: group owner, group bits, set-group-id on directories.
 *
 * Source  pkg/volume/volume_linux.go
 */
import { chmod, lchown, lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const READ_WRITE = 0o660;
const READ_ONLY = 0o440;
const EXECUTE = 0o110;
const SET_GROUP = 0o2000;

async function changeOne(path: string, group: number, readOnly: boolean): Promise<boolean> {
  const info = await lstat(path);
  await lchown(path, info.uid, group);
  if (info.isSymbolicLink()) return false;
  let mask = readOnly ? READ_ONLY : READ_WRITE;
  if (info.isDirectory()) mask |= SET_GROUP | EXECUTE;
  await chmod(path, (info.mode & 0o7777) | mask);
  return info.isDirectory();
}

async function changeTree(path: string, group: number, readOnly: boolean): Promise<void> {
  const isDirectory = await changeOne(path, group, readOnly);
  if (!isDirectory) return;
  for (const name of await readdir(path)) await changeTree(join(path, name), group, readOnly);
}

export async function applyFSGroup(
  root: string,
  group: number,
  options: { readOnly: boolean; onRootMismatch: boolean },
): Promise<void> {
  if (options.onRootMismatch) {
    const { gid, mode } = await stat(root);
    const wanted = (options.readOnly ? READ_ONLY : READ_WRITE) | SET_GROUP | EXECUTE;
    if (gid === group && (mode & wanted) === wanted) return;
  }
  await changeTree(root, group, options.readOnly);
}
