/**
 * Which resources are served, and how each is stored.
 *
 * Built-in ones come from the api table: GA by default, others by --runtime-config, as upstream.
 * Custom ones come and go with their CustomResourceDefinitions.
 *
 * Source  pkg/controlplane/instance.go (DefaultAPIResourceConfigSource), pkg/kubeapiserver
 */
import { type ResourceInfo, resources, typeOf } from "@nanokube/api";
import {
  canonicalize,
  decodeEnvelope,
  decodeProtobuf,
  encodeEnvelope,
  encodeProtobuf,
  isEnvelope,
  type KubeObject,
} from "@nanokube/machinery";
import { ResourceCache } from "./cache/resource-cache.ts";
import type { StorageCodec } from "./cache/stored-object.ts";
import { convert } from "./conversion/convert.ts";
import { inOldForm } from "./conversion/old-form.ts";
import type { ServedResource } from "./rest/context.ts";
import { encodeStored, parseTree } from "./storage/canonical.ts";
import { storagePrefix } from "./storage/keys.ts";
import type { ResourceStrategy } from "./strategy.ts";

export type StorageMediaType = "application/json" | "application/vnd.kubernetes.protobuf";

export interface RegistryOptions {
  strategyFor(group: string, kind: string): ResourceStrategy;
  /** "api/all", "apps/v1", "resource.k8s.io/v1beta1/deviceclasses" → on or off. */
  runtimeConfig: Readonly<Record<string, boolean>>;
  storageMediaType: StorageMediaType;
  /** Gives a resource its cache. */
  open(prefix: string, codec: StorageCodec): ResourceCache;
}

/** Kinds served in several versions and stored in this one. */
const storageVersions: Readonly<Record<string, string>> = {
  "autoscaling/horizontalpodautoscalers": "autoscaling/v2",
  "events.k8s.io/events": "v1",
  // A version is stored once the release before it could read it, too.
  "admissionregistration.k8s.io/mutatingadmissionpolicies": "admissionregistration.k8s.io/v1beta1",
  "admissionregistration.k8s.io/mutatingadmissionpolicybindings":
    "admissionregistration.k8s.io/v1beta1",
  "resource.k8s.io/devicetaintrules": "resource.k8s.io/v1alpha3",
};

export class ResourceRegistry {
  readonly #served = new Map<string, ServedResource>();
  /** What was found by group and plural since the last change. */
  readonly #found = new Map<string, ServedResource>();
  #generation = 0;

  constructor(options: RegistryOptions) {
    for (const info of resources) {
      if (isEnabled(info, options.runtimeConfig)) this.add(builtIn(info, options));
    }
  }

  /** Grows whenever a resource comes or goes. */
  get generation(): number {
    return this.#generation;
  }

  add(resource: ServedResource): void {
    this.#changed();
    const { group, version, plural } = resource.info;
    this.#served.set(`${group}/${version}/${plural}`, resource);
  }

  remove(group: string, version: string, plural: string): void {
    this.#changed();
    this.#served.delete(`${group}/${version}/${plural}`);
  }

  lookup(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#served.get(`${group}/${version}/${plural}`);
  }

  #changed(): void {
    this.#generation++;
    this.#found.clear();
  }

  /** Any served version of a resource. */
  find(group: string, plural: string): ServedResource | undefined {
    const key = `${group}/${plural}`;
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = this.#search(group, plural);
    // What callers name is not remembered when it is nothing: they may name anything.
    if (found !== undefined) this.#found.set(key, found);
    return found;
  }

  #search(group: string, plural: string): ServedResource | undefined {
    for (const resource of this.#served.values()) {
      if (resource.info.group === group && resource.info.plural === plural) return resource;
    }
    return undefined;
  }

  served(): Iterable<ServedResource> {
    return this.#served.values();
  }

  hasGroupVersion(group: string, version: string): boolean {
    for (const { info } of this.#served.values()) {
      if (info.group === group && info.version === version) return true;
    }
    return false;
  }
}

