/**
 * Which files a configMap, secret, downwardAPI or projected volume holds, and with which modes.
 *
 * Pure: the maps and tokens are fetched before. Paths were validated by the API server and are
 * checked again here, since a path out of the volume's directory would be a hole in the node.
 * Source  pkg/volume/configmap, secret, downwardapi, projected; pkg/volume/util/atomic_writer.go
 */
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
} from "@nanokube/api/core/v1";
import { type DownwardContext, resolveField, resolveResource } from "./downward-api.ts";

export interface VolumeFile {
  data: Uint8Array;
  mode: number;
}

export type VolumeFiles = Map<string, VolumeFile>;

export const DEFAULT_MODE = 0o644;
const PATH_MAX = 4096;
const NAME_MAX = 255;

const utf8 = (text: string) => new TextEncoder().encode(text);
const decodeBase64 = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** Refuses a path that could leave the volume's directory. */
export function checkVolumePath(path: string): void {
  if (path === "") throw new Error(`invalid path: must not be empty: ""`);
  if (path.startsWith("/")) throw new Error(`invalid path: must be relative path: ${path}`);
  if (path.length > PATH_MAX) {
    throw new Error(`invalid path: must be less than or equal to ${PATH_MAX} characters`);
  }
  const items = path.split("/");
  if (items.includes("..")) throw new Error(`invalid path: must not contain '..': ${path}`);
  if (items.some((item) => item.length > NAME_MAX)) {
    throw new Error(`invalid path: filenames must be less than or equal to ${NAME_MAX} characters`);
  }
  if (items[0]!.startsWith("..")) {
    throw new Error(`invalid path: must not start with '..': ${path}`);
  }
}

interface KeyedSource {
  items: readonly KeyToPath[] | undefined;
  defaultMode: number;
  optional: boolean;
  /** What to say of a key that is not there. */
  complaint: string;
}

function fromKeys(data: Map<string, Uint8Array>, source: KeyedSource): VolumeFiles {
  const files: VolumeFiles = new Map();
  if ((source.items ?? []).length === 0) {
    for (const [key, bytes] of data) files.set(key, { data: bytes, mode: source.defaultMode });
    return files;
  }
  for (const { key = "", path = "", mode } of source.items!) {
    const bytes = data.get(key);
    if (bytes !== undefined) files.set(path, { data: bytes, mode: mode ?? source.defaultMode });
    else if (!source.optional) throw new Error(`${source.complaint}: ${key}`);
  }
  return files;
}

export interface KeyedVolume {
  items?: readonly KeyToPath[] | undefined;
  optional?: boolean | undefined;
}

export function configMapFiles(
  map: ConfigMap | undefined,
  volume: KeyedVolume,
  defaultMode: number,
): VolumeFiles {
  const data = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(map?.data ?? {})) data.set(key, utf8(text));
  for (const [key, text] of Object.entries(map?.binaryData ?? {})) {
    data.set(key, decodeBase64(text));
  }
  return fromKeys(data, {
    items: volume.items,
    defaultMode,
    optional: volume.optional === true,
    complaint: "configmap references non-existent config key",
  });
}

export function secretFiles(
  secret: Secret | undefined,
  volume: KeyedVolume,
  defaultMode: number,
): VolumeFiles {
  const entries = Object.entries(secret?.data ?? {});
  return fromKeys(new Map(entries.map(([key, text]) => [key, decodeBase64(text)])), {
    items: volume.items,
    defaultMode,
    optional: volume.optional === true,
    complaint: "references non-existent secret key",
  });
}

export function downwardFiles(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[] | undefined,
  defaultMode: number,
  context: DownwardContext,
): VolumeFiles {
  const files: VolumeFiles = new Map();
  for (const item of items ?? []) {
    const text =
      item.fieldRef !== undefined
        ? resolveField(pod, item.fieldRef, context)
        : resolveResource(pod, item.resourceFieldRef ?? {}, undefined, context);
    files.set(item.path ?? "", { data: utf8(text), mode: item.mode ?? defaultMode });
  }
  return files;
}

/** Later sources win where two write the same path. */
export function mergeFiles(parts: readonly VolumeFiles[]): VolumeFiles {
  const merged: VolumeFiles = new Map();
  for (const part of parts) for (const [path, file] of part) merged.set(path, file);
  return merged;
}
