/**
 * The Python client of Kubernetes, in an environment of its own beside upstream's programs.
 *
 * Shapes  <cache>/../python/bin/python3, with the pinned client installed
 */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheDirectory } from "./cache.ts";

const client = "kubernetes==37.0.2";

const directory = () => join(cacheDirectory(), "..", "python");
const stamp = () => join(directory(), client);

/** The interpreter that has the client; undefined when `npm run upstream` has not made it. */
export async function pythonWithClient(): Promise<string | undefined> {
  const isThere = await access(stamp()).then(
    () => true,
    () => false,
  );
  return isThere ? join(directory(), "bin", "python3") : undefined;
}

/** False where there is no python3 that can make environments. */
export async function buildPythonClient(): Promise<boolean> {
  if ((await pythonWithClient()) !== undefined) return true;
  const made = await execa("python3", ["-m", "venv", "--clear", directory()], { reject: false });
  if (made.failed) return false;
  await execa(join(directory(), "bin", "pip"), ["install", "--quiet", client]);
  await execa("touch", [stamp()]);
  return true;
}
