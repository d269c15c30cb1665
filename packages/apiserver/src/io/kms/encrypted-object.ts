/**
 * What the store holds of a value sealed under a KMS v2 plugin's key.
 *
 * Shapes  type 1: the source, decrypted, is a seed; HKDF-SHA256 (expand only) of it and of the
 *         first 32 bytes of the data is the key of AES-256-GCM for the rest
 *         type 0: the source, decrypted, is the key of AES-GCM itself
 *         the rest: nonce (12), the value with its etcd key authenticated, tag (16)
 * Source  apiserver pkg/storage/value/encrypt/envelope/kmsv2/{v2/api.proto,envelope.go},
 *         encrypt/aes/aes_extended_nonce.go
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { type MessageCodec, message } from "@nanokube/rpc";
import { dns1123Subdomain } from "../../resources/names.ts";
import { cipherOf } from "../ciphers.ts";

export interface EncryptedObject {
  encryptedData: Uint8Array;
  keyID: string;
  encryptedDEKSource: Uint8Array;
  annotations: Record<string, Uint8Array>;
  encryptedDEKSourceType: number;
}

export const EncryptedObject: MessageCodec<EncryptedObject> = message(
  "v2.EncryptedObject",
  "encryptedData:1:bytes keyID:2:string encryptedDEKSource:3:bytes annotations:4:%string,bytes encryptedDEKSourceType:5:int32",
);

export const seedType = 1;
export const seedBytes = 32;
const infoBytes = 32;
const sourceMaxBytes = 1024;
const keyIDMaxBytes = 1024;
const annotationsMaxBytes = 32 * 1024;

/** What is wrong with a key id, if anything. */
export function keyIDProblem(keyID: string): string | undefined {
  const size = Buffer.byteLength(keyID);
  if (size === 0) return "keyID is empty";
  if (size <= keyIDMaxBytes) return undefined;
  return `keyID is ${size} bytes, which exceeds the max size of ${keyIDMaxBytes}`;
}

/** @throws Error, worded as upstream's */
export function checkObject(object: EncryptedObject): EncryptedObject {
  const { encryptedDEKSourceType: type, encryptedDEKSource: source } = object;
  if (type !== 0 && type !== seedType) throw new Error(`unknown encryptedDEKSourceType: ${type}`);
  if (object.encryptedData.length === 0) throw new Error("encrypted data is empty");
  const ofSource = "failed to validate encrypted DEK source: encrypted DEK source is";
  if (source.length === 0) throw new Error(`${ofSource} empty`);
  if (source.length > sourceMaxBytes) {
    const size = `${source.length} bytes, which exceeds the max size of ${sourceMaxBytes}`;
    throw new Error(`${ofSource} ${size}`);
  }
  const ofKey = keyIDProblem(object.keyID);
  if (ofKey !== undefined) throw new Error(`failed to validate key id: ${ofKey}`);
  checkAnnotations(object.annotations);
  return object;
}

function domainProblems(name: string): string[] {
  const bare = name.replace(/\.$/u, "");
  const problems = dns1123Subdomain(bare, false);
  if (problems.length > 0) return [problems.join(",")];
  const few = "should be a domain with at least two segments separated by dots";
  return bare.includes(".") ? [] : [few];
}

function checkAnnotations(annotations: Record<string, Uint8Array>): void {
  const problems: string[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    for (const why of domainProblems(key)) {
      problems.push(`annotations: Invalid value: ${JSON.stringify(key)}: ${why}`);
    }
    size += Buffer.byteLength(key) + value.length;
  }
  if (size > annotationsMaxBytes) {
    const max = `exceeds the max size of ${annotationsMaxBytes}`;
    problems.push(`total size of annotations is ${size}, which ${max}`);
  }
  if (problems.length === 0) return;
  const all = problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`;
  throw new Error(`failed to validate annotations: ${all}`);
}

/** One source of keys: who has decrypted it once need not again. */
export function sourceName(object: EncryptedObject): string {
  const { encryptedDEKSourceType: type, encryptedDEKSource: source, keyID, annotations } = object;
  const hash = createHash("sha256").update(`${type} ${source.length} `).update(source);
  hash.update(`${Buffer.byteLength(keyID)} ${keyID}`);
  for (const key of Object.keys(annotations).sort()) {
    const value = annotations[key]!;
    hash.update(` ${Buffer.byteLength(key)} ${key} ${value.length} `).update(value);
  }
  return hash.digest("base64");
}

const derived = (seed: Uint8Array, info: Uint8Array): Uint8Array =>
  createHmac("sha256", seed).update(info).update(Uint8Array.of(1)).digest();

const gcm = (key: Uint8Array) => cipherOf({ type: "aesgcm", keyName: "", key });

/** A key of its own for every value. */
export function sealWithSeed(
  seed: Uint8Array,
  plain: Uint8Array,
  authenticated: Uint8Array,
): Uint8Array {
  const info = randomBytes(infoBytes);
  return Buffer.concat([info, gcm(derived(seed, info)).seal(plain, authenticated)]);
}

export function openWith(
  source: Uint8Array,
  type: number,
  data: Uint8Array,
  authenticated: Uint8Array,
): Uint8Array {
  if (type !== seedType) return gcm(source).open(data, authenticated);
  if (source.length < seedBytes) {
    throw new Error(`invalid seed length ${source.length} used for key generation`);
  }
  if (data.length < infoBytes) {
    throw new Error("the stored data was shorter than the required size");
  }
  const key = derived(source, data.subarray(0, infoBytes));
  return gcm(key).open(data.subarray(infoBytes), authenticated);
}
