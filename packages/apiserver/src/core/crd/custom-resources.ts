/**
 * CustomResourceDefinitions come, change and go; what they define is served, changed, drained.
 *
 * Level-triggered: each event of a definition leads to looking at it as it is now.
 * Source  apiextensions-apiserver pkg/apiserver/customresource_handler.go,
 *         pkg/controller/{establish,finalizer,status}
 */
import type { ResourceInfo } from "@nanokube/api";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from "@nanokube/api/apiextensions/v1";
import {
  type Clock,
  type KubeObject,
  type Log,
  type Random,
  StatusError,
} from "@nanokube/machinery";
import type { WebhookCaller } from "../admission/webhooks/caller.ts";
import type { ResourceCache } from "../cache/resource-cache.ts";
import type { StorageCodec, StoredObject } from "../cache/stored-object.ts";
import type { LocalClient } from "../local-client.ts";
import { customTypeName } from "../openapi/custom-resources.ts";
import type { ResourceRegistry } from "../registry.ts";
import type { CustomVersion, ServedResource } from "../rest/context.ts";
import { encodeStored, parseTree } from "../storage/canonical.ts";
import { storagePrefix } from "../storage/keys.ts";
import { KeyChanged, type ObjectStore } from "../storage/store.ts";
import { acceptNames, conditionIs, setCondition } from "./accepted-names.ts";
import { customApplySchema } from "./apply-schema.ts";
import {
  type Convert,
  CustomReading,
  convertTo,
  type VersionShape,
  type VersionShapes,
} from "./custom-reading.ts";
import { customStrategy, fieldSelection, type PrinterColumn } from "./custom-strategy.ts";
import { coerceMeta } from "./embedded-decode.ts";
import type { ScalePaths } from "./scale-paths.ts";
import { prune, type Schema } from "./structural-schema.ts";

const cleanup = "customresourcecleanup.apiextensions.k8s.io";
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

export interface CustomResourceDeps {
  registry: ResourceRegistry;
  store: ObjectStore;
  clock: Clock;
  log: Log;
  local: LocalClient;
  random: Random;
  open(prefix: string, codec: StorageCodec): ResourceCache;
  /** Asks conversion webhooks. */
  callWebhook: WebhookCaller;
}

/** The first request to delete a definition marks it; its objects go before it does. */
export function markDefinition(object: KubeObject, clock: Clock): void {
  const crd = object as CustomResourceDefinition;
  const finalizers = object.metadata?.finalizers ?? [];
  if (!finalizers.includes(cleanup)) object.metadata!.finalizers = [...finalizers, cleanup];
  setCondition(crd, clock, {
    type: "Terminating",
    status: "True",
    reason: "InstanceDeletionPending",
    message:
      "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
  });
}

