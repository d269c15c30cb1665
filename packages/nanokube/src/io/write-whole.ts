/**
 * Files that are there whole or not at all: what a full disk cuts short must not be read as the
 * real thing when there is space again.
 *
 * Errors  a full disk, with the file's name in it
 */
import { rename, rm, writeFile } from "node:fs/promises";

export async function writeWhole(
  file: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  const fresh = `${file}.new`;
  try {
    await writeFile(fresh, content, { mode });
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {});
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT") {
      throw new Error(`write ${file}: no space left on device`);
    }
    throw error;
  }
}
