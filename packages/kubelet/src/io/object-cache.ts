/**
 * ConfigMaps and Secrets that the node's pods refer to, each watched by itself.
 *
 * The node authorizer lets a kubelet see only objects its own pods name, so there is one watch with
 * `fieldSelector metadata.name=` per object, kept while a pod refers to it.
 * Source  pkg/kubelet/util/manager/watch_based_manager.go
 */
import type { ConfigMap, Pod, Secret } from "@nanokube/api/core/v1";
import {
  type ApiObject,
  type Client,
  createInformer,
  type ResourceRef,
  type SharedInformer,
} from "@nanokube/client";
import { type Clock, type Log, sleep } from "@nanokube/machinery";
import { environmentReferences } from "../core/environment.ts";
import { allContainers, podNamespace, podUID } from "../core/pod.ts";

const FIRST_LIST_MS_MAX = 10_000;

interface Entry<T extends ApiObject> {
  informer: SharedInformer<T>;
  stop: AbortController;
  users: Set<string>;
}

export interface ObjectCacheOptions {
  client: Client;
  clock: Clock;
  log: Log;
  /** An object that these pods refer to has changed. */
  onChange(podUIDs: readonly string[]): void;
}

class WatchedObjects<T extends ApiObject> {
  readonly #options: ObjectCacheOptions;
  readonly #resource: ResourceRef<T>;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(options: ObjectCacheOptions, resource: ResourceRef<T>) {
    this.#options = options;
    this.#resource = resource;
  }

  use(namespace: string, name: string, uid: string): void {
    const key = `${namespace}/${name}`;
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.users.add(uid);
      return;
    }
    const stop = new AbortController();
    const users = new Set([uid]);
    const { client, clock, log, onChange } = this.#options;
    const informer = createInformer<T>({
      client,
      resource: this.#resource,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      clock,
      log,
    });
    const changed = () => onChange([...users]);
    informer.onEvent({ add: changed, update: changed, delete: changed });
    informer.start(stop.signal);
    this.#entries.set(key, { informer, stop, users });
  }

  release(uid: string): void {
    for (const [key, entry] of this.#entries) {
      entry.users.delete(uid);
      if (entry.users.size > 0) continue;
      entry.stop.abort();
      this.#entries.delete(key);
    }
  }

  /** undefined: does not exist. Asks the API server itself when no pod is registered for it. */
  async get(namespace: string, name: string): Promise<T | undefined> {
    const { client, clock } = this.#options;
    const entry = this.#entries.get(`${namespace}/${name}`);
    if (entry === undefined) {
      return client.resource(this.#resource).namespace(namespace).get(name);
    }
    if (!entry.informer.hasSynced()) {
      const timer = new AbortController();
      const tooLate = sleep(clock, FIRST_LIST_MS_MAX, timer.signal).then(() => "late" as const);
      tooLate.catch(() => {});
      const won = await Promise.race([entry.informer.waitForSync(), tooLate]);
      timer.abort();
      if (won === "late") {
        const { plural } = this.#resource;
        const kind = plural === "configmaps" ? "configmap" : "secret";
        throw new Error(`failed to sync ${kind} cache: timed out waiting for the condition`);
      }
    }
    return entry.informer.indexer.get(namespace, name);
  }

  stop(): void {
    for (const entry of this.#entries.values()) entry.stop.abort();
    this.#entries.clear();
  }
}

const core = { group: "", version: "v1", namespaced: true } as const;

/** Every ConfigMap and Secret a pod's spec names. */
export function podReferences(pod: Pod): { configMaps: Set<string>; secrets: Set<string> } {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const container of allContainers(pod)) {
    const found = environmentReferences(container);
    for (const name of found.configMaps) configMaps.add(name);
    for (const name of found.secrets) secrets.add(name);
  }
  for (const { name } of pod.spec?.imagePullSecrets ?? []) if (name) secrets.add(name);
  for (const volume of pod.spec?.volumes ?? []) {
    if (volume.configMap?.name) configMaps.add(volume.configMap.name);
    if (volume.secret?.secretName) secrets.add(volume.secret.secretName);
    for (const source of volume.projected?.sources ?? []) {
      if (source.configMap?.name) configMaps.add(source.configMap.name);
      if (source.secret?.name) secrets.add(source.secret.name);
    }
    const csi = volume.csi?.nodePublishSecretRef?.name;
    if (csi) secrets.add(csi);
  }
  return { configMaps, secrets };
}

export class ObjectCache {
  readonly #configMaps: WatchedObjects<ConfigMap>;
  readonly #secrets: WatchedObjects<Secret>;

  constructor(options: ObjectCacheOptions) {
    const { onChange } = options;
    this.#configMaps = new WatchedObjects<ConfigMap>(
      { ...options, onChange },
      { ...core, plural: "configmaps", kind: "ConfigMap" },
    );
    this.#secrets = new WatchedObjects<Secret>(options, {
      ...core,
      plural: "secrets",
      kind: "Secret",
    });
  }

  register(pod: Pod): void {
    const { configMaps, secrets } = podReferences(pod);
    const uid = podUID(pod);
    for (const name of configMaps) this.#configMaps.use(podNamespace(pod), name, uid);
    for (const name of secrets) this.#secrets.use(podNamespace(pod), name, uid);
  }

  unregister(uid: string): void {
    this.#configMaps.release(uid);
    this.#secrets.release(uid);
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.#configMaps.get(namespace, name);
  }

  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.#secrets.get(namespace, name);
  }

  stop(): void {
    this.#configMaps.stop();
    this.#secrets.stop();
  }
}
