/**
 * The repository as the tidy test reads it: every tracked or new source file, with its imports.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export const root = normalize(fileURLToPath(new URL("../../", import.meta.url)));

export interface Source {
  /** Relative to the root. */
  path: string;
  text: string;
  /** "packages/etcd-lite", "labs", "tools/tidy" … */
  unit: string;
  /** "core", "io" or "" for the rest of src/. */
  layer: "core" | "io" | "";
  isTest: boolean;
  isGenerated: boolean;
  imports: { specifier: string; typeOnly: boolean }[];
}

export function repositoryFiles(): string[] {
  const list = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const text = execFileSync("git", list, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 });
  return text.split("\n").filter((path) => path !== "" && existsSync(join(root, path)));
}

export const sizeOf = (path: string) => statSync(join(root, path)).size;

const importPattern =
  /^\s*(?:import|export)\s+(type\s+)?(?:[^"'`;]*?\sfrom\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

function importsOf(text: string): Source["imports"] {
  return [...text.matchAll(importPattern)].map((match) => ({
    specifier: match[2] ?? match[3]!,
    typeOnly: match[1] !== undefined,
  }));
}

export function readSources(): Source[] {
  return repositoryFiles()
    .filter((path) => /^(packages|labs|tools)\/.*\.ts$/.test(path) && !/\/starter\//.test(path))
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      const parts = path.split("/");
      const unit = parts[0] === "labs" ? "labs" : parts.slice(0, 2).join("/");
      const inside = /\/src\/(core|io)\//.exec(path)?.[1] as Source["layer"] | undefined;
      return {
        path,
        text,
        unit,
        layer: inside ?? "",
        isTest: /\.test\.ts$|\/test\/|\/testing\//.test(path),
        isGenerated: path.includes("/generated/"),
        imports: importsOf(text),
      };
    });
}

/** The repository file that a relative import names; undefined for packages. */
export function resolveImport(source: Source, specifier: string): string | undefined {
  const door = /^@nanokube\/([^/]+)\/(.+)$/.exec(specifier);
  if (door !== null) return `packages/${door[1]}/src/${door[2]}.ts`;
  if (!specifier.startsWith(".")) return undefined;
  return normalize(join(dirname(source.path), specifier));
}