export class CustomResources {
  readonly #deps: CustomResourceDeps;
  readonly #cache: ResourceCache;
  /** Versions served for a definition, by its name. */
  readonly #served = new Map<string, { group: string; plural: string; versions: string[] }>();
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
    if (acceptNames(crd, all, this.#deps.clock)) {
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
    for (const version of served) {
      this.#deps.registry.add(customResource({ crd, version, shapes, deps: this.#deps }));
    }
    this.#served.set(name, {
      group,
      plural,
      versions: served.map((version) => version.name ?? ""),
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

interface Version {
  crd: CustomResourceDefinition;
  version: CustomResourceDefinitionVersion;
  shapes: VersionShapes;
  deps: CustomResourceDeps;
}

function shapesOf({ spec = {} }: CustomResourceDefinition): VersionShapes {
  const shapes = (spec.versions ?? []).map((version): VersionShape => {
    const schema = version.schema?.openAPIV3Schema as Schema | undefined;
    const apiVersion = `${spec.group}/${version.name}`;
    return { apiVersion, schema, keepsUnknown: spec.preserveUnknownFields === true };
  });
  return new Map(shapes.map((shape) => [shape.apiVersion, shape]));
}

/** What asks a definition's webhook is loaded when the first object has to be converted. */
function converterOf(
  crd: CustomResourceDefinition,
  { callWebhook: call, random }: CustomResourceDeps,
): Convert | undefined {
  if (crd.spec?.conversion?.strategy !== "Webhook") return undefined;
  return async (objects, apiVersion) => {
    const { convertByWebhook } = await import("./webhook-conversion.ts");
    return convertByWebhook(crd, objects, apiVersion, { call, random });
  };
}

/** For managed fields: nothing is pruned, and no webhook is asked about what is still empty. */
function versionsOf(shapes: VersionShapes, convert: Convert | undefined) {
  return (apiVersion: string): CustomVersion | undefined => {
    const shape = shapes.get(apiVersion);
    if (shape === undefined) return undefined;
    return {
      applySchema: customApplySchema(shape.schema ?? {}),
      async convert(tree) {
        const isEmpty = Object.keys(tree).every((key) => key === "apiVersion" || key === "kind");
        if (convert === undefined || isEmpty) return { ...tree, apiVersion };
        return (await convert([tree], apiVersion))[0]!;
      },
    };
  };
}

const selectablePaths = (version: CustomResourceDefinitionVersion): string[] =>
  version.selectableFields?.map((field) => field.jsonPath ?? "") ?? [];

/** All versions share one cache, whose objects are of any of them. */
function selectionByVersion(crd: CustomResourceDefinition): StorageCodec["selectableFields"] {
  const { group = "", versions = [] } = crd.spec ?? {};
  const byVersion = new Map(
    versions.map((version) => [
      `${group}/${version.name}`,
      fieldSelection(selectablePaths(version)),
    ]),
  );
  return (tree) => byVersion.get(tree.apiVersion ?? "")?.(tree) ?? {};
}

function customResource({ crd, version, shapes, deps }: Version): ServedResource {
  const { group = "", names = {}, versions = [] } = crd.spec ?? {};
  const stored = versions.find((one) => one.storage)?.name ?? version.name ?? "";
  const schema = version.schema?.openAPIV3Schema as Schema | undefined;
  const keepAll = crd.spec?.preserveUnknownFields === true || schema === undefined;
  const strategy = customStrategy({
    schema,
    columns: (version.additionalPrinterColumns ?? []) as PrinterColumn[],
    selectableFields: selectablePaths(version),
    hasStatus: version.subresources?.status !== undefined,
    scale: version.subresources?.scale as ScalePaths | undefined,
  });
  const codec: StorageCodec = {
    encode: encodeStored,
    decode: parseTree,
    selectableFields: selectionByVersion(crd),
  };
  const apiVersion = `${group}/${version.name}`;
  const storageVersion = `${group}/${stored}`;
  const convert = converterOf(crd, deps);
  const storageShape = shapes.get(storageVersion)!;
  return {
    info: infoOf(crd, version),
    strategy,
    cache: deps.open(storagePrefix(group, names.plural ?? "", true), codec),
    typeName: undefined,
    custom: {
      prune: (object) => {
        const unknown = coerceMeta(schema ?? {}, object);
        return [...unknown, ...(keepAll ? [] : prune(schema!, object))].sort();
      },
      applySchema: customApplySchema(schema ?? {}),
      version: versionsOf(shapes, convert),
      schema: schema as { [key: string]: unknown } | undefined,
      scale: version.subresources?.scale as ScalePaths | undefined,
    },
    apiVersion,
    storageVersion,
    toStorage: async (object) => (await convertTo(storageShape, [object], convert))[0]!,
    fromStorage: (object) => object,
    reading: new CustomReading({ shape: shapes.get(apiVersion)!, shapes, codec, convert }),
  };
}

function infoOf(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): ResourceInfo {
  const { group = "", scope } = crd.spec ?? {};
  const names = crd.status?.acceptedNames ?? crd.spec?.names ?? {};
  const subresources = [];
  const change = ["get", "patch", "update"];
  if (version.subresources?.status !== undefined)
    subresources.push({ name: "status", verbs: change });
  if (version.subresources?.scale !== undefined) {
    const kind = { group: "autoscaling", version: "v1", kind: "Scale" };
    subresources.push({ name: "scale", verbs: change, kind });
  }
  return {
    group,
    version: version.name ?? "",
    kind: names.kind ?? "",
    plural: names.plural ?? "",
    singular: names.singular ?? "",
    namespaced: scope === "Namespaced",
    ...(names.shortNames === undefined ? {} : { shortNames: names.shortNames }),
    ...(names.categories === undefined ? {} : { categories: names.categories }),
    verbs,
    type: customTypeName(group, version.name ?? "", names.kind ?? ""),
    listType: customTypeName(group, version.name ?? "", names.listKind ?? `${names.kind}List`),
    subresources,
    ga: true,
  };
}
