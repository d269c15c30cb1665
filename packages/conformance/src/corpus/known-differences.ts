/**
 * The cases in which ours is known to answer otherwise: a text file a group, a line a case, its
 * name and where the answers first differ. A group without differences has no file.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../testdata/corpus-differences/", import.meta.url));
const fileOf = (group: string): string => `${group.replaceAll("/", "_")}.txt`;

/** Case name → where it differs. */
export function readKnown(group: string): Map<string, string> {
  const path = join(folder, fileOf(group));
  if (!existsSync(path)) return new Map();
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return new Map(lines.map((line) => line.split("\t") as [string, string]));
}

export function writeKnown(group: string, differing: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, fileOf(group));
  if (differing.size === 0) rmSync(path, { force: true });
  else {
    const lines = [...differing].map(([name, where]) => `${name}\t${where}\n`);
    writeFileSync(path, lines.join(""));
  }
}

/** Files of groups that are no more. */
export function removeStrangers(groups: readonly string[]): void {
  const known = new Set(groups.map(fileOf));
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (!known.has(file)) rmSync(join(folder, file));
  }
}
