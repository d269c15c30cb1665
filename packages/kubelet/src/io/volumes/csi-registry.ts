/**
 * CSI drivers of this node: found by their registration sockets, noted in the CSINode object.
 *
 *   <root>/plugins_registry/<driver>-reg.sock   GetInfo → type CSIPlugin, name, endpoint
 *
 * Each socket is registered once; when it goes, so does the driver.
 * Source  pkg/kubelet/pluginmanager, pkg/volume/csi/csi_plugin.go, nodeinfomanager
 */
import { type FSWatcher, watch } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Node } from "@nanokube/api/core/v1";
import type { CSINode, CSINodeDriver } from "@nanokube/api/storage/v1";
import { type Client, csiNodes, type EventRecorder, nodes } from "@nanokube/client";
import { type Clock, type Log, StatusError, sleep } from "@nanokube/machinery";
import { createClient, type csi, dial, pluginRegistration } from "@nanokube/rpc";
import { CSIDriverClient } from "./csi-driver.ts";

const LOOK_MS = 10_000;
const RETRY_MS = 500;
const CALL_MS = 5000;
const NODE_ID_ANNOTATION = "csi.volume.kubernetes.io/nodeid";

export interface CSIRegistryOptions {
  client: Client;
  recorder: EventRecorder;
  clock: Clock;
  log: Log;
  nodeName: string;
  rootDir: string;
  node(): Node | undefined;
  /** A driver came: volumes that waited for it can be tried again. */
  onChange(): void;
  /** The list of volumes in use is another one. */
  onInUse(): void;
}

interface Registered {
  driver: CSIDriverClient;
  info: csi.NodeGetInfoResponse;
}

const codeOf = (error: unknown): number => (error instanceof StatusError ? error.code : 0);

export class CSIRegistry {
  readonly #options: CSIRegistryOptions;
  readonly #bySocket = new Map<string, Registered>();
  readonly #failed = new Set<string>();

  constructor(options: CSIRegistryOptions) {
    this.#options = options;
  }

  /** Throws upstream's complaint when there is no such driver. */
  driver(name: string): CSIDriverClient {
    for (const { driver } of this.#bySocket.values()) if (driver.name === name) return driver;
    throw new Error(`driver name ${name} not found in the list of registered CSI drivers`);
  }

  async #register(socket: string): Promise<void> {
    const channel = dial(`unix://${socket}`);
    try {
      const registrar = createClient(channel, pluginRegistration.Registration);
      const found = await registrar.getInfo({}, { timeoutMs: CALL_MS });
      const tell = (error: string) =>
        registrar.notifyRegistrationStatus(
          { pluginRegistered: error === "", error },
          { timeoutMs: CALL_MS },
        );
      if (found.type !== "CSIPlugin") {
        const error = `RegisterPlugin error -- no handler registered for plugin type: ${found.type} at socket ${socket}`;
        await tell(error);
        throw new Error(error);
      }
      const driver = new CSIDriverClient(found.name, found.endpoint || socket);
      try {
        const info = await driver.nodeInfo();
        await this.#publish(driver.name, info);
        this.#bySocket.set(socket, { driver, info });
      } catch (error) {
        driver.close();
        const why = `plugin registration failed with err: ${(error as Error).message}`;
        await tell(`RegisterPlugin error -- ${why}`);
        throw error;
      }
      await tell("");
      this.#options.log.info({ driver: found.name }, "CSI driver registered");
      this.#options.onChange();
    } finally {
      channel.close();
    }
  }

  async #csiNode(): Promise<CSINode> {
    const { client, nodeName, node } = this.#options;
    const api = client.resource(csiNodes);
    try {
      return await api.get(nodeName);
    } catch (error) {
      if (codeOf(error) !== 404) throw error;
    }
    const uid = node()?.metadata?.uid ?? "";
    return api.create({
      apiVersion: "storage.k8s.io/v1",
      kind: "CSINode",
      metadata: {
        name: nodeName,
        ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName, uid }],
      },
      spec: { drivers: [] },
    });
  }

  async #updateCSINode(change: (drivers: CSINodeDriver[]) => CSINodeDriver[]): Promise<void> {
    const api = this.#options.client.resource(csiNodes);
    for (let tries = 0; ; tries += 1) {
      const current = await this.#csiNode();
      const drivers = change(current.spec?.drivers ?? []);
      try {
        await api.update({ ...current, spec: { ...current.spec, drivers } });
        return;
      } catch (error) {
        if (codeOf(error) !== 409 || tries >= 5) throw error;
      }
    }
  }

  async #publish(name: string, info: csi.NodeGetInfoResponse): Promise<void> {
    const { client, nodeName, node } = this.#options;
    const segments = info.accessibleTopology?.segments ?? {};
    const known = node()?.metadata?.annotations?.[NODE_ID_ANNOTATION];
    const ids = { ...(JSON.parse(known ?? "{}") as Record<string, string>), [name]: info.nodeId };
    const annotations = { [NODE_ID_ANNOTATION]: JSON.stringify(ids) };
    const metadata = { annotations, labels: segments };
    await client.resource(nodes).patch(nodeName, { metadata }, { type: "merge" });
    const entry: CSINodeDriver = {
      name,
      nodeID: info.nodeId,
      topologyKeys: Object.keys(segments).sort(),
      ...(info.maxVolumesPerNode > 0 ? { allocatable: { count: info.maxVolumesPerNode } } : {}),
    };
    await this.#updateCSINode((drivers) => [...drivers.filter((d) => d.name !== name), entry]);
  }

  async #unregister(socket: string): Promise<void> {
    const gone = this.#bySocket.get(socket);
    if (gone === undefined) return;
    this.#bySocket.delete(socket);
    const { name } = gone.driver;
    gone.driver.close();
    this.#options.log.info({ driver: name }, "CSI driver unregistered");
    await this.#updateCSINode((drivers) => drivers.filter((driver) => driver.name !== name));
  }

  async #scan(directory: string): Promise<void> {
    const { log } = this.#options;
    const entries = await readdir(directory, { withFileTypes: true });
    const present = new Set(
      entries.filter((entry) => entry.isSocket()).map((entry) => join(directory, entry.name)),
    );
    for (const socket of this.#bySocket.keys()) {
      if (!present.has(socket)) await this.#unregister(socket);
    }
    for (const socket of present) {
      if (this.#bySocket.has(socket)) continue;
      try {
        await this.#register(socket);
        this.#failed.delete(socket);
      } catch (error) {
        if (!this.#failed.has(socket)) {
          log.warn({ socket, err: (error as Error).message }, "plugin registration failed");
        }
        this.#failed.add(socket);
      }
    }
  }

  /** Runs until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, rootDir, node } = this.#options;
    const directory = join(rootDir, "plugins_registry");
    await mkdir(directory, { recursive: true, mode: 0o750 });
    let wake = () => {};
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(directory, () => wake());
      watcher.on("error", () => {});
    } catch (error) {
      log.warn(
        { err: (error as Error).message },
        "plugin directory is only looked at now and then",
      );
    }
    let hasNode = false;
    while (!signal.aborted) {
      const changed = new AbortController();
      wake = () => changed.abort();
      hasNode ||= node() !== undefined;
      if (hasNode) await this.#scan(directory).catch(() => {});
      const waiting = !hasNode || this.#failed.size > 0;
      const either = AbortSignal.any([signal, changed.signal]);
      await sleep(clock, waiting ? RETRY_MS : LOOK_MS, either).catch(() => {});
    }
    watcher?.close();
    for (const { driver } of this.#bySocket.values()) driver.close();
  }
}
