/**
 * The data directory: whose it is, and that only one process has it.
 *
 * The lock is a unix socket in the directory: it goes with its process, however that ends, and a
 * leftover file is known by nobody answering.
 * Errors  Error, one line, naming the directory
 */
import { existsSync } from "node:fs";
import { mkdir, rename, unlink } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join, relative } from "node:path";
import { isListening } from "@nanokube/rpc";

export interface DataDir {
  readonly directory: string;
  /** Where the log lives. */
  readonly logDirectory: string;
  release(): Promise<void>;
}

const socketPathMax = 103;

/** `walDir` puts the log elsewhere, such as on a disk of its own. */
export async function lockDataDir(dataDir: string, walDir?: string): Promise<DataDir> {
  const base = join(dataDir, "etcd-lite");
  if (existsSync(join(dataDir, "member", "snap", "db"))) {
    const found = "holds etcd's own store (member/snap/db), which etcd-lite does not read";
    throw new Error(`data directory ${dataDir} ${found}`);
  }
  await mkdir(base, { recursive: true, mode: 0o700 });
  const server = await listenOrTakeOver(shortPath(join(base, "lock")), dataDir);
  return {
    directory: base,
    logDirectory: walDir ?? join(base, "log"),
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Socket paths are limited to about 100 bytes: a relative one may do where a whole one fails. */
function shortPath(path: string): string {
  if (Buffer.byteLength(path) <= socketPathMax) return path;
  const short = relative(process.cwd(), path);
  if (Buffer.byteLength(short) <= socketPathMax) return short;
  throw new Error(`data directory: the path ${path} is too long for the lock's socket (103 bytes)`);
}

async function listenOrTakeOver(path: string, dataDir: string): Promise<Server> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      return await listen(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
    if (await isListening(path)) break;
    // Moved away before it is judged again: another starter may have taken its place meanwhile.
    const aside = `${path}.${process.pid}`;
    await rename(path, aside).catch(() => {});
    if (await isListening(aside)) {
      await rename(aside, path);
      break;
    }
    await unlink(aside).catch(() => {});
  }
  throw new Error(`data directory ${dataDir} is in use by another process`);
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}
