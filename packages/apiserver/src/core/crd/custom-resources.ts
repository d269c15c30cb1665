/**
 * CustomResourceDefinitions come, change and go; what they define is served, changed, drained.
 *
 * Level-triggered: each event of a definition leads to looking at it as it is now.
 * Source  apiextensions-apiserver pkg/apiserver/customresource_handler.go,
 *         pkg/controller/{establish,finalizer,status}
 */
import type { CustomResourceDefinition } from "@nanokube/api/apiextensions/v1";
import { type Clock, type KubeObject, StatusError } from "@nanokube/machinery";
import type { ResourceCache } from "../cache/resource-cache.ts";
import type { StoredObject } from "../cache/stored-object.ts";
import { formatTime } from "../rest/object-meta.ts";
import { storagePrefix } from "../storage/keys.ts";
import { KeyChanged } from "../storage/store.ts";
import { acceptNames, conditionIs, setCondition } from "./accepted-names.ts";
import { noteApproval } from "./approval.ts";
import { type CustomResourceDeps, customResource, type Life, shapesOf } from "./custom-resource.ts";

const cleanup = "customresourcecleanup.apiextensions.k8s.io";

const inProgress = {
  type: "Terminating",
  status: "True",
  reason: "InstanceDeletionInProgress",
  message: "CustomResource deletion is in progress",
};
const completed = {
  type: "Terminating",
  status: "False",
  reason: "InstanceDeletionCompleted",
  message: "removed all instances",
};

/** The first request to delete a definition marks it; its objects go before it does. */
export function markDefinition(object: KubeObject, clock: Clock): void {
  const crd = object as CustomResourceDefinition;
  const finalizers = object.metadata?.finalizers ?? [];
  if (!finalizers.includes(cleanup)) object.metadata!.finalizers = [...finalizers, cleanup];
  object.metadata!.deletionTimestamp = formatTime(clock.now());
  setCondition(crd, clock, {
    type: "Terminating",
    status: "True",
    reason: "InstanceDeletionPending",
    message:
      "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
  });
}

interface Served {
  group: string;
  plural: string;
  versions: string[];
  life: Life;
}

export class CustomResources {
  readonly #deps: CustomResourceDeps;
  readonly #cache: ResourceCache;
  /** Versions served for a definition, by its name. */
  readonly #served = new Map<string, Served>();
  #work: Promise<void> = Promise.resolve();

  constructor(deps: CustomResourceDeps) {
    this.#deps = deps;
    const definitions = deps.registry.lookup(
      "apiextensions.k8s.io",
      "v1",
      "customresourcedefinitions",
    );
    this.#cache = definitions!.cache;
  }

