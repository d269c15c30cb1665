/**
 * Can the runtime mount an image as a volume? CRI has no way to ask; an older containerd takes the
 * mount for one without a source and says `failed to mkdir ""`, which helps nobody.
 *
 * Source  containerd releases: image mounts since 2.1
 */

/** `runtime` is the node's containerRuntimeVersion, `containerd://1.6.20`. */
export function imageVolumeProblem(runtime: string): string | undefined {
  const found = /^containerd:\/\/v?(\d+)\.(\d+)/.exec(runtime);
  if (found === null) return undefined;
  const [major, minor] = [Number(found[1]), Number(found[2])];
  if (major > 2 || (major === 2 && minor >= 1)) return undefined;
  return `image volumes are not supported by ${runtime}, they need containerd 2.1`;
}
