/**
 * A student's folder: copied from the starter, never over something that is there.
 */
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { LabManifest } from "../core/lab.ts";
import { EnvironmentError } from "../core/subject.ts";
import { labFolder } from "./manifest.ts";

export function startLab(lab: LabManifest, directory: string): string {
  const target = resolve(directory);
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new EnvironmentError(`${directory} is not empty: nothing was copied`);
  }
  cpSync(join(labFolder(lab.id), "starter"), target, {
    recursive: true,
    filter: (path) => !path.includes("node_modules"),
  });
  cpSync(join(labFolder(lab.id), "README.md"), join(target, "README.md"));
  return target;
}

const hintLog = join(".labs", "hints.jsonl");
export const hintLevelMax = 3;

/** One rung of the ladder for one stage: its section of hints/<level>.md. */
export function hint(lab: LabManifest, stage: string, level: number): string {
  const path = join(labFolder(lab.id), "hints", `${level}.md`);
  const section = readFileSync(path, "utf8")
    .split(/^## /m)
    .find((text) => text.startsWith(`${stage}\n`));
  if (section === undefined) {
    const stages = lab.stages.map(({ id }) => id).join(", ");
    throw new EnvironmentError(`no hint for stage ${stage}; stages are ${stages}`);
  }
  return section.slice(stage.length).trim();
}

/** How many hints were asked for here: hints cost nothing, and are counted. */
export function hintsTaken(lab: string, stage: string): number {
  if (!existsSync(hintLog)) return 0;
  return readFileSync(hintLog, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { lab: string; stage: string })
    .filter((entry) => entry.lab === lab && entry.stage === stage).length;
}

export function logHint(lab: string, stage: string, level: number, at: string): void {
  mkdirSync(".labs", { recursive: true });
  appendFileSync(hintLog, `${JSON.stringify({ lab, stage, level, at })}\n`);
}
