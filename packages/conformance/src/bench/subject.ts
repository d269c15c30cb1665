/**
 * A cluster that a benchmark can start and stop: ours, or upstream's, by the same few calls.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DataDir, down, run } from "nanokube";
import { UpstreamCluster } from "../upstream/cluster.ts";

export interface BenchSubject {
  name: string;
  kubeconfig: string;
  /** Everything a warm start finds ready: certificates, images, compiled code. */
  prepare(): Promise<void>;
  /** Begins to start; resolves when the last process is on its way. `ready` is the API server's. */
  start(ready: Promise<void>): Promise<void>;
  processes(): Promise<{ name: string; pid: number }[]>;
  /** What started them, while it runs. */
  launchers(): { pid: number }[];
  /** Stops, and forgets the store, so that the next start is from nothing. */
  stop(): Promise<void>;
  destroy(): Promise<void>;
}

function launcher(): string[] {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve("nanokube/package.json");
  return [process.execPath, join(dirname(manifest), "bin", "nanokube.mjs")];
}

export async function ourSubject(): Promise<BenchSubject> {
  const path = await mkdtemp(join(tmpdir(), "nanokube-bench-"));
  const dir = new DataDir(path);
  const argv = [...launcher(), "up", "--detach", "--data-dir", path];
  let starting: ChildProcess | undefined;
  const forget = () => rm(join(path, "etcd"), { recursive: true, force: true });
  return {
    name: "nanokube",
    kubeconfig: dir.kubeconfig,
    async prepare() {
      await run(argv);
      await down(dir);
      await forget();
    },
    async start() {
      const [command, ...args] = argv as [string, ...string[]];
      const child = spawn(command, args, { stdio: "ignore" });
      starting = child;
      await new Promise((resolve) => child.once("exit", resolve));
    },
    launchers: () => (starting?.pid === undefined ? [] : [{ pid: starting.pid }]),
    async processes() {
      return (await dir.daemons.list()).filter(({ name }) => !/-(unshare|holder)$/.test(name));
    },
    async stop() {
      await down(dir);
      await forget();
    },
    async destroy() {
      await down(dir, { purge: true });
    },
  };
}

export async function upstreamSubject(): Promise<BenchSubject> {
  const cluster = new UpstreamCluster(await mkdtemp(join(tmpdir(), "nanokube-upstream-")));
  return {
    name: "upstream",
    kubeconfig: cluster.kubeconfig,
    prepare: () => cluster.prepare(),
    async start(ready) {
      const node = cluster.startNode();
      await cluster.startControlPlane();
      await ready;
      await Promise.all([node, cluster.startControllers()]);
    },
    processes: () => cluster.processes(),
    launchers: () => [],
    stop: () => cluster.stop(),
    destroy: () => cluster.destroy(),
  };
}
