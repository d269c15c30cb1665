/**
 * Encryption at rest: the configuration file, read again when it changes, and a sealer for each
 * resource.
 *
 * Errors  at start a configuration that is wrong ends the server; later the old one stays, also
 *         while a plugin of the new one is not well
 * Source  apiserver pkg/server/options/encryptionconfig/{config,controller/controller}.go
 */
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { type Clock, type Log, parseYAML, sleep } from "@nanokube/machinery";
import {
  type EncryptedResources,
  type KeySettings,
  type KmsSettings,
  providersOf,
  readEncryptionConfiguration,
} from "../core/encryption/encryption-configuration.ts";
import { type Cipher, createSealer, kmsNameOf, type Sealer } from "../core/encryption/sealer.ts";
import { groupResourceOfPrefix } from "../core/storage/keys.ts";
import { cipherOf } from "./ciphers.ts";
import type { KmsProvider } from "./kms/kms-provider.ts";

const lookEveryMs = 1_000;

export interface EncryptionOptions {
  path: string;
  /** Follow the file (--encryption-provider-config-automatic-reload). */
  reload: boolean;
}

export interface EncryptionTools {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** What is in the store would be sealed otherwise now. */
  onRotated(): void;
}

type Providers = ReadonlyMap<string, KmsProvider>;

export class Encryption {
  readonly #options: EncryptionOptions;
  #text: string;
  #configuration: EncryptedResources[];
  #kms: Providers = new Map();
  #sealers = new Map<string, Sealer>();

  /** @throws Error, worded as upstream's */
  constructor(options: EncryptionOptions) {
    this.#options = options;
    this.#text = readFileSync(options.path, "utf8");
    this.#configuration = readEncryptionConfiguration(parseYAML(this.#text), options.path);
  }

  /** Starts the plugins' clients and follows the file; resolves when each was asked once. */
  async open(tools: EncryptionTools): Promise<void> {
    this.#kms = await startKms(this.#configuration, tools);
    tools.signal.addEventListener("abort", () => this.#close(this.#kms), { once: true });
    if (this.#options.reload) this.#follow(tools);
  }

  /** Of the resource whose keys begin with `prefix`. */
  sealerOf(prefix: string): Sealer {
    let sealer = this.#sealers.get(prefix);
    if (sealer === undefined) {
      const { group, plural } = groupResourceOfPrefix(prefix);
      const providers = providersOf(this.#configuration, group, plural);
      const kms = this.#kms;
      sealer = createSealer(providers ?? [{ type: "identity" }], (settings) =>
        cipherFrom(kms, settings),
      );
      this.#sealers.set(prefix, sealer);
    }
    return sealer;
  }

  /** Asks plugins for what these values need; undefined when nothing has to be asked. */
  prepare(values: Iterable<Uint8Array>): Promise<unknown> | undefined {
    if (this.#kms.size === 0) return undefined;
    const asked = new Set<Promise<void>>();
    for (const value of values) {
      const { name, sealed } = kmsNameOf(value) ?? {};
      const coming = sealed && this.#kms.get(name ?? "")?.prepare(sealed);
      if (coming !== undefined) asked.add(coming);
    }
    return asked.size === 0 ? undefined : Promise.all(asked);
  }

  /** Whether there is a check called kms-providers at all. */
  get hasHealth(): boolean {
    return this.#options.reload || this.#kms.size > 0;
  }

  health(): Promise<string | undefined> {
    return healthOf(this.#kms);
  }

  #follow(tools: EncryptionTools): void {
    const { path } = this.#options;
    let turn: Promise<void> = Promise.resolve();
    const onChange = (): void => {
      turn = turn.then(() => this.#readAgain(tools));
    };
    watchFile(path, { interval: lookEveryMs, persistent: false }, onChange);
    tools.signal.addEventListener("abort", () => unwatchFile(path, onChange), { once: true });
  }

  async #readAgain(tools: EncryptionTools): Promise<void> {
    const { path } = this.#options;
    const { log } = tools;
    let kms: Providers | undefined;
    try {
      const text = readFileSync(path, "utf8");
      if (text === this.#text) return;
      const configuration = readEncryptionConfiguration(parseYAML(text), path);
      kms = await startKms(configuration, tools);
      const problem = await healthOf(kms);
      if (problem !== undefined) throw new Error(problem);
      const old = this.#kms;
      this.#text = text;
      this.#configuration = configuration;
      this.#kms = kms;
      this.#sealers = new Map();
      tools.onRotated();
      void this.#closeLater(old, tools);
      log.info({ path }, "encryption configuration read again");
    } catch (error) {
      if (kms !== undefined) this.#close(kms);
      const why = String(error);
      log.error({ path, error: why }, "encryption configuration is wrong: the old one stays");
    }
  }

  /** Requests may still wait for the old plugins. */
  async #closeLater(kms: Providers, { clock, signal }: EncryptionTools): Promise<void> {
    let graceMs = 0;
    for (const { timeoutMs } of kms.values()) graceMs += 2 * timeoutMs;
    await sleep(clock, graceMs, signal).catch(() => undefined);
    this.#close(kms);
  }

  #close(kms: Providers): void {
    for (const provider of kms.values()) provider.close();
  }
}

function cipherFrom(kms: Providers, settings: KeySettings | KmsSettings): Cipher {
  if (settings.type !== "kms") return cipherOf(settings);
  const provider = kms.get(settings.name);
  if (provider === undefined) throw new Error(`KMS provider ${settings.name} is not started`);
  return provider;
}

async function healthOf(kms: Providers): Promise<string | undefined> {
  const problems: string[] = [];
  for (const [i, provider] of [...kms.values()].entries()) {
    const problem = await provider.check();
    if (problem !== undefined) problems.push(`kms-provider-${i}: ${problem}`);
  }
  if (problems.length === 0) return undefined;
  return problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`;
}

/** What speaks to plugins is loaded when there are some. */
async function startKms(
  configuration: readonly EncryptedResources[],
  tools: EncryptionTools,
): Promise<Providers> {
  const all = configuration.flatMap(({ providers }) => providers);
  const settings = all.filter((one): one is KmsSettings => one.type === "kms");
  if (settings.length === 0) return new Map();
  const { KmsProvider } = await import("./kms/kms-provider.ts");
  const found = settings.map((one) => new KmsProvider(one, tools));
  await Promise.all(found.map((provider) => provider.start()));
  return new Map(found.map((provider) => [provider.name, provider]));
}
