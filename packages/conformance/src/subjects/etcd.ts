/**
 * Every etcd there is to test: ours in memory, ours as a process on a disk, upstream's binary.
 *
 * Each run gets a fresh port and directory, and what was started is ended, also after a failure.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEtcd } from "@nanokube/etcd-lite";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { type Channel, type Client, createClient, dial, etcd } from "@nanokube/rpc";
import { freePorts } from "./free-ports.ts";
import { findProgram, missing } from "./programs.ts";

export interface EtcdInstance {
  /** host:port of the client URL. */
  readonly endpoint: string;
  readonly channel: Channel;
  readonly kv: Client<typeof etcd.KV>;
  readonly lease: Client<typeof etcd.Lease>;
  readonly watch: Client<typeof etcd.Watch>;
  readonly maintenance: Client<typeof etcd.Maintenance>;
  readonly cluster: Client<typeof etcd.Cluster>;
  close(): Promise<void>;
}

export interface EtcdSubject {
  readonly name: string;
  /** Why it cannot run here. */
  readonly skip?: string;
  open(flags?: readonly string[], place?: OpenAt): Promise<EtcdInstance>;
}

/** Where a process keeps its data, when it is not a directory of its own that goes with it. */
export interface OpenAt {
  readonly dataDir?: string;
}

export const mainFile = fileURLToPath(new URL("../../../etcd-lite/src/main.ts", import.meta.url));

export const nodeFlags = ["--conditions=nanokube-source"];

export function etcdSubjects(): EtcdSubject[] {
  const upstream = findProgram("etcd");
  return [
    { name: "etcd-lite in memory", open: openInMemory },
    {
      name: "etcd-lite",
      open: (flags = [], place) =>
        openProcess(process.execPath, [...nodeFlags, mainFile, ...flags], place),
    },
    upstream === undefined
      ? { name: "etcd", skip: missing("etcd"), open: () => Promise.reject(new Error("absent")) }
      : { name: "etcd", open: (flags = [], place) => openProcess(upstream, flags, place) },
  ];
}

async function openInMemory(): Promise<EtcdInstance> {
  const server = await createEtcd({ clock: systemClock, random: systemRandom, log: nullLog });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return instance(server.channel(), `127.0.0.1:${port}`, () => server.close());
}

async function openProcess(
  program: string,
  args: readonly string[],
  place: OpenAt = {},
): Promise<EtcdInstance> {
  const dataDir = await mkdtemp(join(tmpdir(), "conformance-etcd-"));
  const [client, peer] = await freePorts(2);
  const url = `http://127.0.0.1:${client}`;
  const flags = ["--data-dir", place.dataDir ?? join(dataDir, "data"), "--log-level", "error"];
  flags.push("--listen-client-urls", url, "--advertise-client-urls", url);
  flags.push("--listen-peer-urls", `http://127.0.0.1:${peer}`);
  const child = spawn(program, [...args, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const killOnExit = () => child.kill("SIGKILL");
  process.once("exit", killOnExit);
  const channel = dial(url);
  const close = async () => {
    channel.close();
    child.kill("SIGKILL");
    await exited;
    process.off("exit", killOnExit);
    await rm(dataDir, { recursive: true, force: true });
  };
  const open = instance(channel, `127.0.0.1:${client}`, close);
  try {
    await untilServing(open, child, () => stderr);
  } catch (error) {
    await close();
    throw error;
  }
  return open;
}

function instance(channel: Channel, endpoint: string, close: () => Promise<void>): EtcdInstance {
  return {
    endpoint,
    channel,
    kv: createClient(channel, etcd.KV),
    lease: createClient(channel, etcd.Lease),
    watch: createClient(channel, etcd.Watch),
    maintenance: createClient(channel, etcd.Maintenance),
    cluster: createClient(channel, etcd.Cluster),
    close,
  };
}

async function untilServing(
  { kv, maintenance }: EtcdInstance,
  child: ChildProcess,
  stderr: () => string,
): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`etcd ended while starting: ${stderr()}`);
    try {
      const wait = { waitForReady: true, timeoutMs: 1000 };
      await kv.range({ key: Buffer.from("\0") }, wait);
      // An etcd decides its cluster version a moment after it serves.
      if ((await maintenance.status({}, wait)).storageVersion !== "") return;
    } catch {
      // Not yet: the time limit is the test's.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
