/**
 * Python's clients of Kubernetes, in an environment of their own beside upstream's programs.
 *
 * Shapes  <cache>/../python/bin/python3, with what upstream/pins/python/requirements.txt names; the
 *         programs that use them lie beside that file
 */
import { createHash } from "node:crypto";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { cacheDirectory } from "./cache.ts";

const pins = fileURLToPath(new URL("../../upstream/pins/python/", import.meta.url));
const requirements = join(pins, "requirements.txt");

const directory = () => join(cacheDirectory(), "..", "python");

async function stamp(): Promise<string> {
  const digest = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex");
  return join(directory(), `made-of-${digest}`);
}

/** The interpreter that has the clients; undefined when `npm run upstream` has not made it. */
export async function pythonWithClient(): Promise<string | undefined> {
  const isThere = await access(await stamp()).then(
    () => true,
    () => false,
  );
  return isThere ? join(directory(), "bin", "python3") : undefined;
}

export const pythonProgram = (name: string): string => join(pins, `${name}.py`);

/** False where there is no python3 that can make environments. */
export async function buildPythonClient(): Promise<boolean> {
  if ((await pythonWithClient()) !== undefined) return true;
  const made = await execa("python3", ["-m", "venv", "--clear", directory()], { reject: false });
  if (made.failed) return false;
  await execa(join(directory(), "bin", "pip"), ["install", "--quiet", "-r", requirements]);
  await execa("touch", [await stamp()]);
  return true;
}