  /** Serves what is defined now, then follows. Resolves when the first look is done. */
  start(): Promise<void> {
    const lookAtAll = (): void => {
      for (const object of this.#cache.scan()) this.#queue(object.key);
    };
    const follow = (): void => {
      this.#cache.watch({
        onEvent: (event) => this.#queue((event.object ?? event.previous)!.key),
        onReset: () => {
          // A rebuilt cache is filled in the same turn of its loader.
          follow();
          void this.#deps.store.catchUp().then(lookAtAll);
        },
      });
    };
    follow();
    lookAtAll();
    return this.#work;
  }

  #queue(name: string): void {
    this.#work = this.#work.then(() =>
      this.#reconcile(name).catch((error: unknown) =>
        this.#deps.log.error({ crd: name, error: String(error) }, "custom resource definition"),
      ),
    );
  }

  async #reconcile(name: string): Promise<void> {
    const stored = this.#cache.get(name);
    if (stored === undefined) {
      this.#forget(name);
      for (const rival of this.#cache.scan()) {
        const crd = rival.shared() as CustomResourceDefinition;
        if (conditionIs(crd, "NamesAccepted", "False")) this.#queue(rival.key);
      }
      return;
    }
    const crd = stored.tree() as CustomResourceDefinition;
    if (crd.metadata?.deletionTimestamp) {
      await this.#drain(stored, crd);
      return;
    }
    const all = [...this.#cache.scan()].map((each) => each.shared() as CustomResourceDefinition);
    const isNamed = acceptNames(crd, all, this.#deps.clock);
    if (noteApproval(crd, this.#deps.clock) || isNamed) {
      await this.#writeStatus(stored, crd);
      return; // Its own event leads back here.
    }
    this.#lookAtRivals(crd, all);
    if (!conditionIs(crd, "Established", "True")) return;
    this.#serve(name, crd);
    await this.#registerGroups(crd);
  }

  /** Those that wait for names: some may be free now. */
  #lookAtRivals(crd: CustomResourceDefinition, all: readonly CustomResourceDefinition[]): void {
    if (!conditionIs(crd, "NamesAccepted", "True")) return;
    for (const rival of all) {
      const isWaiting = conditionIs(rival, "NamesAccepted", "False");
      if (isWaiting && rival.spec?.group === crd.spec?.group) {
        this.#queue(rival.metadata?.name ?? "");
      }
    }
  }

  /** As everybody's write, so that its fields have an owner. */
  async #writeStatus(stored: StoredObject, crd: CustomResourceDefinition): Promise<void> {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${stored.name}/status`;
    const metadata = { ...crd.metadata, resourceVersion: String(stored.revision) };
    try {
      await this.#deps.local.update(path, { ...crd, metadata } as KubeObject);
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 409) throw error;
    }
  }

  async #write(stored: StoredObject, crd: CustomResourceDefinition): Promise<void> {
    try {
      await this.#deps.store.replace(this.#cache, stored, crd as KubeObject);
    } catch (error) {
      if (!(error instanceof KeyChanged)) throw error; // Somebody was faster; their event comes.
    }
  }

  #serve(name: string, crd: CustomResourceDefinition): void {
    const { group = "", names, versions = [] } = crd.spec ?? {};
    const plural = names?.plural ?? "";
    this.#forget(name);
    const served = versions.filter((version) => version.served);
    const shapes = shapesOf(crd);
    const life: Life = { isEnding: false };
    for (const version of served) {
      const all = { crd, version, shapes, life, deps: this.#deps };
      this.#deps.registry.add(customResource(all));
    }
    this.#served.set(name, {
      group,
      plural,
      versions: served.map((version) => version.name ?? ""),
      life,
    });
  }

  #forget(name: string): void {
    const known = this.#served.get(name);
    if (known === undefined) return;
    this.#served.delete(name);
    for (const version of known.versions) {
      this.#deps.registry.remove(known.group, version, known.plural);
      if (this.#deps.registry.hasGroupVersion(known.group, version)) continue;
      const path = `/apis/apiregistration.k8s.io/v1/apiservices/${version}.${known.group}`;
      void this.#deps.local.delete(path).catch(() => undefined);
    }
  }

  /** Deletes every object, then lets the definition go. */
  async #drain(stored: StoredObject, crd: CustomResourceDefinition): Promise<void> {
    const finalizers = crd.metadata?.finalizers ?? [];
    if (!finalizers.includes(cleanup)) return;
    const known = this.#served.get(stored.key);
    if (known !== undefined) known.life.isEnding = true;
    if (setCondition(crd, this.#deps.clock, inProgress)) {
      await this.#write(stored, crd);
      return; // Its own event leads back here.
    }
    const { group = "", names } = crd.spec ?? {};
    const cache = this.#deps.store.cacheFor(storagePrefix(group, names?.plural ?? "", true));
    const version = this.#served.get(stored.key)?.versions[0];
    for (const object of [...cache.scan()]) {
      if (version === undefined) break;
      const place = object.namespace === "" ? "" : `namespaces/${object.namespace}/`;
      const path = `/apis/${group}/${version}/${place}${names?.plural}/${object.name}`;
      await this.#deps.local.delete(path).catch(() => undefined);
    }
    await this.#deps.store.catchUp();
    if (version !== undefined && cache.size > 0) {
      // Finalizers hold some of them; each that goes is an event of its own cache.
      const stop = cache.watch({
        onEvent: () => {
          if (cache.size > 0) return;
          stop();
          this.#queue(stored.key);
        },
        onReset: () => this.#queue(stored.key),
      });
      return;
    }
    const left = finalizers.filter((name) => name !== cleanup);
    if (left.length > 0) {
      setCondition(crd, this.#deps.clock, completed);
      await this.#write(stored, { ...crd, metadata: { ...crd.metadata, finalizers: left } });
      return;
    }
    this.#forget(stored.key);
    await this.#deps.store.remove(this.#cache, stored).catch((error: unknown) => {
      if (!(error instanceof KeyChanged)) throw error;
    });
  }

  async #registerGroups(crd: CustomResourceDefinition): Promise<void> {
    const { group = "", versions = [] } = crd.spec ?? {};
    const root = "/apis/apiregistration.k8s.io/v1/apiservices";
    for (const { name: version, served } of versions) {
      if (!served) continue;
      const name = `${version}.${group}`;
      if ((await this.#deps.local.get(`${root}/${name}`)) !== undefined) continue;
      await this.#deps.local
        .create(root, {
          apiVersion: "apiregistration.k8s.io/v1",
          kind: "APIService",
          metadata: { name, labels: { "kube-aggregator.kubernetes.io/automanaged": "true" } },
          spec: { group, version, groupPriorityMinimum: 1000, versionPriority: 100 },
        })
        .catch(() => undefined);
    }
  }
}
