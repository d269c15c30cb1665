/**
 * Mounts of the node: read from /proc, made and taken away through mount(8) and umount(8).
 *
 * Source  k8s.io/mount-utils mount_linux.go
 */
import { readFile } from "node:fs/promises";
import type { Exec } from "@nanokube/machinery";

export interface MountPoint {
  path: string;
  type: string;
  source: string;
}

/** /proc writes blanks as \040 and the like. */
const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

export function parseMounts(text: string): MountPoint[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [source = "", path = "", type = ""] = line.split(" ");
      return { source: unescapeOctal(source), path: unescapeOctal(path), type };
    });
}

export interface Mounter {
  list(): Promise<MountPoint[]>;
  isMountPoint(path: string): Promise<boolean>;
  mountTmpfs(path: string, options: readonly string[]): Promise<void>;
  bind(source: string, target: string): Promise<void>;
  unmount(path: string): Promise<void>;
}

export function createMounter(exec: Exec): Mounter {
  const run = async (argv: string[]) => {
    const { code, stderr, stdout } = await exec(argv);
    if (code === 0) return;
    const output = (stderr + stdout).trim();
    throw new Error(`${argv[0]} failed: exit status ${code}\nOutput: ${output}`);
  };
  const list = async () => {
    const text = await readFile("/proc/self/mounts", "utf8").catch(() => "");
    return parseMounts(text);
  };
  return {
    list,
    isMountPoint: async (path) => (await list()).some((mount) => mount.path === path),
    mountTmpfs: (path, options) =>
      run([
        "mount",
        "-t",
        "tmpfs",
        ...(options.length === 0 ? [] : ["-o", options.join(",")]),
        "tmpfs",
        path,
      ]),
    bind: (source, target) => run(["mount", "--bind", source, target]),
    unmount: (path) => run(["umount", path]),
  };
}

/** Mount points at or under a directory, the deepest first. */
export async function mountsUnder(mounter: Mounter, directory: string): Promise<string[]> {
  const inside = (path: string) => path === directory || path.startsWith(`${directory}/`);
  const found = (await mounter.list()).map((mount) => mount.path).filter(inside);
  return found.sort((a, b) => b.length - a.length);
}
