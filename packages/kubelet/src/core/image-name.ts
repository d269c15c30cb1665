/**
 * Image names: the default tag, and which registry a name belongs to.
 *
 * Source  pkg/util/parsers/parsers.go, distribution/reference
 */

const NAME =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d+)?\/|\[[0-9a-fA-F:]+\](?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;

export class ImageNameError extends Error {}

/** `busybox` → `busybox:latest`; a name with a tag or digest stays. */
export function withDefaultTag(image: string): string {
  if (!NAME.test(image)) {
    const why = /[A-Z]/.test(image.split("/").at(-1)!.split(/[:@]/)[0]!)
      ? "repository name must be lowercase"
      : "invalid reference format";
    throw new ImageNameError(`couldn't parse image name "${image}": ${why}`);
  }
  if (image.includes("@")) return image;
  const last = image.slice(image.lastIndexOf("/") + 1);
  return last.includes(":") ? image : `${image}:latest`;
}

/** The registry's host, docker.io when none is written, and the repository in it. */
export function repositoryOf(image: string): { host: string; path: string } {
  const bare = image.split("@")[0]!;
  const slash = bare.indexOf("/");
  const first = slash < 0 ? "" : bare.slice(0, slash);
  const isHost = first.includes(".") || first.includes(":") || first === "localhost";
  const host = isHost ? first : "docker.io";
  const path = (isHost ? bare.slice(slash + 1) : bare).replace(/:[^/]*$/, "");
  return { host, path: host === "docker.io" && !path.includes("/") ? `library/${path}` : path };
}

interface DockerAuth {
  username?: string;
  password?: string;
  auth?: string;
  identitytoken?: string;
}

export interface ImageCredentials {
  username: string;
  password: string;
  identityToken: string;
}

function credentialsOf(entry: DockerAuth): ImageCredentials {
  let { username = "", password = "" } = entry;
  if (entry.auth !== undefined && username === "") {
    const decoded = atob(entry.auth);
    username = decoded.slice(0, decoded.indexOf(":"));
    password = decoded.slice(decoded.indexOf(":") + 1);
  }
  return { username, password, identityToken: entry.identitytoken ?? "" };
}

/**
 * Credentials in a Secret's .dockerconfigjson or .dockercfg that fit the image, the closest first.
 * Keys are `host`, `https://host/v1/`, `host/path` or `*.host`.
 */
export function credentialsFor(
  image: string,
  data: Record<string, string> | undefined,
): ImageCredentials[] {
  const raw = data?.[".dockerconfigjson"] ?? data?.[".dockercfg"];
  if (raw === undefined) return [];
  let parsed: { auths?: Record<string, DockerAuth> } & Record<string, unknown>;
  try {
    parsed = JSON.parse(atob(raw));
  } catch {
    return [];
  }
  const auths = parsed.auths ?? (parsed as Record<string, DockerAuth>);
  const { host, path } = repositoryOf(image);
  const found: { depth: number; credentials: ImageCredentials }[] = [];
  for (const [key, entry] of Object.entries(auths)) {
    const bare = key.replace(/^https?:\/\//, "").replace(/\/(v1|v2)?\/?$/, "");
    const [keyHost = "", ...keyPath] = bare.split("/");
    const wanted = keyHost === "index.docker.io" ? "docker.io" : keyHost;
    const hostFits = wanted.startsWith("*.") ? host.endsWith(wanted.slice(1)) : host === wanted;
    const prefix = keyPath.join("/");
    if (hostFits && (prefix === "" || path === prefix || path.startsWith(`${prefix}/`))) {
      found.push({ depth: prefix.length, credentials: credentialsOf(entry) });
    }
  }
  return found.sort((a, b) => b.depth - a.depth).map((entry) => entry.credentials);
}
