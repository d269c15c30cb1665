/**
 * Where labs are kept and how their lab.yml is read.
 *
 * Errors  EnvironmentError for a lab that does not exist, naming those that do
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { type LabManifest, parseManifest } from "../core/lab.ts";
import { EnvironmentError } from "../core/subject.ts";

/** The package's own folder: from src/io and from dist/io alike. */
export const labsFolder = fileURLToPath(new URL("../../", import.meta.url));

export const labFolder = (id: string): string => join(labsFolder, id);

export function labIds(): string[] {
  return readdirSync(labsFolder).filter((name) => existsSync(join(labsFolder, name, "lab.yml")));
}

export function readLab(id: string): LabManifest {
  if (!labIds().includes(id)) {
    throw new EnvironmentError(`there is no lab ${id}; there are: ${labIds().join(", ")}`);
  }
  return parseManifest(parse(readFileSync(join(labFolder(id), "lab.yml"), "utf8")));
}
