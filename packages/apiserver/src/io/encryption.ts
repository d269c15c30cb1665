/**
 * Encryption at rest: the configuration file, read again when it changes, and a sealer for each
 * resource.
 *
 * Errors  at start a configuration that is wrong ends the server; later the old one stays
 * Source  apiserver pkg/server/options/encryptionconfig/{config,controller/controller}.go
 */
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { type Log, parseYAML } from "@nanokube/machinery";
import {
  type EncryptedResources,
  providersOf,
  readEncryptionConfiguration,
} from "../core/encryption/encryption-configuration.ts";
import { createSealer, type Sealer } from "../core/encryption/sealer.ts";
import { groupResourceOfPrefix } from "../core/storage/keys.ts";
import { cipherOf } from "./ciphers.ts";

const lookEveryMs = 5_000;
const nothing: Sealer = createSealer([{ type: "identity" }], cipherOf);

export interface EncryptionOptions {
  path: string;
  /** Follow the file (--encryption-provider-config-automatic-reload). */
  reload: boolean;
}

export class Encryption {
  readonly #options: EncryptionOptions;
  #configuration: EncryptedResources[];
  #sealers = new Map<string, Sealer>();

  /** @throws Error with the complaints, one a line */
  constructor(options: EncryptionOptions) {
    this.#options = options;
    this.#configuration = read(options.path);
  }

  /** Of the resource whose keys begin with `prefix`. */
  sealerOf(prefix: string): Sealer {
    let sealer = this.#sealers.get(prefix);
    if (sealer === undefined) {
      const { group, plural } = groupResourceOfPrefix(prefix);
      const providers = providersOf(this.#configuration, group, plural);
      sealer = providers === undefined ? nothing : createSealer(providers, cipherOf);
      this.#sealers.set(prefix, sealer);
    }
    return sealer;
  }

  follow(log: Log, signal: AbortSignal): void {
    const { path, reload } = this.#options;
    if (!reload) return;
    const onChange = (): void => {
      try {
        this.#configuration = read(path);
        this.#sealers = new Map();
        log.info({ path }, "encryption configuration read again");
      } catch (error) {
        log.error(
          { path, error: String(error) },
          "encryption configuration is wrong: the old one stays",
        );
      }
    };
    watchFile(path, { interval: lookEveryMs, persistent: false }, onChange);
    signal.addEventListener("abort", () => unwatchFile(path, onChange), { once: true });
  }
}

function read(path: string): EncryptedResources[] {
  const complaints: string[] = [];
  const found = readEncryptionConfiguration(parseYAML(readFileSync(path, "utf8")), complaints);
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
  return found;
}
