/**
 * The word that lets a process go on which was started before what it needs was there.
 *
 * The control plane takes longest to load its code. So it is started first, and reads one line from
 * its standard input before it touches certificates, which the launcher makes meanwhile. A launcher
 * that ends without the word takes its control plane with it.
 *
 * Shapes  "go\n" on standard input; no pipe there at all means that nobody starts it in two steps
 */
import { fstatSync, read } from "node:fs";
import { promisify } from "node:util";

const go = "go\n";

/** Says the word to a process that was spawned with a pipe as its standard input. */
export function sayGo(input: NodeJS.WritableStream | null): void {
  // A process that is gone already says why elsewhere.
  input?.on("error", () => {});
  input?.end(go);
}

export async function waitForGo(): Promise<void> {
  const input = fstatSync(0);
  if (!input.isFIFO() && !input.isSocket()) return;
  const { bytesRead } = await promisify(read)(0, Buffer.alloc(go.length), 0, go.length, null);
  if (bytesRead === 0) throw new Error("the launcher ended before the certificates were made");
}
