/**
 * Image names as people write them, and as containerd stores them.
 *
 * Shapes  "busybox"                 → docker.io/library/busybox:latest
 *         "registry.k8s.io/pause:3.10" stays as it is
 * Source  github.com/distribution/reference normalize.go
 */
export interface ImageReference {
  registry: string;
  repository: string;
  tag?: string;
  digest?: string;
}

export function parseImageReference(name: string): ImageReference {
  const [beforeDigest, digest] = name.split("@", 2) as [string, string | undefined];
  const slash = beforeDigest.indexOf("/");
  const first = slash < 0 ? "" : beforeDigest.slice(0, slash);
  const hasRegistry = /[.:]/.test(first) || first === "localhost";
  const registry = hasRegistry && first !== "index.docker.io" ? first : "docker.io";
  let rest = hasRegistry ? beforeDigest.slice(slash + 1) : beforeDigest;
  if (registry === "docker.io" && !rest.includes("/")) rest = `library/${rest}`;
  const colon = rest.lastIndexOf(":");
  const repository = colon < 0 ? rest : rest.slice(0, colon);
  if (!/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(repository)) {
    throw new Error(`couldn't parse image name "${name}": invalid reference format`);
  }
  const reference: ImageReference = { registry, repository };
  if (colon >= 0) reference.tag = rest.slice(colon + 1);
  else if (digest === undefined) reference.tag = "latest";
  if (digest !== undefined) reference.digest = digest;
  return reference;
}

export function formatImageReference(reference: ImageReference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

export const normalizeImageName = (name: string) => formatImageReference(parseImageReference(name));
