/**
 * Writes a set of files so that a reader sees all of the old or all of the new, never a mixture.
 *
 *   volume/name   → ..data/name
 *   volume/..data → ..2026_11_21_10_00_00.123456789     (swapped by one rename)
 *
 * Nothing is written when the files already are as they should be.
 * Source  pkg/volume/util/atomic_writer.go
 */
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkVolumePath, type VolumeFiles } from "../../core/volume-files.ts";

const DATA = "..data";
const NEW_DATA = "..data_tmp";
const SHARED_READ = 0o440;

export interface WriteOptions {
  nowMs: number;
  /** The pod's fsGroup: files belong to it and it may read them. */
  fsGroup: number | undefined;
  /** Who must own the files (the container's user, for tokens). */
  owner?: number | undefined;
}

async function ignoreMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function filesUnder(root: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, prefix), { withFileTypes: true })) {
    const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesUnder(root, path)));
    else found.push(path);
  }
  return found;
}

async function isCurrent(directory: string, files: VolumeFiles): Promise<boolean> {
  const present = await ignoreMissing(filesUnder(directory));
  if (present === undefined || present.length !== files.size) return false;
  for (const path of present) {
    const wanted = files.get(path);
    if (wanted === undefined) return false;
    if (!(await readFile(join(directory, path))).equals(wanted.data)) return false;
  }
  return true;
}

function timestampName(nowMs: number, random: number): string {
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replace(/[-T:]/g, "_");
  return `..${stamp}.${String(random).padStart(9, "0")}`;
}

async function writeAll(directory: string, files: VolumeFiles, options: WriteOptions) {
  await mkdir(directory, { mode: 0o755 });
  await chmod(directory, options.fsGroup === undefined ? 0o755 : 0o2755);
  for (const [path, file] of files) {
    const target = join(directory, path);
    if (path.includes("/")) await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, file.data, { mode: file.mode });
    const group = options.fsGroup;
    const owner = options.owner;
    // Owner and group before the mode, since chown clears some of its bits.
    if (group !== undefined || owner !== undefined) await chown(target, owner ?? 0, group ?? 0);
    await chmod(target, group === undefined ? file.mode : file.mode | SHARED_READ);
  }
  if (options.fsGroup !== undefined) await chown(directory, 0, options.fsGroup);
}

/** What a reader sees at the top of the volume: one link for the first part of each path. */
async function linkVisible(root: string, files: VolumeFiles): Promise<void> {
  const wanted = new Set([...files.keys()].map((path) => path.split("/")[0]!));
  for (const name of wanted) {
    const link = join(root, name);
    if ((await ignoreMissing(lstat(link))) === undefined) await symlink(`${DATA}/${name}`, link);
  }
  for (const name of await readdir(root)) {
    if (!name.startsWith("..") && !wanted.has(name)) await rm(join(root, name), { force: true });
  }
}

/** Answers whether anything was written. */
export async function writeAtomically(
  root: string,
  files: VolumeFiles,
  options: WriteOptions,
): Promise<boolean> {
  for (const path of files.keys()) checkVolumePath(path);
  const dataLink = join(root, DATA);
  const old = await ignoreMissing(readlink(dataLink));
  if (old !== undefined && (await isCurrent(join(root, old), files))) {
    await linkVisible(root, files);
    return false;
  }
  let fresh = "";
  for (let serial = options.nowMs % 1_000_000_000; ; serial += 1) {
    fresh = timestampName(options.nowMs, serial % 1_000_000_000);
    if ((await ignoreMissing(lstat(join(root, fresh)))) === undefined) break;
  }
  try {
    await writeAll(join(root, fresh), files, options);
    await rm(join(root, NEW_DATA), { force: true });
    await symlink(fresh, join(root, NEW_DATA));
    await rename(join(root, NEW_DATA), dataLink);
  } catch (error) {
    await rm(join(root, fresh), { recursive: true, force: true });
    throw error;
  }
  await linkVisible(root, files);
  if (old !== undefined) await rm(join(root, old), { recursive: true, force: true });
  return true;
}
