/**
 * Service account tokens bound to a pod: asked for once, kept, renewed before they end.
 *
 * Units   a token is renewed when 80 % of its life is over, or after 24 hours
 * Source  pkg/kubelet/token/token_manager.go
 */
import type { Client } from "@nanokube/client";
import type { Clock } from "@nanokube/machinery";

interface TokenRequest {
  apiVersion: string;
  kind: string;
  metadata?: { name?: string };
  spec: {
    audiences: string[];
    expirationSeconds: number;
    boundObjectRef: { apiVersion: string; kind: string; name: string; uid: string };
  };
  status?: { token?: string; expirationTimestamp?: string };
}

export interface TokenKey {
  namespace: string;
  serviceAccount: string;
  audience: string | undefined;
  expirationSeconds: number;
  podName: string;
  podUID: string;
}

interface CachedToken {
  token: string;
  renewAtMs: number;
  expiresAtMs: number;
}

const DAY_MS = 24 * 3600 * 1000;

export class TokenManager {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #cache = new Map<string, CachedToken>();

  constructor(options: { client: Client; clock: Clock }) {
    this.#client = options.client;
    this.#clock = options.clock;
  }

  async #request(key: TokenKey): Promise<CachedToken> {
    const accounts = this.#client
      .resource({ group: "", version: "v1", plural: "serviceaccounts", namespaced: true })
      .namespace(key.namespace);
    const body: TokenRequest = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        audiences: key.audience === undefined ? [] : [key.audience],
        expirationSeconds: key.expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name: key.podName, uid: key.podUID },
      },
    };
    const answer = await accounts.createSubresource<TokenRequest>(
      key.serviceAccount,
      "token",
      body,
    );
    const now = this.#clock.now();
    const expiresAtMs = Date.parse(answer.status?.expirationTimestamp ?? "");
    const lifeMs = expiresAtMs - now;
    return {
      token: answer.status?.token ?? "",
      expiresAtMs,
      renewAtMs: now + Math.min(lifeMs * 0.8, DAY_MS),
    };
  }

  async get(key: TokenKey): Promise<{ token: string; renewAtMs: number }> {
    const id = JSON.stringify([
      key.podUID,
      key.namespace,
      key.serviceAccount,
      key.audience ?? null,
      key.expirationSeconds,
    ]);
    const cached = this.#cache.get(id);
    const now = this.#clock.now();
    if (cached !== undefined && now < cached.renewAtMs) return cached;
    try {
      const fresh = await this.#request(key);
      this.#cache.set(id, fresh);
      return fresh;
    } catch (error) {
      // The old one is good until it ends; asking again a little later does no harm.
      if (cached !== undefined && now < cached.expiresAtMs) {
        return { token: cached.token, renewAtMs: now + 10_000 };
      }
      throw error;
    }
  }

  forget(podUID: string): void {
    const prefix = `["${podUID}"`;
    for (const id of this.#cache.keys()) if (id.startsWith(prefix)) this.#cache.delete(id);
  }
}
