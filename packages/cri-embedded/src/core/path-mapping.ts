/**
 * A container's paths on a machine where nothing can be mounted: `/etc/shop/x` → the volume's own
 * path, in arguments and variables.
 *
 * Only whole words and the parts of lists (`a:b`, `--flag=/x`) are looked at, never the inside of a
 * script: that a shell line names a mounted path can't be known.
 */
export interface PathMount {
  containerPath: string;
  hostPath: string;
}

const byDepth = (a: PathMount, b: PathMount) => b.containerPath.length - a.containerPath.length;

/** The path on this machine; itself when no mount covers it. */
export function mapPath(path: string, mounts: readonly PathMount[]): string {
  for (const { containerPath, hostPath } of [...mounts].sort(byDepth)) {
    const base = containerPath.replace(/\/+$/, "");
    if (path === base || path === `${base}/`) return hostPath;
    if (path.startsWith(`${base}/`)) return hostPath + path.slice(base.length);
  }
  return path;
}

/** A word that is a path, `name=path`, or a list of paths. */
export function mapWord(word: string, mounts: readonly PathMount[]): string {
  if (word.startsWith("/")) {
    return word
      .split(":")
      .map((part) => mapPath(part, mounts))
      .join(":");
  }
  const equals = word.indexOf("=/");
  if (equals < 0 || /\s/.test(word)) return word;
  return word.slice(0, equals + 1) + mapPath(word.slice(equals + 1), mounts);
}

/** A shell's script: every mounted path that stands as a word of its own. */
export function mapScript(script: string, mounts: readonly PathMount[]): string {
  return script.replace(
    /(^|[\s"'=<>|;&(])(\/[^\s"'<>|;&()$`]*)/g,
    (_, before: string, path: string) => {
      return before + mapPath(path, mounts);
    },
  );
}
