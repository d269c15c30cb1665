/**
 * Volumes and snapshots on disk, so that nothing is lost when the driver ends at any moment.
 *
 *   DIR/volumes/ID/volume.json   what the driver remembers
 *   DIR/volumes/ID/data/         a mounted volume's files, or
 *   DIR/volumes/ID/block         a raw volume's bytes
 *   DIR/snapshots/ID/            the same for snapshots
 *
 * A volume is built as ".new-ID" and renamed, and deleted by a rename to ".gone-ID": it is there
 * wholly or not at all, and what a crash leaves behind is swept away at the next start.
 *
 * Errors  the file system's own; ENOSPC becomes RESOURCE_EXHAUSTED
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { Exec } from "@nanokube/machinery";
import { refuse } from "../core/errors.ts";
import { isID, type Snapshot, type Volume } from "../core/volume.ts";

type Kind = "volumes" | "snapshots";
type Entry = { id: string; accessType: "mount" | "block"; sizeBytes: number };

export interface Store {
  volume(id: string): Volume | undefined;
  volumes(): Volume[];
  snapshot(id: string): Snapshot | undefined;
  snapshots(): Snapshot[];
  /** `from` is a path of `dataOf` to copy. */
  createVolume(volume: Volume, from?: string): Promise<void>;
  createSnapshot(snapshot: Snapshot): Promise<void>;
  resize(volume: Volume, sizeBytes: number): Promise<Volume>;
  remove(kind: Kind, id: string): Promise<void>;
  dataOf(kind: Kind, entry: Pick<Entry, "id" | "accessType">): string;
}

/** Reads what is there at once, without waiting: a start has nothing else to do. */
export function openStore(dir: string, exec: Exec): Store {
  const entries = { volumes: new Map<string, Volume>(), snapshots: new Map<string, Snapshot>() };
  for (const kind of ["volumes", "snapshots"] as const) {
    mkdirSync(join(dir, kind), { recursive: true, mode: 0o750 });
    for (const name of readdirSync(join(dir, kind)).sort()) {
      const path = join(dir, kind, name);
      if (name.startsWith(".")) rmSync(path, { recursive: true, force: true });
      else if (isID(name)) {
        const text = readFileSync(join(path, fileOf(kind)), "utf8");
        (entries[kind] as Map<string, Entry>).set(name, JSON.parse(text) as Entry);
      }
    }
  }

  const dataOf: Store["dataOf"] = (kind, { id, accessType }) =>
    join(dir, kind, id, accessType === "mount" ? "data" : "block");

  async function create(kind: Kind, entry: Entry, from: string | undefined): Promise<void> {
    const building = join(dir, kind, `.new-${entry.id}`);
    try {
      await fs.rm(building, { recursive: true, force: true });
      await fs.mkdir(building, { mode: 0o750 });
      await fill(building, entry, from, exec);
      const json = JSON.stringify(entry);
      await fs.writeFile(join(building, fileOf(kind)), json, { flush: true });
      await fs.rename(building, join(dir, kind, entry.id));
    } catch (error) {
      await fs.rm(building, { recursive: true, force: true });
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") {
        refuse("RESOURCE_EXHAUSTED", "no space left on the node's disk");
      }
      throw error;
    }
    (entries[kind] as Map<string, Entry>).set(entry.id, entry);
  }

  return {
    volume: (id) => entries.volumes.get(id),
    volumes: () => [...entries.volumes.values()],
    snapshot: (id) => entries.snapshots.get(id),
    snapshots: () => [...entries.snapshots.values()],
    createVolume: (volume, from) => create("volumes", volume, from),
    createSnapshot: (snapshot) =>
      create("snapshots", snapshot, dataOf("volumes", { ...snapshot, id: snapshot.sourceVolume })),
    async resize(volume, sizeBytes) {
      if (volume.accessType === "block") await fs.truncate(dataOf("volumes", volume), sizeBytes);
      const resized = { ...volume, sizeBytes };
      const path = join(dir, "volumes", volume.id, fileOf("volumes"));
      await fs.writeFile(`${path}.new`, JSON.stringify(resized), { flush: true });
      await fs.rename(`${path}.new`, path);
      entries.volumes.set(volume.id, resized);
      return resized;
    },
    async remove(kind, id) {
      const gone = join(dir, kind, `.gone-${id}`);
      await fs.rename(join(dir, kind, id), gone).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
      entries[kind].delete(id);
      await fs.rm(gone, { recursive: true, force: true });
    },
    dataOf,
  };
}

const fileOf = (kind: Kind): string => (kind === "volumes" ? "volume.json" : "snapshot.json");

async function fill(
  building: string,
  entry: Entry,
  from: string | undefined,
  exec: Exec,
): Promise<void> {
  const data = join(building, entry.accessType === "mount" ? "data" : "block");
  if (entry.accessType === "mount") {
    await fs.mkdir(data, { mode: 0o777 });
    await fs.chmod(data, 0o777); // whatever the umask: any user of a pod may write
  } else {
    await fs.writeFile(data, "");
    await fs.truncate(data, entry.sizeBytes); // sparse
  }
  if (from === undefined) return;
  const source = entry.accessType === "mount" ? `${from}/.` : from;
  const copy = ["cp", "-a", "--reflink=auto", "--sparse=always", source, data];
  const { code, stderr } = await exec(copy);
  if (code !== 0) throw new Error(`failed pre-populate data: ${stderr.trim()}`);
  if (entry.accessType === "block") await fs.truncate(data, entry.sizeBytes);
}
