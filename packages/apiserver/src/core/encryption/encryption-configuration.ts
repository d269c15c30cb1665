/**
 * EncryptionConfiguration: which resources are encrypted in the store, with which keys.
 *
 * Shapes  resources "secrets", "deployments.apps", "*." (core), "*.apps", "*.*": what names a
 *         resource itself holds before what names its group, that before "*.*"; its first provider
 *         writes, all of them read
 * Errors  an Error with upstream's text
 * Source  apiserver pkg/apis/apiserver/v1/types_encryption.go,
 *         pkg/server/options/encryptionconfig/config.go
 */
import { aggregateFieldErrors, parseGoDurationMs } from "@nanokube/machinery";
import {
  type EncryptionDocument,
  type KeyedProvider,
  type ProviderDocument,
  usualKmsTimeout,
} from "./encryption-document.ts";
import { validateEncryption } from "./validate-encryption.ts";

export interface KeySettings {
  type: KeyedProvider;
  keyName: string;
  key: Uint8Array;
}

export interface KmsSettings {
  type: "kms";
  name: string;
  /** unix:///run/plugin.sock */
  endpoint: string;
  timeoutMs: number;
}

export type ProviderSettings = { type: "identity" } | KeySettings | KmsSettings;

export interface EncryptedResources {
  resources: readonly string[];
  providers: readonly ProviderSettings[];
}

/** @throws Error, worded as upstream's */
export function readEncryptionConfiguration(tree: unknown, path = ""): EncryptedResources[] {
  const document = (tree ?? {}) as EncryptionDocument;
  const { apiVersion = "", kind = "" } = document;
  if (kind !== "EncryptionConfiguration" || apiVersion !== "apiserver.config.k8s.io/v1") {
    const found = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`;
    const file = `error decoding encryption provider configuration file ${JSON.stringify(path)}`;
    throw new Error(`error while parsing file: ${file}: ${found}`);
  }
  const errors = validateEncryption(document);
  if (errors.length > 0) {
    throw new Error(`error while parsing file: ${aggregateFieldErrors(errors)}`);
  }
  const found = (document.resources ?? []).map(({ resources = [], providers = [] }) => ({
    resources,
    providers: providers.flatMap(settingsOf),
  }));
  refuseMasked(found);
  return found;
}

const kmsV1 =
  "KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.  Set --feature-gates=KMSv1=true to use the deprecated KMSv1 feature.";

function settingsOf(provider: ProviderDocument): ProviderSettings[] {
  if (provider.identity) return [{ type: "identity" }];
  if (provider.kms) {
    const { apiVersion, name = "", endpoint = "", timeout = usualKmsTimeout } = provider.kms;
    if (apiVersion !== "v2") throw new Error(`error while building transformers: ${kmsV1}`);
    return [{ type: "kms", name, endpoint, timeoutMs: parseGoDurationMs(timeout) ?? 0 }];
  }
  const types = ["aesgcm", "aescbc", "secretbox"] as const;
  const type = types.find((name) => provider[name]);
  if (type === undefined) return [];
  return (provider[type]?.keys ?? []).map(({ name = "", secret = "" }) => ({
    type,
    keyName: name,
    key: Uint8Array.from(atob(secret), (char) => char.charCodeAt(0)),
  }));
}

/** "secrets" → its own name, "*." and "*.*": from the nearest to the widest. */
function namesFor(resource: string): [own: string, group: string, all: string] {
  const dot = resource.indexOf(".");
  const group = dot < 0 ? "" : resource.slice(dot + 1);
  return [resource, `*.${group}`, "*.*"];
}

function refuseMasked(found: readonly EncryptedResources[]): void {
  const before = new Set<string>();
  for (const { resources } of found) {
    for (const resource of resources) {
      const [, ...wider] = namesFor(resource);
      const mask = wider.find((name) => before.has(name));
      if (mask !== undefined) {
        const text = `resource "${resource}" is masked by earlier rule "${mask}"`;
        throw new Error(`error while building transformers: ${text}`);
      }
    }
    for (const resource of resources) before.add(resource);
  }
}

/** The providers of a resource; undefined when nothing is said of it. */
export function providersOf(
  configuration: readonly EncryptedResources[],
  group: string,
  plural: string,
): readonly ProviderSettings[] | undefined {
  for (const name of namesFor(group === "" ? plural : `${plural}.${group}`)) {
    const named = configuration.filter(({ resources }) => resources.includes(name));
    if (named.length > 0) return named.flatMap(({ providers }) => providers);
  }
  return undefined;
}
