/**
 * Writes a file-system layer as a tar archive whose bytes depend on its contents alone.
 *
 * Shapes  paths are relative, without a leading slash; owners are root, times the epoch
 * Source  OCI image-spec layer.md
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";

export type LayerEntry =
  | { type: "directory"; path: string; mode?: number }
  | { type: "symlink"; path: string; target: string }
  | { type: "file"; path: string; mode?: number; content: string | Uint8Array }
  /** `source` is a file of this machine. */
  | { type: "copy"; path: string; mode?: number; source: string };

export interface WrittenLayer {
  digest: string;
  sizeBytes: number;
}

const epoch = new Date(0);

async function addCopy(tar: Pack, entry: LayerEntry & { type: "copy" }): Promise<void> {
  const { size, mode } = await stat(entry.source);
  const header = { name: entry.path, mode: entry.mode ?? mode & 0o7777, size, mtime: epoch };
  const sink = tar.entry({ ...header, uid: 0, gid: 0 });
  await pipeline(createReadStream(entry.source), sink);
}

async function addEntry(tar: Pack, entry: LayerEntry): Promise<void> {
  if (entry.type === "copy") return addCopy(tar, entry);
  const header = { name: entry.path, uid: 0, gid: 0, mtime: epoch };
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve());
    if (entry.type === "directory") {
      tar.entry({ ...header, type: "directory", mode: entry.mode ?? 0o755 }, done);
    } else if (entry.type === "symlink") {
      tar.entry({ ...header, type: "symlink", linkname: entry.target, mode: 0o777 }, done);
    } else {
      tar.entry({ ...header, mode: entry.mode ?? 0o644 }, Buffer.from(entry.content), done);
    }
  });
}

export async function writeLayer(
  entries: readonly LayerEntry[],
  file: string,
): Promise<WrittenLayer> {
  const tar = pack();
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      next(null, chunk);
    },
  });
  const written = pipeline(tar, meter, createWriteStream(file));
  for (const entry of entries) await addEntry(tar, entry);
  tar.finalize();
  await written;
  return { digest: `sha256:${hash.digest("hex")}`, sizeBytes };
}
