/**
 * Which service-account tokens are used: counters of /metrics, and the day on which a legacy
 * token's secret says that it was used last.
 *
 * Shapes  label kubernetes.io/legacy-token-last-used: "2026-11-21"
 * Source  pkg/serviceaccount/{legacy,metrics}.go
 */
import type { Clock, KubeObject } from "@nanokube/machinery";

const counters = {
  stale: ["stale_tokens_total", "Cumulative stale projected service account tokens used"],
  valid: ["valid_tokens_total", "Cumulative valid projected service account tokens used"],
  legacy: ["legacy_tokens_total", "Cumulative legacy service account tokens used"],
  manual: ["legacy_manual_token_uses_total", "Cumulative manually created legacy tokens used"],
  automatic: ["legacy_auto_token_uses_total", "Cumulative auto-generated legacy tokens used"],
  invalid: [
    "invalid_legacy_auto_token_uses_total",
    "Cumulative invalid auto-generated legacy tokens used",
  ],
} as const;

export type TokenUse = keyof typeof counters;

/** Writes a label of a secret. */
export type SecretLabeller = (
  secret: KubeObject,
  labels: Record<string, string>,
) => Promise<unknown>;

const lastUsed = "kubernetes.io/legacy-token-last-used";
const dayMs = 24 * 60 * 60 * 1000;

export class TokenUses {
  readonly #counts = new Map<TokenUse, number>();
  readonly #clock: Clock;
  readonly #label: SecretLabeller | undefined;
  /** Those whose label is being written. */
  readonly #writing = new Set<string>();

  constructor(clock: Clock, label?: SecretLabeller) {
    this.#clock = clock;
    this.#label = label;
  }

  count(use: TokenUse): void {
    this.#counts.set(use, (this.#counts.get(use) ?? 0) + 1);
  }

  /** Once a day: whoever uses the token does not wait for it. */
  usedToday(secret: KubeObject): void {
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    const now = this.#clock.now();
    const known = secret.metadata?.labels?.[lastUsed];
    if (known === day(now) || known === day(now + dayMs)) return;
    const uid = secret.metadata?.uid ?? "";
    if (this.#writing.has(uid)) return;
    this.#writing.add(uid);
    const written = this.#label?.(secret, { [lastUsed]: day(now) }) ?? Promise.resolve();
    // Tried again with the next use.
    void written.catch(() => undefined).finally(() => this.#writing.delete(uid));
  }

  lines(): string[] {
    return Object.entries(counters).flatMap(([use, [name, help]]) => {
      const whole = `serviceaccount_${name}`;
      const count = this.#counts.get(use as TokenUse) ?? 0;
      return [`# HELP ${whole} [ALPHA] ${help}`, `# TYPE ${whole} counter`, `${whole} ${count}`];
    });
  }
}
