/**
 * A KMS v2 plugin: it keeps the key, this keeps a seed that the plugin sealed, and seals with that.
 *
 * The plugin is asked how it is once a minute, every ten seconds while it fails. Its key id is that
 * of the seed; when it changes, a new seed is made and what the old one sealed is stale. Reads go
 * on while the plugin is down; writes for three minutes after it was last well.
 *
 * Errors  those of `seal` are 500, worded as upstream's
 * Source  apiserver pkg/server/options/encryptionconfig/config.go (kmsv2PluginProbe),
 *         pkg/storage/value/encrypt/envelope/kmsv2/envelope.go
 */
import { createHash, randomBytes } from "node:crypto";
import { type Clock, internalError, type Log, quoteGo, sleep } from "@nanokube/machinery";
import { type Channel, type Client, createClient, dial, RpcError } from "@nanokube/rpc";
import { KeyManagementService, type StatusResponse } from "@nanokube/rpc/kms";
import type { KmsSettings } from "../../core/encryption/encryption-configuration.ts";
import type { KmsCipher } from "../../core/encryption/sealer.ts";
import {
  checkObject,
  EncryptedObject,
  keyIDProblem,
  openWith,
  sealWithSeed,
  seedBytes,
  seedType,
  sourceName,
} from "./encrypted-object.ts";

const wellEveryMs = 60_000;
const illEveryMs = 10_000;
const writesForMs = 3 * 60_000;
/** How long an answer of the plugin counts for health checks. */
const wellForMs = 20_000;
const illForMs = 3_000;

interface State {
  seed: Uint8Array;
  /** What values carry besides their data. */
  envelope: Omit<EncryptedObject, "encryptedData">;
  expiresMs: number;
}

const hashOf = (keyID: string): string =>
  keyID === "" ? "" : `sha256:${createHash("sha256").update(keyID).digest("hex")}`;

const goCodes = [
  ..."OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists".split(" "),
  ..."PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange".split(" "),
  ..."Unimplemented Internal Unavailable DataLoss Unauthenticated".split(" "),
];

function said(error: unknown): string {
  if (!(error instanceof RpcError)) return (error as Error).message;
  return `rpc error: code = ${goCodes[error.code] ?? error.code} desc = ${error.details}`;
}

const second = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

export interface KmsTools {
  clock: Clock;
  log: Log;
  /** What was sealed until now would be sealed otherwise. */
  onRotated(): void;
}

export class KmsProvider implements KmsCipher {
  readonly name: string;
  readonly timeoutMs: number;
  readonly #channel: Channel;
  readonly #plugin: Client<typeof KeyManagementService>;
  readonly #tools: KmsTools;
  readonly #stop = new AbortController();
  /** Decrypted sources by name. */
  readonly #sources = new Map<string, Uint8Array>();
  readonly #coming = new Map<string, Promise<void>>();
  /** Sources that the plugin would not decrypt, and why. */
  readonly #refused = new Map<string, { object: EncryptedObject; why: string }>();
  #state: State | undefined;
  #version = "";
  #last: { problem: string | undefined; untilMs: number } | undefined;
  #checking: Promise<string | undefined> | undefined;

  constructor({ name, endpoint, timeoutMs }: KmsSettings, tools: KmsTools) {
    this.name = name;
    this.timeoutMs = timeoutMs;
    this.#tools = tools;
    this.#channel = dial(endpoint);
    this.#plugin = createClient(this.#channel, KeyManagementService);
  }

  /** Asks once, then goes on asking. */
  async start(): Promise<void> {
    const problem = await this.check();
    void this.#follow(problem !== undefined);
  }

  close(): void {
    this.#stop.abort();
    this.#channel.close();
  }

  async #follow(isIll: boolean): Promise<void> {
    let ill = isIll;
    for (;;) {
      try {
        await sleep(this.#tools.clock, ill ? illEveryMs : wellEveryMs, this.#stop.signal);
      } catch {
        return;
      }
      const problem = await this.check();
      ill = problem !== undefined;
      if (!ill) await this.#askAgain();
    }
  }

  /** What is wrong with the plugin; an answer counts for a while. */
  check(): Promise<string | undefined> {
    const last = this.#last;
    if (last !== undefined && this.#tools.clock.now() < last.untilMs) {
      return Promise.resolve(last.problem);
    }
    this.#checking ??= this.#ask().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #ask(): Promise<string | undefined> {
    const { clock, log } = this.#tools;
    let problem: string | undefined;
    try {
      problem = await this.#look(await this.#plugin.status({}, this.#call()));
    } catch (error) {
      const section = `status section of the healthz check for KMS Provider ${this.name}`;
      problem = `failed to perform ${section}, error: ${said(error)}`;
    }
    const forMs = problem === undefined ? wellForMs : illForMs;
    this.#last = { problem, untilMs: clock.now() + forMs };
    if (problem !== undefined) log.error({ name: this.name, problem }, "kms plugin is not well");
    return problem;
  }

