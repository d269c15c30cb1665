/**
 * Simple tokens: random text that stands for a user until it was not used for a while.
 *
 * Not in snapshots: after a restart clients authenticate again, as with etcd.
 * Source  etcd v3.6 server/auth/simple_token.go
 */

interface Token {
  readonly username: string;
  expiryMs: number;
}

const defaultLifeMs = 300_000;
const sweepEvery = 256;

export class SimpleTokens {
  lifeMs = defaultLifeMs;
  readonly #tokens = new Map<string, Token>();

  assign(token: string, username: string, nowMs: number): void {
    if (this.#tokens.size % sweepEvery === sweepEvery - 1) this.#sweep(nowMs);
    this.#tokens.set(token, { username, expiryMs: nowMs + this.lifeMs });
  }

  /** Whose token it is; using it prolongs its life. */
  use(token: string, nowMs: number): string | undefined {
    const found = this.#tokens.get(token);
    if (found === undefined || found.expiryMs <= nowMs) return undefined;
    found.expiryMs = nowMs + this.lifeMs;
    return found.username;
  }

  forgetUser(username: string): void {
    for (const [token, found] of this.#tokens) {
      if (found.username === username) this.#tokens.delete(token);
    }
  }

  clear(): void {
    this.#tokens.clear();
  }

  #sweep(nowMs: number): void {
    for (const [token, { expiryMs }] of this.#tokens) {
      if (expiryMs <= nowMs) this.#tokens.delete(token);
    }
  }
}
