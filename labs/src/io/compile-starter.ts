/**
 * Whether the starter compiles: TypeScript's own word, by the compiler that the workspace has.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { EnvironmentError } from "../core/subject.ts";

export function compileStarter(folder: string): string[] {
  const program = findCompiler();
  const { status, stdout } = spawnSync(process.execPath, [program, "-p", folder], {
    encoding: "utf8",
  });
  return status === 0 ? [] : stdout.trim().split("\n").slice(0, 5);
}

function findCompiler(): string {
  const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
  const program = join(dirname(manifest), "bin", "tsc");
  if (existsSync(program)) return program;
  throw new EnvironmentError("TypeScript is not installed: run this inside the repository");
}