/** Kinds behind feature gates that are off: no --runtime-config brings them. */
const gated: ReadonlySet<string> = new Set([
  "certificates.k8s.io/v1beta1/clustertrustbundles",
  "certificates.k8s.io/v1beta1/podcertificaterequests",
  "storagemigration.k8s.io/v1beta1/storageversionmigrations",
]);

function isEnabled(info: ResourceInfo, config: Readonly<Record<string, boolean>>): boolean {
  if (gated.has(`${info.group}/${info.version}/${info.plural}`)) return false;
  const gv = info.group === "" ? info.version : `${info.group}/${info.version}`;
  const resource = config[`${gv}/${info.plural}`];
  if (resource !== undefined) return resource;
  const groupVersion = config[gv] ?? config[`api/${gv}`];
  if (groupVersion !== undefined) return groupVersion;
  const stability = /alpha/.test(info.version)
    ? "api/alpha"
    : /beta/.test(info.version)
      ? "api/beta"
      : "api/ga";
  return config[stability] ?? config["api/all"] ?? info.ga === true;
}

export function apiVersionOf(info: { group: string; version: string }): string {
  return info.group === "" ? info.version : `${info.group}/${info.version}`;
}

function builtIn(info: ResourceInfo, options: RegistryOptions): ServedResource {
  const apiVersion = apiVersionOf(info);
  const strategy = inOldForm(options.strategyFor(info.group, info.kind), apiVersion);
  const stored = resources.find(
    (other) => other.group === info.group && other.plural === info.plural,
  );
  const storageVersion =
    storageVersions[`${info.group}/${info.plural}`] ?? apiVersionOf(stored ?? info);
  const codec = builtInCodec(storageVersion, info, strategy, options.storageMediaType);
  const cache =
    info.storageVersionHash === undefined
      ? new ResourceCache("", codec)
      : options.open(storagePrefix(info.group, info.plural, false), codec);
  const same = apiVersion === storageVersion;
  const keep = (object: KubeObject): KubeObject => object;
  const storedType = typeOf(storageVersion, info.kind) ?? info.type;
  // In canonical form JSON.stringify writes what upstream would.
  const canonical = (object: KubeObject): KubeObject => ({
    ...canonicalize(storedType, object),
    apiVersion: storageVersion,
    kind: info.kind,
  });
  return {
    info,
    strategy,
    cache,
    typeName: info.type,
    custom: undefined,
    apiVersion,
    storageVersion,
    toStorage: same ? canonical : (object) => canonical(convert(object, storageVersion)),
    fromStorage: same ? keep : (object) => convert(object, apiVersion),
  };
}

function builtInCodec(
  storageVersion: string,
  { kind, type: ownType }: ResourceInfo,
  strategy: ResourceStrategy,
  mediaType: StorageMediaType,
): StorageCodec {
  const typeName = typeOf(storageVersion, kind) ?? ownType;
  const protobuf = mediaType !== "application/json" && typeName !== undefined;
  return {
    encode(tree) {
      if (!protobuf) return encodeStored(tree);
      const { resourceVersion: _, ...metadata } = tree.metadata ?? {};
      const raw = encodeProtobuf(typeName, { ...tree, metadata });
      return encodeEnvelope(storageVersion, kind, raw);
    },
    decode(value) {
      const tree = isEnvelope(value) ? decodeStoredProtobuf(value, ownType) : parseTree(value);
      return tree.apiVersion === storageVersion ? tree : convert(tree, storageVersion);
    },
    selectableFields: (tree) => strategy.selectableFields?.(tree) ?? {},
  };
}

/** `ownType`: that of a served version, for one that is stored but not served. */
function decodeStoredProtobuf(value: Uint8Array, ownType: string): KubeObject {
  const { apiVersion, kind, raw } = decodeEnvelope(value);
  const typeName = typeOf(apiVersion, kind) ?? (ownType.endsWith(`.${kind}`) ? ownType : undefined);
  if (typeName === undefined) throw new Error(`no kind ${kind} is registered for ${apiVersion}`);
  return { ...(decodeProtobuf(typeName, raw) as KubeObject), apiVersion, kind };
}
