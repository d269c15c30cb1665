/**
 * JSON Web Tokens as auth tokens: `--auth-token jwt,sign-method=RS256,priv-key=FILE,pub-key=FILE,ttl=5m`.
 *
 * Claims  username, revision (of the auth store when the password was checked), exp
 * Errors  InvalidAuthToken; VerifyOnly when there is no private key; FlagError for wrong options
 * Source  etcd v3.6 server/auth/jwt.go, options.go
 */
import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Clock } from "@nanokube/machinery";
import { parseGoDurationMs } from "@nanokube/machinery/duration";
import type { Identity } from "../core/auth/auth-store.ts";
import { EtcdError } from "../core/errors.ts";
import { FlagError } from "../core/flags.ts";

export interface WebTokens {
  sign(who: Identity): Promise<string>;
  verify(token: string): Identity | Promise<Identity>;
}

const methods = /^(HS|RS|PS|ES)(256|384|512)$|^EdDSA$/;
const defaultLifeMs = 300_000;
const knownMax = 1000;

/** Undefined for simple tokens. */
export function createWebTokens(option: string, clock: Clock): WebTokens | undefined {
  const [kind, ...pairs] = option.split(",");
  const settings = parsePairs(pairs);
  if (kind === "simple") return undefined;
  if (kind !== "jwt") throw invalidOptions();
  const method = settings.get("sign-method") ?? "";
  const ttl = settings.get("ttl") ?? "";
  const lifeMs = ttl === "" ? defaultLifeMs : parseGoDurationMs(ttl);
  if (!methods.test(method) || lifeMs === undefined) throw invalidOptions();
  const keys = readKeys(method, settings);
  return new SignedTokens({ ...keys, method, lifeMs, clock });
}

function parsePairs(pairs: readonly string[]): Map<string, string> {
  const settings = new Map<string, string>();
  for (const pair of pairs) {
    const parts = pair.split("=");
    if (parts.length !== 2 || settings.has(parts[0]!)) throw invalidOptions();
    settings.set(parts[0]!, parts[1]!);
  }
  return settings;
}

const invalidOptions = () => new FlagError("auth: invalid auth options");

interface Keys {
  readonly signing: KeyObject | undefined;
  readonly verifying: KeyObject;
}

function readKeys(method: string, settings: ReadonlyMap<string, string>): Keys {
  const read = (name: string) => {
    const file = settings.get(name) ?? "";
    if (file === "") return undefined;
    try {
      return readFileSync(file);
    } catch {
      throw invalidOptions();
    }
  };
  const [secret, open] = [read("priv-key"), read("pub-key")];
  if (secret === undefined && (open === undefined || method.startsWith("HS"))) {
    throw new FlagError("auth: missing key data");
  }
  if (method.startsWith("HS")) {
    const key = createSecretKey(secret!);
    return { signing: key, verifying: key };
  }
  const signing = secret === undefined ? undefined : createPrivateKey(secret);
  const derived = signing === undefined ? undefined : createPublicKey(signing);
  const given = open === undefined ? undefined : createPublicKey(open);
  if (derived !== undefined && given !== undefined && !derived.equals(given)) {
    throw new FlagError("auth: public and private keys don't match");
  }
  return { signing, verifying: (derived ?? given)! };
}

interface Settings extends Keys {
  readonly method: string;
  readonly lifeMs: number;
  readonly clock: Clock;
}

interface Known {
  readonly who: Identity;
  readonly expiryMs: number;
}

class SignedTokens implements WebTokens {
  readonly #settings: Settings;
  /** A token says the same as long as it is valid: its signature is looked at once. */
  readonly #known = new Map<string, Known>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async sign({ username, revision }: Identity): Promise<string> {
    const { signing, method, lifeMs, clock } = this.#settings;
    if (signing === undefined) throw new EtcdError("VerifyOnly");
    const { SignJWT } = await import("jose"); // Few members need it, and none before this.
    return new SignJWT({ username, revision })
      .setProtectedHeader({ alg: method, typ: "JWT" })
      .setExpirationTime(Math.floor((clock.now() + lifeMs) / 1000))
      .sign(signing);
  }

  verify(token: string): Identity | Promise<Identity> {
    const found = this.#known.get(token);
    if (found === undefined) return this.#check(token);
    if (found.expiryMs > this.#settings.clock.now()) return found.who;
    this.#known.delete(token);
    throw new EtcdError("InvalidAuthToken");
  }

  async #check(token: string): Promise<Identity> {
    const { verifying, method, clock } = this.#settings;
    try {
      const currentDate = new Date(clock.now());
      const options = { algorithms: [method], currentDate };
      const { jwtVerify } = await import("jose");
      const { username, revision, exp } = (await jwtVerify(token, verifying, options)).payload;
      if (typeof username !== "string" || typeof revision !== "number") throw new Error("claims");
      const who = { username, revision };
      if (this.#known.size >= knownMax) this.#known.clear();
      const expiryMs = exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000;
      this.#known.set(token, { who, expiryMs });
      return who;
    } catch {
      throw new EtcdError("InvalidAuthToken");
    }
  }
}
