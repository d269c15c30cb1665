/**
 * The runtime's life: sandboxes and containers made, started, stopped, removed; events about each.
 *
 * Errors  gRPC NOT_FOUND in containerd's words for what is not there; stopping or removing it twice
 *         succeeds, as CRI demands
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, type Log, type Random, sleep } from "@nanokube/machinery";
import { codes, cri, type MessageQueue, RpcError } from "@nanokube/rpc";
import { type Behaviour, behaviourOf, IDLE } from "../core/behaviour.ts";
import type { ImageStore } from "../core/image-store.ts";
import {
  type ContainerRecord,
  type Sandbox,
  toContainerStatus,
  toPodSandboxStatus,
} from "../core/records.ts";
import { declaredPorts, type Machine, mountsOf, programOf } from "./container-program.ts";
import { startProcess, startScript, type Task } from "./container-task.ts";
import { LogFile } from "./log-file.ts";

export interface RuntimeOptions extends Machine {
  rootDir: string;
  clock: Clock;
  random: Random;
  log: Log;
  images: ImageStore;
}

interface Live {
  record: ContainerRecord;
  task: Task | undefined;
  log: LogFile;
  ended: Promise<void>;
}

const notFound = (what: string, id: string) =>
  new RpcError(codes.NOT_FOUND, `an error occurred when try to find ${what} "${id}": not found`);

type Event = Parameters<MessageQueue<cri.ContainerEventResponse>["push"]>[0];

export class Runtime {
  readonly #options: RuntimeOptions;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, Live>();
  readonly #listeners = new Set<(event: Event) => void>();

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  #nanos(): number {
    return this.#options.clock.now() * 1e6;
  }

  #id(): string {
    return Buffer.from(this.#options.random.bytes(32)).toString("hex");
  }

  onEvent(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(id: string, type: number, sandbox: Sandbox | undefined): void {
    const containersStatuses = this.containers()
      .filter((record) => record.sandboxID === sandbox?.id)
      .map(toContainerStatus);
    const event = {
      containerId: id,
      containerEventType: type,
      createdAt: this.#nanos(),
      ...(sandbox === undefined ? {} : { podSandboxStatus: toPodSandboxStatus(sandbox) }),
      containersStatuses,
    };
    for (const listener of this.#listeners) listener(event as unknown as Event);
  }

  sandboxes(): Sandbox[] {
    return [...this.#sandboxes.values()];
  }

  containers(): ContainerRecord[] {
    return [...this.#containers.values()].map((live) => live.record);
  }

  sandbox(id: string): Sandbox {
    const found =
      this.#sandboxes.get(id) ?? this.sandboxes().find((s) => id !== "" && s.id.startsWith(id));
    if (found === undefined) throw notFound("sandbox", id);
    return found;
  }

  #live(id: string): Live {
    const found =
      this.#containers.get(id) ??
      [...this.#containers.values()].find((live) => id !== "" && live.record.id.startsWith(id));
    if (found === undefined) throw notFound("container", id);
    return found;
  }

  container(id: string): ContainerRecord {
    return this.#live(id).record;
  }

  /** A pod's own loopback address where there are many (Linux), else the one there is. */
  #address(config: cri.PodSandboxConfig): string {
    const network = config.linux?.securityContext?.namespaceOptions?.network;
    if (network === cri.NamespaceMode.NODE) return "";
    if (process.platform !== "linux") return "127.0.0.1";
    const used = new Set(this.sandboxes().map((sandbox) => sandbox.ip));
    for (;;) {
      const [a = 0, b = 0, c = 0] = this.#options.random.bytes(3);
      const ip = `127.${16 + (a % 224)}.${b}.${1 + (c % 254)}`;
      if (!used.has(ip)) return ip;
    }
  }

  runSandbox(config: cri.PodSandboxConfig, runtimeHandler: string): string {
    const sandbox: Sandbox = {
      id: this.#id(),
      config,
      createdAtNanos: this.#nanos(),
      ready: true,
      ip: this.#address(config),
      runtimeHandler,
    };
    this.#sandboxes.set(sandbox.id, sandbox);
    if (config.logDirectory !== "") mkdirSync(config.logDirectory, { recursive: true });
    this.#tell(sandbox.id, cri.ContainerEventType.CONTAINER_CREATED_EVENT, sandbox);
    this.#tell(sandbox.id, cri.ContainerEventType.CONTAINER_STARTED_EVENT, sandbox);
    return sandbox.id;
  }

  async stopSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    const inside = this.containers().filter((record) => record.sandboxID === sandbox.id);
    await Promise.all(inside.map((record) => this.stopContainer(record.id, 0)));
    if (!sandbox.ready) return;
    sandbox.ready = false;
    this.#tell(sandbox.id, cri.ContainerEventType.CONTAINER_STOPPED_EVENT, sandbox);
  }

  async removeSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    await this.stopSandbox(id);
    for (const record of this.containers()) {
      if (record.sandboxID === sandbox.id) await this.removeContainer(record.id);
    }
    this.#sandboxes.delete(sandbox.id);
    this.#tell(sandbox.id, cri.ContainerEventType.CONTAINER_DELETED_EVENT, sandbox);
  }

  createContainer(sandboxID: string, config: cri.ContainerConfig): string {
    const sandbox = this.sandbox(sandboxID);
    const image = this.#options.images.find(config.image?.image ?? "");
    if (image === undefined) throw notFound("image", config.image?.image ?? "");
    const name = config.metadata?.name ?? "";
    // A script that makes no sense is refused before anything is made.
    behaviourOf(sandbox.config.annotations, name);
    const logPath =
      config.logPath === "" || sandbox.config.logDirectory === ""
        ? ""
        : join(sandbox.config.logDirectory, config.logPath);
    const record: ContainerRecord = {
      id: this.#id(),
      sandboxID: sandbox.id,
      config,
      imageRef: `sha256:${image.id}`,
      phase: "created",
      createdAtNanos: this.#nanos(),
      startedAtNanos: 0,
      finishedAtNanos: 0,
      exitCode: 0,
      reason: "",
      message: "",
      logPath,
    };
    const log = new LogFile(logPath, this.#options.clock);
    this.#containers.set(record.id, { record, task: undefined, log, ended: Promise.resolve() });
    this.#tell(record.id, cri.ContainerEventType.CONTAINER_CREATED_EVENT, sandbox);
    return record.id;
  }

  #directory(id: string): string {
    return join(this.#options.rootDir, "containers", id);
  }

  #startTask(live: Live, sandbox: Sandbox): Task {
    const { record, log } = live;
    const { clock, isolation } = this.#options;
    const script = (behaviour: Behaviour) =>
      startScript({ behaviour, clock, log, ip: sandbox.ip, ports: declaredPorts(record) });
    const name = record.config.metadata?.name ?? "";
    const behaviour = behaviourOf(sandbox.config.annotations, name);
    if (behaviour?.failStart !== undefined) throw new RpcError(codes.UNKNOWN, behaviour.failStart);
    if (behaviour !== undefined) return script(behaviour);
    const program = programOf(record, sandbox, this.#options);
    if (program === undefined) {
      const image = record.config.image?.userSpecifiedImage || record.config.image?.image;
      return script({
        ...IDLE,
        log: [`cri-embedded: ${image} has no program on this machine: idle`],
      });
    }
    const directory = this.#directory(record.id);
    mkdirSync(directory, { recursive: true });
    const mounts = mountsOf(record, this.#options);
    const { stdin } = record.config;
    return startProcess({ isolation, directory, program, mounts, log, stdin });
  }

  async startContainer(id: string): Promise<void> {
    const live = this.#live(id);
    const { record } = live;
    if (record.phase !== "created") {
      const state = `CONTAINER_${record.phase.toUpperCase()}`;
      throw new RpcError(
        codes.UNKNOWN,
        `failed to set starting state for container "${id}": container is in ${state} state`,
      );
    }
    const sandbox = this.sandbox(record.sandboxID);
    try {
      live.task = this.#startTask(live, sandbox);
    } catch (error) {
      this.#finish(live, sandbox, 128, "StartError", (error as Error).message);
      throw error;
    }
    await live.task.ready;
    record.phase = "running";
    record.startedAtNanos = this.#nanos();
    live.ended = live.task.ended.then(async (exitCode) => {
      await live.log.close();
      this.#finish(live, sandbox, exitCode, exitCode === 0 ? "Completed" : "Error", "");
    });
    this.#tell(record.id, cri.ContainerEventType.CONTAINER_STARTED_EVENT, sandbox);
  }

  #finish(live: Live, sandbox: Sandbox, exitCode: number, reason: string, message: string): void {
    const { record } = live;
    record.phase = "exited";
    record.finishedAtNanos = this.#nanos();
    record.startedAtNanos ||= record.finishedAtNanos;
    record.exitCode = exitCode;
    record.reason = reason;
    record.message = message;
    this.#tell(record.id, cri.ContainerEventType.CONTAINER_STOPPED_EVENT, sandbox);
  }

  async stopContainer(id: string, timeoutSeconds: number): Promise<void> {
    const live = this.#containers.get(id);
    if (live?.task === undefined || live.record.phase !== "running") return;
    const { clock } = this.#options;
    if (timeoutSeconds > 0) {
      const number = live.record.config.stopSignal;
      const name = Object.entries(cri.Signal).find(([, value]) => value === number)?.[0];
      live.task.signal(number === 0 ? "SIGTERM" : ((name ?? "SIGTERM") as NodeJS.Signals));
      const patience = new AbortController();
      const late = sleep(clock, timeoutSeconds * 1000, patience.signal).then(() => "late");
      const won = await Promise.race([live.ended, late.catch(() => {})]);
      patience.abort();
      if (won !== "late") return;
    }
    live.task.signal("SIGKILL");
    await live.ended;
  }

  async removeContainer(id: string): Promise<void> {
    const live = this.#containers.get(id);
    if (live === undefined) return;
    await this.stopContainer(id, 0);
    await live.log.close();
    this.#containers.delete(id);
    rmSync(this.#directory(id), { recursive: true, force: true });
    const sandbox = this.#sandboxes.get(live.record.sandboxID);
    this.#tell(id, cri.ContainerEventType.CONTAINER_DELETED_EVENT, sandbox);
  }

  reopenLog(id: string): void {
    this.#live(id).log.reopen();
  }

  /** The running task, or containerd's complaint. */
  task(id: string): Task {
    const { task, record } = this.#live(id);
    if (task === undefined || record.phase !== "running") {
      const state = `CONTAINER_${record.phase.toUpperCase()}`;
      throw new RpcError(codes.UNKNOWN, `container is in ${state} state`);
    }
    return task;
  }

  async close(): Promise<void> {
    await Promise.all(this.containers().map((record) => this.stopContainer(record.id, 0)));
    rmSync(join(this.#options.rootDir, "containers"), { recursive: true, force: true });
  }
}
