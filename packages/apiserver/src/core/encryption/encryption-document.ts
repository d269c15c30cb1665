/** EncryptionConfiguration as it stands in its file; all of it may be absent. */
export type KeyedProvider = "aescbc" | "aesgcm" | "secretbox";

export interface KmsDocument {
  apiVersion?: string;
  name?: string;
  endpoint?: string;
  timeout?: string;
  cachesize?: number;
}

interface KeysDocument {
  keys?: { name?: string; secret?: string }[];
}

export type ProviderDocument = Partial<Record<KeyedProvider, KeysDocument | null>> & {
  identity?: object | null;
  kms?: KmsDocument | null;
};

export interface EncryptionDocument {
  apiVersion?: string;
  kind?: string;
  resources?: { resources?: string[]; providers?: ProviderDocument[] }[];
}

export const usualKmsTimeout = "3s";
