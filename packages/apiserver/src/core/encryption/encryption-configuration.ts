/**
 * EncryptionConfiguration: which resources are encrypted in the store, with which keys.
 *
 * Shapes  resources "secrets", "deployments.apps", "*." (core), "*.apps", "*.*"; the first that
 *         names a resource holds; its first provider writes, all of them read
 * Errors  one line a complaint
 * Source  apiserver pkg/apis/apiserver/{v1/types_encryption,validation/validation_encryption}.go,
 *         pkg/server/options/encryptionconfig/config.go
 */
export type ProviderSettings =
  | { type: "identity" }
  | { type: "aescbc" | "aesgcm" | "secretbox"; keyName: string; key: Uint8Array };

export interface EncryptedResources {
  resources: readonly string[];
  providers: readonly ProviderSettings[];
}

interface Key {
  name?: string;
  secret?: string;
}

type Provider = Partial<Record<"aescbc" | "aesgcm" | "secretbox", { keys?: Key[] }>> & {
  identity?: object;
  kms?: object;
};

interface Document {
  apiVersion?: string;
  kind?: string;
  resources?: { resources?: string[]; providers?: Provider[] }[];
}

const keySizes = { aescbc: [16, 24, 32], aesgcm: [16, 24, 32], secretbox: [32] } as const;

export function readEncryptionConfiguration(
  tree: unknown,
  complaints: string[],
): EncryptedResources[] {
  const { apiVersion = "", kind = "", resources = [] } = (tree ?? {}) as Document;
  if (kind !== "EncryptionConfiguration" || apiVersion !== "apiserver.config.k8s.io/v1") {
    const text = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`;
    complaints.push(`error decoding encryption provider configuration file: ${text}`);
    return [];
  }
  if (resources.length === 0) {
    complaints.push("resources: Required value: at least one resources must be defined");
  }
  return resources.map(({ resources: names = [], providers = [] }, i) => {
    const at = `resources[${i}]`;
    if (names.length === 0) {
      complaints.push(`${at}.resources: Required value: at least one resource must be defined`);
    }
    if (providers.length === 0) {
      complaints.push(`${at}.providers: Required value: at least one provider must be defined`);
    }
    const settings = providers.flatMap((provider, j) =>
      readProvider(provider, `${at}.providers[${j}]`, complaints),
    );
    return { resources: names, providers: settings };
  });
}

function readProvider(provider: Provider, at: string, complaints: string[]): ProviderSettings[] {
  const named = Object.keys(provider);
  if (named.length !== 1) {
    const text = "provider should be one of: identity, aescbc, aesgcm, secretbox, kms";
    complaints.push(`${at}: Invalid value: ${text}`);
    return [];
  }
  if (provider.identity !== undefined) return [{ type: "identity" }];
  const [type] = named as ["aescbc"];
  if (!(type in keySizes)) {
    complaints.push(`${at}.${type}: nanokube has no such provider`);
    return [];
  }
  const keys = provider[type]?.keys ?? [];
  if (keys.length === 0) {
    complaints.push(`${at}.${type}.keys: Required value: at least one key must be defined`);
  }
  return keys.flatMap((key, k) => readKey(type, key, `${at}.${type}.keys[${k}]`, complaints));
}

function readKey(
  type: keyof typeof keySizes,
  { name = "", secret = "" }: Key,
  at: string,
  complaints: string[],
): ProviderSettings[] {
  if (name === "") complaints.push(`${at}.name: Required value: key name must be provided`);
  if (name.includes(":"))
    complaints.push(`${at}.name: Invalid value: key name must not contain ':'`);
  const key = decodeBase64(secret);
  if (secret === "" || key === undefined) {
    const problem =
      secret === ""
        ? "Required value: secret must be provided"
        : "Invalid value: secret must be base64 encoded";
    complaints.push(`${at}.secret: ${problem}`);
    return [];
  }
  const sizes: readonly number[] = keySizes[type];
  if (!sizes.includes(key.length)) {
    const text = `secret is not of the expected length, got ${key.length}, expected one of [${sizes.join(" ")}]`;
    complaints.push(`${at}.secret: Invalid value: ${text}`);
    return [];
  }
  return [{ type, keyName: name, key }];
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** The providers of a resource; undefined when nothing is said of it. */
export function providersOf(
  configuration: readonly EncryptedResources[],
  group: string,
  plural: string,
): readonly ProviderSettings[] | undefined {
  const own = group === "" ? plural : `${plural}.${group}`;
  const names = new Set([own, `*.${group}`, "*.*"]);
  return configuration.find(({ resources }) => resources.some((name) => names.has(name)))
    ?.providers;
}
