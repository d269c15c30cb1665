/**
 * The cluster's own images: one OCI layout directory, from which every node pulls.
 *
 * Shapes  <directory>/{oci-layout, index.json, blobs/sha256/<hex>}; index.json names each image by
 *         the annotation io.containerd.image.name, normalised
 * Errors  a tarball that is neither an OCI layout nor `docker save` is refused by name
 * Source  OCI image-spec image-layout.md; `docker save` writes manifest.json beside its layers
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { access, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { normalizeImageName } from "../core/image-reference.ts";
import {
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  mediaTypes,
  nameAnnotation,
  ociArchitecture,
  refNameAnnotation,
} from "../core/oci.ts";
import { type LayerEntry, writeLayer } from "./layer.ts";
import { writeWhole } from "./write-whole.ts";

export interface ImageSpec {
  names: readonly string[];
  layers: readonly (readonly LayerEntry[])[];
  config: ImageConfig["config"];
}

export interface StoredImage {
  name: string;
  manifest: Descriptor;
}

interface DockerManifestEntry {
  Config: string;
  RepoTags: string[] | null;
  Layers: string[];
}

const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function isGzip(path: string): Promise<boolean> {
  for await (const head of createReadStream(path, { end: 1 }) as AsyncIterable<Buffer>) {
    return head[0] === 0x1f && head[1] === 0x8b;
  }
  return false;
}

export class ImageStore {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  blobPath(digest: string): string {
    const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
    if (hex === undefined) throw new Error(`invalid digest "${digest}"`);
    return join(this.directory, "blobs", "sha256", hex);
  }

  async open(): Promise<void> {
    await mkdir(join(this.directory, "blobs", "sha256"), { recursive: true });
    await writeFile(join(this.directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  }

  async list(): Promise<StoredImage[]> {
    const index = await this.#index();
    return index.manifests.flatMap((manifest) => {
      const name = manifest.annotations?.[nameAnnotation];
      return name === undefined ? [] : [{ name, manifest }];
    });
  }

  async find(name: string): Promise<StoredImage | undefined> {
    const wanted = normalizeImageName(name);
    return (await this.list()).find((image) => image.name === wanted);
  }

  /** Builds an image from entries and files of this machine. */
  async add(spec: ImageSpec): Promise<string[]> {
    await this.open();
    const layers: Descriptor[] = [];
    for (const entries of spec.layers) layers.push(await this.#writeLayer(entries));
    const config: ImageConfig = {
      architecture: ociArchitecture(process.arch),
      os: "linux",
      config: spec.config,
      rootfs: { type: "layers", diff_ids: layers.map((l) => l.digest) },
    };
    return this.#addManifest(spec.names, config, layers);
  }

  /** Takes over every named image of an OCI layout or `docker save` tarball. */
  async load(tarball: string): Promise<string[]> {
    await this.open();
    const scratch = await mkdtemp(join(this.directory, "load-"));
    try {
      await unpack(tarball, scratch);
      if (await exists(join(scratch, "index.json"))) return await this.#loadLayout(scratch);
      if (await exists(join(scratch, "manifest.json"))) return await this.#loadDocker(scratch);
      throw new Error(`${tarball}: neither an OCI image layout nor the output of "docker save"`);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #index(): Promise<ImageIndex> {
    try {
      return JSON.parse(await readFile(join(this.directory, "index.json"), "utf8")) as ImageIndex;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };
    }
  }

  async #writeLayer(entries: readonly LayerEntry[]): Promise<Descriptor> {
    const scratch = await mkdtemp(join(this.directory, "layer-"));
    try {
      const file = join(scratch, "layer.tar");
      const { digest, sizeBytes } = await writeLayer(entries, file);
      await rename(file, this.blobPath(digest));
      return { mediaType: mediaTypes.layer, digest, size: sizeBytes };
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #writeBlob(mediaType: string, document: unknown): Promise<Descriptor> {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = sha256(bytes);
    await writeWhole(this.blobPath(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  }

  async #addManifest(
    names: readonly string[],
    config: ImageConfig,
    layers: Descriptor[],
  ): Promise<string[]> {
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: await this.#writeBlob(mediaTypes.config, config),
      layers,
    };
    const descriptor = await this.#writeBlob(mediaTypes.manifest, manifest);
    return this.#name(names, descriptor);
  }

  async #name(names: readonly string[], descriptor: Descriptor): Promise<string[]> {
    const normalized = names.map(normalizeImageName);
    const index = await this.#index();
    index.manifests = index.manifests.filter(
      (m) => !normalized.includes(m.annotations?.[nameAnnotation] ?? ""),
    );
    for (const name of normalized) {
      const tag = name.slice(name.lastIndexOf(":") + 1);
      const annotations = { [nameAnnotation]: name, [refNameAnnotation]: tag };
      index.manifests.push({ ...descriptor, annotations });
    }
    const file = join(this.directory, "index.json");
    await writeWhole(file, JSON.stringify(index));
    return normalized;
  }

  async #loadLayout(scratch: string): Promise<string[]> {
    const index = JSON.parse(await readFile(join(scratch, "index.json"), "utf8")) as ImageIndex;
    const names: string[] = [];
    for (const descriptor of index.manifests) {
      const name = descriptor.annotations?.[nameAnnotation];
      if (name === undefined) continue;
      await this.#copyTree(scratch, descriptor);
      names.push(...(await this.#name([name], descriptor)));
    }
    if (names.length === 0) throw new Error(`no image of the layout has a ${nameAnnotation}`);
    return names;
  }

  async #copyTree(scratch: string, descriptor: Descriptor): Promise<void> {
    const source = join(scratch, "blobs", "sha256", descriptor.digest.slice("sha256:".length));
    const target = this.blobPath(descriptor.digest);
    if (!(await exists(source)) && !(await exists(target))) return; // another platform's
    if (/manifest|index/.test(descriptor.mediaType)) {
      const document = JSON.parse(await readFile(source, "utf8")) as Partial<
        ImageManifest & ImageIndex
      >;
      const children = [document.config, ...(document.layers ?? []), ...(document.manifests ?? [])];
      for (const child of children) if (child !== undefined) await this.#copyTree(scratch, child);
    }
    if (await exists(source)) {
      await verify(source, descriptor.digest);
      await rename(source, target);
    }
  }

  async #loadDocker(scratch: string): Promise<string[]> {
    const entries = JSON.parse(
      await readFile(join(scratch, "manifest.json"), "utf8"),
    ) as DockerManifestEntry[];
    const names: string[] = [];
    for (const entry of entries) {
      const config = JSON.parse(
        await readFile(confined(scratch, entry.Config), "utf8"),
      ) as ImageConfig;
      const layers: Descriptor[] = [];
      for (const layer of entry.Layers) {
        const file = confined(scratch, layer);
        const digest = await digestOf(file);
        const mediaType = (await isGzip(file)) ? mediaTypes.layerGzip : mediaTypes.layer;
        layers.push({ mediaType, digest, size: (await stat(file)).size });
        if (!(await exists(this.blobPath(digest)))) await rename(file, this.blobPath(digest));
      }
      names.push(...(await this.#addManifest(entry.RepoTags ?? [], config, layers)));
    }
    return names;
  }
}

