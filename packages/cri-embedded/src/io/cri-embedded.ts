/** The runtime put together behind an RPC server. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Log, Random } from "@nanokube/machinery";
import { createServer, cri, type RpcServer } from "@nanokube/rpc";
import { ImageStore } from "../core/image-store.ts";
import { detectIsolation, type Isolation, plain } from "./isolation.ts";
import { Runtime } from "./runtime.ts";
import { imageHandlers, runtimeHandlers, type ServiceDeps } from "./services.ts";
import { StreamingServer } from "./streaming-server.ts";

export interface CriEmbeddedOptions {
  /** Containers' working files; emptied when the runtime closes. */
  rootDir: string;
  clock: Clock;
  random: Random;
  log: Log;
  /** PATH of the programs; this process's unless told. */
  path?: string | undefined;
  /** "plain" never makes namespaces; else they are made where the machine lets us. */
  isolation?: "plain" | "auto" | undefined;
}

export interface CriEmbedded {
  readonly server: RpcServer;
  /** How programs see their files. */
  readonly isolation: Isolation["name"];
  /** Ends every container and every call. */
  close(): Promise<void>;
}

const BUSYBOXES = ["/bin/busybox", "/usr/bin/busybox"];
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Commands that images bring and this machine may lack: busybox has many, behind the machine's own.
 */
function installApplets(rootDir: string): string | undefined {
  const busybox = BUSYBOXES.find((file) => existsSync(file));
  if (busybox === undefined) return undefined;
  const applets = join(rootDir, "applets");
  mkdirSync(applets, { recursive: true });
  spawnSync(busybox, ["--install", "-s", applets], { timeout: 5000 });
  return applets;
}

export function createCriEmbedded(options: CriEmbeddedOptions): CriEmbedded {
  const { rootDir, clock, random, log } = options;
  mkdirSync(rootDir, { recursive: true });
  const isolation = options.isolation === "plain" ? plain : detectIsolation(rootDir);
  const images = new ImageStore((text) => createHash("sha256").update(text).digest("hex"));
  const applets = installApplets(rootDir);
  const path = options.path ?? PATH;
  const runtime = new Runtime({ rootDir, clock, random, log, isolation, images, path, applets });
  const streaming = new StreamingServer(random);
  const server = createServer();
  const deps: ServiceDeps = { runtime, images, streaming, clock, rootDir };
  server.add(cri.RuntimeService, runtimeHandlers(deps));
  server.add(cri.ImageService, imageHandlers(deps));
  log.info({ isolation: isolation.name }, "containers are child processes");
  return {
    server,
    isolation: isolation.name,
    async close() {
      await runtime.close();
      await streaming.close();
      await server.close();
    },
  };
}
