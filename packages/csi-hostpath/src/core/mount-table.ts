/**
 * /proc/self/mountinfo: the truth about what is mounted, that no crash makes stale.
 *
 * Shapes  root    the path inside the mounted file system that is seen at `target`: for a bind
 *                 mount, its source
 * Source  proc_pid_mountinfo(5)
 */
export interface Mount {
  root: string;
  target: string;
  readonly: boolean;
}

export function parseMountInfo(text: string): Mount[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, , , root = "", target = "", options = ""] = line.split(" ");
      const isReadonly = options.split(",").includes("ro");
      return { root: unescaped(root), target: unescaped(target), readonly: isReadonly };
    });
}

/** Blanks, tabs, newlines and backslashes are written in octal. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\(\d{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );

/** The topmost mount at a path: later lines lie above earlier ones. */
export const mountAt = (mounts: readonly Mount[], target: string): Mount | undefined =>
  mounts.findLast((mount) => mount.target === target);

/**
 * Mounts of a volume: of its directory, or of its loop devices' nodes. Roots are relative to their
 * file system, hence the match from within.
 */
export function mountsOf(
  mounts: readonly Mount[],
  volumeID: string,
  loops: readonly string[],
): Mount[] {
  const marker = `/volumes/${volumeID}/`;
  const nodes = loops.map((device) => device.replace(/^\/dev/, ""));
  return mounts.filter((mount) => mount.root.includes(marker) || nodes.includes(mount.root));
}