  #call(): { timeoutMs: number; waitForReady: boolean } {
    return { timeoutMs: this.timeoutMs, waitForReady: true };
  }

  async #look({ version, healthz, keyId }: StatusResponse): Promise<string | undefined> {
    const problems: string[] = [];
    if (healthz !== "ok") problems.push(`got unexpected healthz status: ${healthz}`);
    if (version !== "v2" && version !== "v2beta1") {
      problems.push(`expected KMSv2 API version v2, got ${version}`);
    } else {
      this.#version ||= version;
      if (this.#version !== version) {
        const first = `the initial status response version ${this.#version}`;
        problems.push(`KMSv2 API version should not change after ${first}, got ${version}`);
      }
    }
    const ofKey = keyIDProblem(keyId);
    if (ofKey !== undefined) {
      problems.push(`got invalid KMSv2 KeyID hash ${quoteGo(hashOf(keyId))}: ${ofKey}`);
    } else {
      const ofRotation = await this.#rotate(keyId);
      if (ofRotation !== undefined) problems.push(ofRotation);
    }
    if (problems.length === 0) return undefined;
    const all = problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`;
    return `kmsv2 Provider ${this.name} is not healthy, error: ${all}`;
  }

  async #rotate(keyId: string): Promise<string | undefined> {
    const { clock } = this.#tools;
    const state = this.#state;
    const expiresMs = clock.now() + writesForMs;
    if (state?.envelope.keyID === keyId) {
      state.expiresMs = expiresMs;
      return undefined;
    }
    const uid = crypto.randomUUID();
    let keyID = "";
    let why = "<nil>";
    try {
      const seed = randomBytes(seedBytes);
      const made = await this.#newState(seed, uid, expiresMs);
      keyID = made.envelope.keyID;
      if (keyID === keyId) {
        this.#state = made;
        if (state !== undefined) this.#tools.onRotated();
        return undefined;
      }
    } catch (error) {
      why = said(error);
    }
    const errState = state === undefined ? "got unexpected nil transformer" : "<nil>";
    const old = state?.envelope.keyID ?? "";
    const until = state === undefined ? "0001-01-01T00:00:00Z" : second(state.expiresMs);
    return [
      `failed to rotate DEK uid=${quoteGo(uid)}, useSeed=true, errState=${errState}, errGen=${why}`,
      `statusKeyIDHash=${quoteGo(hashOf(keyId))}, encryptKeyIDHash=${quoteGo(hashOf(keyID))}`,
      `stateKeyIDHash=${quoteGo(hashOf(old))}, expirationTimestamp=${until}`,
    ].join(", ");
  }

  async #newState(seed: Uint8Array, uid: string, expiresMs: number): Promise<State> {
    const answer = await this.#plugin
      .encrypt({ plaintext: seed, uid }, this.#call())
      .catch((error: unknown) => {
        throw new Error(`failed to encrypt DEK, error: ${said(error)}`);
      });
    const envelope = {
      keyID: answer.keyId,
      encryptedDEKSource: answer.ciphertext.slice(),
      annotations: copied(answer.annotations),
      encryptedDEKSourceType: seedType,
    };
    const whole = checkObject({ ...envelope, encryptedData: Uint8Array.of(0) });
    this.#sources.set(sourceName(whole), seed);
    return { seed, envelope, expiresMs };
  }

  seal(plain: Uint8Array, key: Uint8Array): Uint8Array {
    const state = this.#state;
    if (state === undefined) throw internalError("got unexpected nil transformer");
    const nowMs = this.#tools.clock.now();
    if (nowMs > state.expiresMs) {
      const hash = quoteGo(hashOf(state.envelope.keyID));
      const times = `${second(state.expiresMs)} (current time is ${second(nowMs)})`;
      throw internalError(`encryptedDEKSource with keyID hash ${hash} expired at ${times}`);
    }
    const encryptedData = sealWithSeed(state.seed, plain, key);
    return EncryptedObject.encode({ ...state.envelope, encryptedData });
  }

  open(sealed: Uint8Array, key: Uint8Array): Uint8Array {
    const object = checkObject(EncryptedObject.decode(sealed));
    const name = sourceName(object);
    const source = this.#sources.get(name);
    if (source === undefined) {
      const why = this.#refused.get(name)?.why ?? "it was not asked for";
      throw new Error(`failed to decrypt DEK, error: ${why}`);
    }
    return openWith(source, object.encryptedDEKSourceType, object.encryptedData, key);
  }

  isStale(sealed: Uint8Array): boolean {
    const { keyID, encryptedDEKSourceType } = EncryptedObject.decode(sealed);
    return keyID !== this.#state?.envelope.keyID || encryptedDEKSourceType !== seedType;
  }

  prepare(sealed: Uint8Array): Promise<void> | undefined {
    let object: EncryptedObject;
    try {
      object = checkObject(EncryptedObject.decode(sealed));
    } catch {
      return undefined; // `open` says why.
    }
    const name = sourceName(object);
    if (this.#sources.has(name)) return undefined;
    return this.#fetch(name, object);
  }

  #fetch(name: string, object: EncryptedObject): Promise<void> {
    let coming = this.#coming.get(name);
    if (coming === undefined) {
      coming = this.#decrypt(name, object).finally(() => this.#coming.delete(name));
      this.#coming.set(name, coming);
    }
    return coming;
  }

  async #decrypt(name: string, object: EncryptedObject): Promise<void> {
    const { encryptedDEKSource, keyID, annotations } = object;
    const request = {
      ciphertext: encryptedDEKSource.slice(),
      uid: crypto.randomUUID(),
      keyId: keyID,
      annotations: copied(annotations),
    };
    try {
      const { plaintext } = await this.#plugin.decrypt(request, this.#call());
      this.#sources.set(name, plaintext.slice());
      this.#refused.delete(name);
    } catch (error) {
      const kept = { ...object, ...request, encryptedDEKSource: request.ciphertext };
      this.#refused.set(name, { object: kept, why: said(error) });
    }
  }

  /** What could not be read while the plugin was ill. */
  async #askAgain(): Promise<void> {
    for (const [name, { object }] of [...this.#refused]) await this.#fetch(name, object);
  }
}

/** Bytes of a message are views on all that was received with them. */
function copied(annotations: Record<string, Uint8Array>): Record<string, Uint8Array> {
  return Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [key, value.slice()]),
  );
}
