/**
 * An example of a README, as it stands there, run as a program of its own.
 *
 * Shapes  an example is a block of ```ts; what it prints stands behind it: `console.log(x); // 3`
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

export async function readmeExamples(unit: string): Promise<string[]> {
  const readme = await readFile(join(root, "packages", unit, "README.md"), "utf8");
  return [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
}

/** What the example says that it prints. */
export const saidOutput = (code: string): string =>
  [...code.matchAll(/console\.log\(.*\);\s*\/\/ (.*)/g)].map(([, text]) => `${text}\n`).join("");

/** What a program prints; it lives in a folder of its own, from which packages are found. */
export async function outputOf(code: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "readme-"));
  try {
    await symlink(join(root, "node_modules"), join(directory, "node_modules"));
    const file = join(directory, "example.ts");
    await writeFile(file, code);
    const options = { cwd: directory, timeout: 60_000 };
    const argv = ["--conditions=nanokube-source", file];
    return (await promisify(execFile)(process.execPath, argv, options)).stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
