/**
 * Bind mounts and loop devices, each step repeatable.
 *
 * Errors  INTERNAL with what mount, umount or losetup said
 * Source  mount(8), losetup(8); k8s.io/mount-utils
 */
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import type { Exec } from "@nanokube/machinery";
import { refuse } from "../core/errors.ts";
import { type Mount, mountsOf, parseMountInfo } from "../core/mount-table.ts";
import type { AccessType, Volume } from "../core/volume.ts";

export interface Mounter {
  mounts(): Promise<Mount[]>;
  /** Where the volume is mounted now. */
  mountsOfVolume(volume: Volume, data: string): Promise<Mount[]>;
  bind(source: string, target: string, options: BindOptions): Promise<void>;
  /** Unmounts as often as something is mounted there, and removes the mount point. */
  unbind(target: string): Promise<void>;
  /** The loop device of a file; made when there is none. */
  attachLoop(file: string): Promise<string>;
  detachLoops(file: string): Promise<void>;
  growLoops(file: string): Promise<void>;
}

export interface BindOptions {
  type: AccessType;
  readonly: boolean;
  /** "noexec" and the like. */
  flags: readonly string[];
}

export function createMounter(exec: Exec): Mounter {
  async function run(argv: string[]): Promise<string> {
    const { stdout, stderr, code } = await exec(argv);
    if (code !== 0) refuse("INTERNAL", `${argv.join(" ")}: ${stderr.trim() || `exit ${code}`}`);
    return stdout;
  }
  const mounts = async () => parseMountInfo(await fs.readFile("/proc/self/mountinfo", "utf8"));
  const loopsOf = async (file: string) => {
    const text = await run(["losetup", "--noheadings", "--output", "NAME", "--associated", file]);
    return text.split("\n").filter((line) => line !== "");
  };

  return {
    mounts,
    async mountsOfVolume({ id, accessType }, data) {
      const loops = accessType === "block" ? await loopsOf(data) : [];
      return mountsOf(await mounts(), id, loops);
    },
    async bind(source, target, options) {
      await fs.mkdir(options.type === "mount" ? target : dirname(target), { recursive: true });
      if (options.type === "block") await fs.writeFile(target, "", { flag: "a" });
      await run(["mount", "--bind", source, target]);
      const changes = [...(options.readonly ? ["ro"] : []), ...options.flags];
      if (changes.length === 0) return;
      try {
        // A bind mount takes its options in a second step only.
        await run(["mount", "-o", ["remount", "bind", ...changes].join(","), target]);
      } catch (error) {
        await run(["umount", target]);
        throw error;
      }
    },
    async unbind(target) {
      for (const mount of await mounts()) {
        if (mount.target === target) await run(["umount", target]);
      }
      const stat = await fs.lstat(target).catch(() => undefined);
      // rmdir, not rm -r: should a mount be hidden here after all, its files are not ours to
      // delete.
      if (stat?.isDirectory()) await fs.rmdir(target);
      else if (stat !== undefined) await fs.unlink(target);
    },
    async attachLoop(file) {
      const [known] = await loopsOf(file);
      return known ?? (await run(["losetup", "--find", "--show", file])).trim();
    },
    async detachLoops(file) {
      for (const device of await loopsOf(file)) await run(["losetup", "--detach", device]);
    },
    async growLoops(file) {
      for (const device of await loopsOf(file)) await run(["losetup", "--set-capacity", device]);
    },
  };
}
