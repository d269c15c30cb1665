/**
 * What may be wrong with an EncryptionConfiguration.
 *
 * Source  apiserver pkg/apis/apiserver/validation/validation_encryption.go
 */
import {
  type FieldError,
  FieldPath,
  invalidValue,
  parseGoDurationMs,
  required,
} from "@nanokube/machinery";
import {
  type EncryptionDocument,
  type KeyedProvider,
  type KmsDocument,
  type ProviderDocument,
  usualKmsTimeout,
} from "./encryption-document.ts";

const keySizes: Record<KeyedProvider, readonly number[]> = {
  aesgcm: [16, 24, 32],
  aescbc: [16, 24, 32],
  secretbox: [32],
};
const notStored = ["apiserveripinfo", "serviceipallocations", "servicenodeportallocations"];
const overlap =
  "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked";

export function validateEncryption({ resources = [] }: EncryptionDocument): FieldError[] {
  const root = FieldPath.root("resources");
  if (resources.length === 0) return [required(root, "at least one resources is required")];
  const kmsNames = new Set<string>();
  return resources.flatMap(({ resources: names = [], providers = [] }, i) => {
    const [r, p] = [root.index(i).child("resources"), root.index(i).child("providers")];
    const errors: FieldError[] = [];
    if (names.length === 0) errors.push(required(r, `at least one ${r} is required`));
    errors.push(...overlaps(names, r), ...names.flatMap((name, j) => badName(name, r.index(j))));
    if (providers.length === 0) errors.push(required(p, `at least one ${p} is required`));
    for (const [j, provider] of providers.entries()) {
      errors.push(...validateProvider(provider, p.index(j), kmsNames));
    }
    return errors;
  });
}

function parse(name: string): { group: string; resource: string } {
  const dot = name.indexOf(".");
  return dot < 0
    ? { group: "", resource: name }
    : { group: name.slice(dot + 1), resource: name.slice(0, dot) };
}

function overlaps(names: readonly string[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const isDouble = new Set(names).size < names.length;
  if (isDouble) {
    errors.push(invalidValue(path, names, "the same resource cannot be specified multiple times"));
  }
  const parsed = [...new Set(names)].map(parse);
  const isWide = parsed.some((a, i) =>
    parsed.some((b, j) => {
      if (i === j) return false;
      if (a.group === "*" && a.resource === "*") return true;
      return a.group === b.group && (a.resource === "*" || b.resource === "*");
    }),
  );
  if (isWide) errors.push(invalidValue(path, names, overlap));
  return errors;
}

function badName(name: string, path: FieldPath): FieldError[] {
  const { group, resource } = parse(name);
  const why = (): string | undefined => {
    if (name !== name.toLowerCase()) return "resource name should not contain capital letters";
    if (name === "*") {
      return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources";
    }
    if (notStored.includes(name)) {
      return "resources which do not have REST API/s cannot be encrypted";
    }
    if (group === "events.k8s.io") {
      return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file";
    }
    if (group === "extensions") {
      return "'extensions' group has been removed and cannot be used for encryption";
    }
    if (group === "*" && resource !== "*") {
      return "encrypting the same resource across groups is not supported";
    }
    return undefined;
  };
  const text = why();
  return text === undefined ? [] : [invalidValue(path, name, text)];
}

function validateProvider(
  provider: ProviderDocument,
  path: FieldPath,
  kmsNames: Set<string>,
): FieldError[] {
  const { kms, aesgcm, aescbc, secretbox, identity } = provider;
  const count = [kms, aesgcm, aescbc, secretbox, identity].filter(Boolean).length;
  const errors: FieldError[] = [];
  if (count === 0) {
    const known = "KMS, AESGCM, AESCBC, Secretbox, Identity";
    const text = `provider does not contain any of the expected providers: ${known}`;
    errors.push(invalidValue(path, inGo(provider), text));
  }
  if (count > 1) {
    const text =
      "more than one provider specified in a single element, should split into different list elements";
    errors.push(invalidValue(path, inGo(provider), text));
  }
  if (kms) return [...errors, ...validateKms(kms, path.child("kms"), kmsNames)];
  for (const type of ["aesgcm", "aescbc", "secretbox"] as const) {
    const own = provider[type];
    if (!own) continue;
    return [...errors, ...validateKeys(own.keys ?? [], path.child(type, "keys"), keySizes[type])];
  }
  return errors;
}

/** As Go prints the struct; keys are not shown. */
function inGo({ aesgcm, aescbc, secretbox, identity, kms }: ProviderDocument): object {
  const keys = (own: { keys?: object[] } | null | undefined) =>
    own ? { Keys: (own.keys ?? []).map(() => "REDACTED") } : null;
  return {
    AESGCM: keys(aesgcm),
    AESCBC: keys(aescbc),
    Secretbox: keys(secretbox),
    Identity: identity ?? null,
    KMS: kms ?? null,
  };
}

function validateKeys(
  keys: readonly { name?: string; secret?: string }[],
  path: FieldPath,
  sizes: readonly number[],
): FieldError[] {
  if (keys.length === 0) return [required(path, "at least one keys is required")];
  return keys.flatMap(({ name = "", secret = "" }, i) => {
    const errors: FieldError[] = [];
    const at = path.index(i);
    if (name === "") errors.push(required(at.child("name"), "name is a mandatory field for a key"));
    return [...errors, ...validateSecret(secret, at.child("secret"), sizes)];
  });
}

function validateSecret(secret: string, path: FieldPath, sizes: readonly number[]): FieldError[] {
  if (secret === "") return [required(path, "secret is a mandatory field for a key")];
  let length: number;
  try {
    if (secret.length % 4 !== 0) throw new Error("padding");
    length = atob(secret).length;
  } catch {
    return [invalidValue(path, "REDACTED", "secrets must be base64 encoded")];
  }
  if (sizes.includes(length)) return [];
  const text = `secret is not of the expected length, got ${length}, expected one of [${sizes.join(" ")}]`;
  return [invalidValue(path, "REDACTED", text)];
}

function validateKms(kms: KmsDocument, path: FieldPath, names: Set<string>): FieldError[] {
  const { apiVersion = "v1", name = "", endpoint = "", timeout = usualKmsTimeout } = kms;
  const errors: FieldError[] = [];
  const say = (field: string, value: unknown, text: string): void => {
    errors.push(invalidValue(path.child(field), value, text));
  };
  if (name === "") {
    errors.push(required(path.child("name"), "name is a mandatory field for a provider"));
  }
  if (apiVersion !== "v1" && name.includes(":")) {
    say("name", name, `invalid KMS provider name ${name}, must not contain ':'`);
  }
  if (names.has(name)) {
    say("name", name, `duplicate KMS provider name ${name}, names must be unique`);
  }
  names.add(name);
  if ((parseGoDurationMs(timeout) ?? 0) <= 0) {
    say("timeout", timeout, "timeout should be a positive value");
  }
  const [scheme = ""] = /^[a-zA-Z][a-zA-Z0-9+.-]*(?=:)/u.exec(endpoint) ?? [];
  if (endpoint === "") say("endpoint", "", "endpoint is a mandatory field for a kms");
  else if (scheme !== "unix") {
    const text = `unsupported scheme "${scheme}" for KMS provider, only unix is supported`;
    say("endpoint", endpoint, text);
  }
  if (apiVersion !== "v1" && kms.cachesize !== undefined) {
    say("cachesize", kms.cachesize, "cachesize is not supported in v2");
  }
  if (apiVersion !== "v1" && apiVersion !== "v2") {
    const text = "unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported";
    say("apiVersion", apiVersion, text);
  }
  return errors;
}