function confined(directory: string, path: string): string {
  const full = normalize(join(directory, path));
  if (!full.startsWith(`${directory}/`)) throw new Error(`path "${path}" leaves the archive`);
  return full;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest("hex")}`;
}

async function verify(file: string, digest: string): Promise<void> {
  const found = await digestOf(file);
  if (found !== digest) throw new Error(`blob ${digest} has the content of ${found}`);
}

async function unpack(tarball: string, directory: string): Promise<void> {
  const tar = extract();
  const reading = pipeline(createReadStream(tarball), tar);
  reading.catch(() => {}); // the loop below sees the same error
  const links: [string, string][] = [];
  for await (const entry of tar) {
    const path = confined(directory, entry.header.name);
    if (entry.header.type === "file") {
      await mkdir(join(path, ".."), { recursive: true });
      await pipeline(entry, createWriteStream(path));
      continue;
    }
    // Older `docker save` links a layer that an image shares with another.
    if (entry.header.type === "symlink") {
      links.push([
        path,
        confined(directory, join(entry.header.name, "..", entry.header.linkname!)),
      ]);
    }
    entry.resume();
  }
  await reading;
  for (const [path, target] of links) {
    await mkdir(join(path, ".."), { recursive: true });
    await pipeline(createReadStream(target), createWriteStream(path));
  }
}
