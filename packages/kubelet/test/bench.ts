/**
 * A kubelet on a runtime's socket with a fake API server: what every case of `cases.ts` plays on.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Event, Pod } from "@nanokube/api/core/v1";
import { createClient } from "@nanokube/client";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { runCommand } from "@nanokube/machinery/run-command";
import { dial } from "@nanokube/rpc";
import { createKubelet } from "../src/index.ts";
import type { KubeletOptions } from "../src/io/kubelet-options.ts";
import { FakeAPI } from "./fake-api.ts";

const LOOK_MS = 20;
const PATIENCE_MS = 60_000;

export class Bench {
  readonly api = new FakeAPI();
  readonly dir: string;
  readonly #socket: string;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  port = 0;
  logs: string[] = [];

  constructor(socket: string, dir: string) {
    this.#socket = socket;
    this.dir = dir;
  }

  async start(more: Partial<KubeletOptions> = {}): Promise<void> {
    mkdirSync(this.dir, { recursive: true });
    this.#stop = new AbortController();
    const cri = dial(`unix://${this.#socket}`);
    const kubelet = createKubelet({
      client: createClient({ transport: this.api.transport }),
      cri,
      nodeName: "n1",
      nodeIP: "127.0.0.1",
      rootDir: join(this.dir, "root"),
      podLogsDir: join(this.dir, "logs"),
      clock: systemClock,
      random: systemRandom,
      log: nullLog,
      exec: runCommand,
      serving: { port: 0, host: "127.0.0.1", webhook: false, anonymous: true },
      clusterDNS: ["10.96.0.10"],
      resolvConf: "nameserver 192.0.2.1\n",
      logRotation: { maxSizeBytes: 20_000, maxFiles: 3, everyMs: 500 },
      ...more,
    });
    this.#running = kubelet.start(this.#stop.signal).finally(() => cri.close());
    await this.until(async () => {
      const node = await this.get<{ status?: { conditions?: { type: string; status: string }[] } }>(
        "/api/v1/nodes/n1",
      );
      this.port = kubelet.port;
      if (this.port === 0) return false;
      return node.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True");
    }, "the node to be Ready");
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  get<T>(path: string): Promise<T> {
    return this.api.call<T>("GET", path);
  }

  async until<T>(look: () => Promise<T | undefined | false>, what: string): Promise<T> {
    const giveUp = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = await look();
      if (found) return found;
      if (Date.now() > giveUp) throw new Error(`gave up waiting for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  path(name: string): string {
    return `/api/v1/namespaces/default/pods/${name}`;
  }

  pod(name: string): Promise<Pod> {
    return this.get<Pod>(this.path(name));
  }

  async create(name: string, spec: object, metadata: object = {}): Promise<void> {
    const body = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "default", ...metadata },
      spec: {
        nodeName: "n1",
        restartPolicy: "Always",
        dnsPolicy: "ClusterFirst",
        enableServiceLinks: true,
        terminationGracePeriodSeconds: 3,
        ...spec,
      },
      status: { phase: "Pending" },
    };
    await this.api.call("POST", "/api/v1/namespaces/default/pods", body);
  }

  put(kind: string, plural: string, name: string, rest: object): Promise<unknown> {
    const metadata = { name, namespace: "default" };
    const body = { apiVersion: "v1", kind, metadata, ...rest };
    return this.api.call("POST", `/api/v1/namespaces/default/${plural}`, body);
  }

  podUntil(name: string, look: (pod: Pod) => boolean | undefined, what: string): Promise<Pod> {
    return this.until(async () => {
      const pod = await this.pod(name);
      return look(pod) ? pod : undefined;
    }, `${name}: ${what}`);
  }

  async delete(name: string): Promise<void> {
    await this.api.call("DELETE", this.path(name), {});
    await this.until(
      async () => (await this.pod(name)).metadata === undefined,
      `${name} to be gone`,
    );
  }

  async events(name: string): Promise<string[]> {
    const { items } = await this.get<{ items: Event[] }>("/api/v1/namespaces/default/events");
    return items
      .filter((event) => event.involvedObject?.name === name)
      .map((event) => `${event.reason}: ${event.message}`);
  }

  /** What /containerLogs gives. */
  async logsOf(name: string, container: string, query = ""): Promise<string> {
    const { request } = await import("node:https");
    const path = `/containerLogs/default/${name}/${container}${query}`;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const sent = request(
      { host: "127.0.0.1", port: this.port, path, rejectUnauthorized: false, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(Buffer.concat(chunks).toString()));
      },
    );
    sent.on("error", reject);
    sent.end();
    return promise;
  }
}

export const running = (pod: Pod): boolean => pod.status?.phase === "Running";
export const ready = (pod: Pod): boolean =>
  pod.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true;
export const stateOf = (pod: Pod, index = 0) => pod.status?.containerStatuses?.[index]?.state;
