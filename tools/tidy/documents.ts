/**
 * Documents: links that lead somewhere, READMEs that fit two screens and a terminal's width.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { columnsMax } from "./size.ts";

/** Two screens, for a newcomer. */
export const readmeLinesMax = 100;

export function brokenLinks(root: string, path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !existsSync(join(root, dirname(path), target)))
    .map((target) => `${path} links to ${target}`);
}

/** Lines that are wider than a terminal, and a README that is longer than two screens. */
export function longReadme(root: string, path: string): string[] {
  const lines = readFileSync(join(root, path), "utf8").trimEnd().split("\n");
  const wide = lines.flatMap((line, i) =>
    [...line].length > columnsMax ? [`${path}:${i + 1}: ${[...line].length} columns`] : [],
  );
  return lines.length > readmeLinesMax ? [...wide, `${path}: ${lines.length} lines`] : wide;
}
