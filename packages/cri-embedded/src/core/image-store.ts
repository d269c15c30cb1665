/**
 * Images are names here: pulling one records it, nothing is downloaded.
 *
 * Ids are made of the name: the same name has the same id on every node and after a restart.
 * Errors  a name whose host ends in `.invalid` can't be pulled, as its host can't exist (RFC 2606)
 */
import { codes, RpcError } from "@nanokube/rpc";

export interface ImageRecord {
  id: string;
  repository: string;
  tags: string[];
  digest: string;
}

/** `busybox` → docker.io/library/busybox, latest. */
export function normalizeImage(name: string): { repository: string; tag: string; digest: string } {
  const [named = "", digest = ""] = name.split("@");
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost";
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  let repository = hasTag ? named.slice(0, colon) : named;
  if (!isHost)
    repository = slash < 0 ? `docker.io/library/${repository}` : `docker.io/${repository}`;
  const tag = hasTag ? named.slice(colon + 1) : digest === "" ? "latest" : "";
  return { repository, tag, digest };
}

export class ImageStore {
  readonly #images = new Map<string, ImageRecord>();
  readonly #digestOf: (text: string) => string;

  constructor(digestOf: (text: string) => string) {
    this.#digestOf = digestOf;
  }

  list(): ImageRecord[] {
    return [...this.#images.values()];
  }

  find(name: string): ImageRecord | undefined {
    const byID = this.#images.get(name.replace(/^sha256:/, ""));
    if (byID !== undefined) return byID;
    const { repository, tag, digest } = normalizeImage(name);
    return this.list().find(
      (image) =>
        image.repository === repository &&
        (digest !== "" ? image.digest === digest : image.tags.includes(tag)),
    );
  }

  pull(name: string): ImageRecord {
    const { repository, tag, digest } = normalizeImage(name);
    const host = repository.split("/")[0]!.replace(/:\d+$/, "");
    if (host.endsWith(".invalid")) {
      const text = `failed to pull and unpack image "${name}": failed to resolve reference "${name}": failed to do request: Head "https://${host}/v2/": dial tcp: lookup ${host}: no such host`;
      throw new RpcError(codes.UNKNOWN, text);
    }
    const known = this.find(name);
    if (known !== undefined) return known;
    const id = this.#digestOf(`${repository}:${tag}@${digest}`);
    const image: ImageRecord = {
      id,
      repository,
      tags: tag === "" ? [] : [tag],
      digest: digest || `sha256:${this.#digestOf(`manifest ${repository}:${tag}`)}`,
    };
    this.#images.set(id, image);
    return image;
  }

  remove(name: string): void {
    const image = this.find(name);
    if (image !== undefined) this.#images.delete(image.id);
  }
}
