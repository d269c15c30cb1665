/** `nanokube down`: takes a running cluster down; a directory without one is named. */
import { DataDir } from "../io/data-dir.ts";
import { down } from "../io/down.ts";

export async function downCommand(flags: { dataDir: string; purge?: boolean }): Promise<void> {
  const dir = new DataDir(flags.dataDir);
  await dir.requireState();
  await down(dir, flags.purge === undefined ? {} : { purge: flags.purge });
}
