/**
 * CRI v1's RuntimeService and ImageService over the runtime.
 *
 * Left out methods answer UNIMPLEMENTED by themselves.
 */
import { readFile } from "node:fs/promises";
import { type Clock, sleep } from "@nanokube/machinery";
import { codes, cri, type Handlers, RpcError } from "@nanokube/rpc";
import type { ImageRecord, ImageStore } from "../core/image-store.ts";
import {
  matchesContainer,
  matchesSandbox,
  toContainer,
  toContainerStatus,
  toPodSandbox,
  toPodSandboxStatus,
} from "../core/records.ts";
import type { ExecHandle } from "./container-task.ts";
import type { Runtime } from "./runtime.ts";
import type { StreamingServer } from "./streaming-server.ts";

export interface ServiceDeps {
  runtime: Runtime;
  images: ImageStore;
  streaming: StreamingServer;
  clock: Clock;
  rootDir: string;
}

const READY = [
  { type: "RuntimeReady", status: true },
  { type: "NetworkReady", status: true },
];

async function collect(stream: AsyncIterable<Buffer> | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function execSync({ runtime, clock }: ServiceDeps, request: cri.ExecSyncRequest) {
  const handle = runtime.task(request.containerId).exec(request.cmd, false);
  const output = Promise.all([collect(handle.stdout), collect(handle.stderr)]);
  const timer = new AbortController();
  const limit =
    request.timeout > 0
      ? sleep(clock, request.timeout * 1000, timer.signal).then(() => "late" as const)
      : new Promise<never>(() => {});
  limit.catch(() => {});
  const exitCode = await Promise.race([handle.ended, limit]);
  timer.abort();
  if (exitCode === "late") {
    handle.kill();
    const cmd = request.cmd.join(" ");
    throw new RpcError(
      codes.DEADLINE_EXCEEDED,
      `failed to exec in container: timeout ${request.timeout}s exceeded: context deadline exceeded (${cmd})`,
    );
  }
  const [stdout, stderr] = await output;
  return { stdout, stderr, exitCode };
}

/** Attach: what the container says from now on, and its stdin. */
function attachHandle(runtime: Runtime, containerID: string): ExecHandle {
  const task = runtime.task(containerID);
  const queues = { stdout: new Tap(), stderr: new Tap() };
  const untap = task.tap((stream, data) => queues[stream].push(data));
  const end = () => {
    untap();
    queues.stdout.end();
    queues.stderr.end();
  };
  return {
    stdin: task.stdin,
    stdout: queues.stdout as never,
    stderr: queues.stderr as never,
    ended: task.ended.then((code) => {
      end();
      return code;
    }),
    kill: end,
  };
}

class Tap implements AsyncIterable<Buffer> {
  #chunks: Buffer[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const next = this.#chunks.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

const TICKS_PER_SECOND = 100;

/** cpu and memory of one process, from /proc; zeros elsewhere. */
async function usageOf(pid: number | undefined): Promise<{ cpuNanos: number; rssBytes: number }> {
  if (pid === undefined || process.platform !== "linux") return { cpuNanos: 0, rssBytes: 0 };
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const rss = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  return { cpuNanos: (ticks / TICKS_PER_SECOND) * 1e9, rssBytes: rss };
}

async function containerStats({ runtime, clock }: ServiceDeps, id: string) {
  const record = runtime.container(id);
  const timestamp = clock.now() * 1e6;
  const pid = record.phase === "running" ? runtime.task(record.id).pid : undefined;
  const { cpuNanos, rssBytes } = await usageOf(pid);
  const { metadata, labels, annotations } = record.config;
  return {
    attributes: { id: record.id, metadata, labels, annotations },
    cpu: { timestamp, usageCoreNanoSeconds: { value: cpuNanos } },
    memory: { timestamp, workingSetBytes: { value: rssBytes }, usageBytes: { value: rssBytes } },
    writableLayer: { timestamp, usedBytes: { value: 0 } },
  };
}

type RuntimeHandlers = Handlers<typeof cri.RuntimeService>;

function sandboxHandlers({ runtime }: ServiceDeps): RuntimeHandlers {
  return {
    version: () => ({
      version: "0.1.0",
      runtimeName: "cri-embedded",
      runtimeVersion: "0.1.0",
      runtimeApiVersion: "v1",
    }),
    status: () => ({
      status: { conditions: READY },
      runtimeHandlers: [{ name: "" }],
      features: { supplementalGroupsPolicy: false },
    }),
    runtimeConfig: () => ({ linux: { cgroupDriver: cri.CgroupDriver.CGROUPFS } }),
    updateRuntimeConfig: () => ({}),
    runPodSandbox: ({ config, runtimeHandler }) => {
      if (config === undefined) throw new RpcError(codes.INVALID_ARGUMENT, "config is required");
      if (runtimeHandler !== "") {
        const text = `no runtime for "${runtimeHandler}" is configured`;
        throw new RpcError(codes.UNKNOWN, `failed to get sandbox runtime: ${text}`);
      }
      return { podSandboxId: runtime.runSandbox(config, runtimeHandler) };
    },
    stopPodSandbox: async ({ podSandboxId }) => {
      await runtime.stopSandbox(podSandboxId);
      return {};
    },
    removePodSandbox: async ({ podSandboxId }) => {
      await runtime.removeSandbox(podSandboxId);
      return {};
    },
    podSandboxStatus: ({ podSandboxId }) => ({
      status: toPodSandboxStatus(runtime.sandbox(podSandboxId)),
    }),
    listPodSandbox: ({ filter }) => ({
      items: runtime
        .sandboxes()
        .filter((sandbox) => matchesSandbox(sandbox, filter))
        .map(toPodSandbox),
    }),
  };
}

function containerHandlers(deps: ServiceDeps): RuntimeHandlers {
  const { runtime } = deps;
  return {
    createContainer: ({ podSandboxId, config }) => {
      if (config === undefined) throw new RpcError(codes.INVALID_ARGUMENT, "config is required");
      return { containerId: runtime.createContainer(podSandboxId, config) };
    },
    startContainer: async ({ containerId }) => {
      await runtime.startContainer(containerId);
      return {};
    },
    stopContainer: async ({ containerId, timeout }) => {
      await runtime.stopContainer(containerId, timeout);
      return {};
    },
    removeContainer: async ({ containerId }) => {
      await runtime.removeContainer(containerId);
      return {};
    },
    listContainers: ({ filter }) => ({
      containers: runtime
        .containers()
        .filter((record) => matchesContainer(record, filter))
        .map(toContainer),
    }),
    containerStatus: ({ containerId }) => ({
      status: toContainerStatus(runtime.container(containerId)),
    }),
    updateContainerResources: ({ containerId }) => {
      runtime.container(containerId);
      return {};
    },
    reopenContainerLog: ({ containerId }) => {
      runtime.reopenLog(containerId);
      return {};
    },
    execSync: (request) => execSync(deps, request),
    containerStats: async ({ containerId }) => ({ stats: await containerStats(deps, containerId) }),
    listContainerStats: async () => ({
      stats: await Promise.all(
        runtime.containers().map((record) => containerStats(deps, record.id)),
      ),
    }),
  };
}

function streamHandlers({ runtime, streaming }: ServiceDeps): RuntimeHandlers {
  return {
    exec: async ({ containerId, cmd, stdin, stdout, stderr, tty }) => {
      const task = runtime.task(containerId);
      const open = () => task.exec(cmd, stdin);
      const wishes = { stdin, stdout, stderr: stderr && !tty };
      return { url: await streaming.url("exec", { kind: "command", ...wishes, open }) };
    },
    attach: async ({ containerId, stdin, stdout, stderr, tty }) => {
      runtime.task(containerId);
      const open = () => attachHandle(runtime, containerId);
      const wishes = { stdin, stdout, stderr: stderr && !tty };
      return { url: await streaming.url("attach", { kind: "command", ...wishes, open }) };
    },
    portForward: async ({ podSandboxId }) => {
      const { ip } = runtime.sandbox(podSandboxId);
      const host = ip === "" ? "127.0.0.1" : ip;
      return { url: await streaming.url("portforward", { kind: "ports", host }) };
    },
    getContainerEvents: async (call) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const stop = runtime.onEvent((event) => call.write(event));
      call.signal.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      stop();
    },
  };
}

function toImage(image: ImageRecord) {
  return {
    id: `sha256:${image.id}`,
    repoTags: image.tags.map((tag) => `${image.repository}:${tag}`),
    repoDigests: [`${image.repository}@${image.digest}`],
    size: 1,
    uid: { value: 0 },
    spec: { image: `sha256:${image.id}` },
  };
}

export const runtimeHandlers = (deps: ServiceDeps): RuntimeHandlers => ({
  ...sandboxHandlers(deps),
  ...containerHandlers(deps),
  ...streamHandlers(deps),
});

export function imageHandlers({
  images,
  clock,
  rootDir,
}: ServiceDeps): Handlers<typeof cri.ImageService> {
  return {
    listImages: ({ filter }) => {
      const wanted = filter?.image?.image ?? "";
      const found = wanted === "" ? images.list() : [images.find(wanted)];
      return { images: found.filter((image) => image !== undefined).map(toImage) };
    },
    imageStatus: ({ image }) => {
      const found = images.find(image?.image ?? "");
      return found === undefined ? {} : { image: toImage(found) };
    },
    pullImage: ({ image }) => ({ imageRef: `sha256:${images.pull(image?.image ?? "").id}` }),
    removeImage: ({ image }) => {
      images.remove(image?.image ?? "");
      return {};
    },
    imageFsInfo: () => ({
      imageFilesystems: [
        {
          timestamp: clock.now() * 1e6,
          fsId: { mountpoint: rootDir },
          usedBytes: { value: 0 },
          inodesUsed: { value: 0 },
        },
      ],
    }),
  };
}
