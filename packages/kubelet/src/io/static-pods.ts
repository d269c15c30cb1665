/**
 * Static pods: manifests in a directory, run without an API server, shown there as mirror pods.
 *
 * A file is one Pod in YAML or JSON. Its uid is a hash of its contents, so a changed file is
 * another pod. What is no Pod is logged and left alone.
 * Source  pkg/kubelet/config/file.go, common.go; pkg/kubelet/pod/mirror_client.go
 */
import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod } from "@nanokube/api/core/v1";
import { type Client, pods as podResource } from "@nanokube/client";
import { type Clock, type Log, parseYAML, StatusError, sleep } from "@nanokube/machinery";
import { CONFIG_HASH, CONFIG_MIRROR, CONFIG_SOURCE, podKey, podUID } from "../core/pod.ts";

const LOOK_MS = 20_000;
const MIRROR_RETRY_MS = 2000;

export interface StaticPodsOptions {
  client: Client;
  clock: Clock;
  log: Log;
  nodeName: string;
  /** Absent: there are none. */
  directory: string | undefined;
  nodeUID(): string | undefined;
  onPod(pod: Pod): void;
  onGone(pod: Pod): void;
  /** The static pod has a mirror now: its status can be written. */
  onMirror(pod: Pod): void;
}

/** What the API server would have filled in. */
function withDefaults(container: Container): Container {
  const last = (container.image ?? "").split("/").at(-1)!;
  const floating = !last.includes(":") || last.endsWith(":latest");
  return {
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: floating ? "Always" : "IfNotPresent",
    ...container,
  };
}

export function staticPod(tree: unknown, nodeName: string): Pod {
  const pod = tree as Pod | undefined;
  if (pod?.kind !== "Pod" || pod.apiVersion !== "v1" || !pod.metadata?.name) {
    throw new Error("not a v1 Pod with a name");
  }
  const hash = createHash("md5")
    .update(JSON.stringify([nodeName, tree]))
    .digest("hex");
  const spec = pod.spec ?? { containers: [] };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name: `${pod.metadata.name}-${nodeName}`,
      namespace: pod.metadata.namespace ?? "default",
      uid: hash,
      annotations: {
        ...pod.metadata.annotations,
        [CONFIG_SOURCE]: "file",
        [CONFIG_HASH]: hash,
      },
    },
    spec: {
      restartPolicy: "Always",
      dnsPolicy: "ClusterFirst",
      terminationGracePeriodSeconds: 30,
      enableServiceLinks: true,
      ...spec,
      nodeName,
      // Nothing may push out what the node itself wants to run.
      tolerations: [{ operator: "Exists", effect: "NoExecute" }],
      containers: (spec.containers ?? []).map(withDefaults),
      ...(spec.initContainers === undefined
        ? {}
        : { initContainers: spec.initContainers.map(withDefaults) }),
    },
    status: { phase: "Pending" },
  };
}

export class StaticPods {
  readonly #options: StaticPodsOptions;
  readonly #pods = new Map<string, Pod>();
  readonly #mirrors = new Map<string, Pod>();
  #wake = () => {};
  readonly #first = Promise.withResolvers<void>();

  constructor(options: StaticPodsOptions) {
    this.#options = options;
    if (options.directory === undefined) this.#first.resolve();
  }

  /** All manifests have been read once. */
  get firstScan(): Promise<void> {
    return this.#first.promise;
  }

  seeMirror(pod: Pod): void {
    const isNew = !this.#mirrors.has(podKey(pod));
    this.#mirrors.set(podKey(pod), pod);
    const own = [...this.#pods.values()].find((known) => podKey(known) === podKey(pod));
    if (isNew && own !== undefined) this.#options.onMirror(own);
    // Somebody deleted the picture: it goes at once, and is made again while the file is there.
    if (pod.metadata?.deletionTimestamp !== undefined) void this.#deleteMirror(pod);
  }

  async #deleteMirror(pod: Pod): Promise<void> {
    const { client, log } = this.#options;
    const { namespace = "", name = "", uid } = pod.metadata ?? {};
    try {
      const api = client.resource(podResource).namespace(namespace);
      await api.delete(name, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      log.debug({ pod: podKey(pod), err: error.message }, "mirror pod not deleted");
    }
  }

  loseMirror(pod: Pod): void {
    this.#mirrors.delete(podKey(pod));
    this.#wake();
  }

  mirrorOf(pod: Pod): Pod | undefined {
    return this.#mirrors.get(podKey(pod));
  }

  async #read(directory: string): Promise<Map<string, Pod>> {
    const { log, nodeName } = this.#options;
    const found = new Map<string, Pod>();
    for (const name of await readdir(directory).catch(() => [])) {
      if (name.startsWith(".")) continue;
      const path = join(directory, name);
      try {
        const pod = staticPod(parseYAML(await readFile(path, "utf8")), nodeName);
        found.set(podUID(pod), pod);
      } catch (error) {
        log.warn({ path, err: (error as Error).message }, "Can't process manifest file");
      }
    }
    return found;
  }

  async #mirror(pod: Pod): Promise<void> {
    const { client, nodeName, nodeUID } = this.#options;
    const known = this.mirrorOf(pod);
    const hash = podUID(pod);
    const api = client.resource(podResource).namespace(pod.metadata?.namespace ?? "");
    if (known !== undefined) {
      if (known.metadata?.annotations?.[CONFIG_MIRROR] === hash) return;
      await this.#deleteMirror(known);
    }
    const uid = nodeUID();
    if (uid === undefined) return;
    const { uid: _, ...metadata } = pod.metadata ?? {};
    const owner = { apiVersion: "v1", kind: "Node", name: nodeName, uid, controller: true };
    const { status: __, ...rest } = pod;
    await api
      .create({
        ...rest,
        metadata: {
          ...metadata,
          annotations: { ...metadata.annotations, [CONFIG_MIRROR]: hash },
          ownerReferences: [owner],
        },
      })
      .catch((error) => {
        if (!(error instanceof StatusError) || error.code !== 409) throw error;
      });
  }

  async #mirrorAll(): Promise<void> {
    for (const pod of this.#pods.values()) await this.#mirror(pod);
    const names = new Set([...this.#pods.values()].map(podKey));
    for (const [key, mirror] of this.#mirrors) {
      if (!names.has(key)) await this.#deleteMirror(mirror);
    }
  }

  #apply(found: Map<string, Pod>): void {
    for (const [uid, pod] of this.#pods) {
      if (found.has(uid)) continue;
      this.#pods.delete(uid);
      this.#options.onGone(pod);
    }
    for (const [uid, pod] of found) {
      if (this.#pods.has(uid)) continue;
      this.#pods.set(uid, pod);
      this.#options.onPod(pod);
    }
  }

  /** Runs until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { directory, clock, log } = this.#options;
    if (directory === undefined) return;
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(directory, () => this.#wake());
      watcher.on("error", () => {});
    } catch (error) {
      log.warn(
        { directory, err: (error as Error).message },
        "static pods are only looked for now and then",
      );
    }
    while (!signal.aborted) {
      const changed = new AbortController();
      this.#wake = () => changed.abort();
      this.#apply(await this.#read(directory));
      this.#first.resolve();
      const mirrored = await this.#mirrorAll().then(
        () => [...this.#pods.values()].every((pod) => this.mirrorOf(pod) !== undefined),
        () => false,
      );
      const either = AbortSignal.any([signal, changed.signal]);
      await sleep(clock, mirrored ? LOOK_MS : MIRROR_RETRY_MS, either).catch(() => {});
    }
    watcher?.close();
  }
}
