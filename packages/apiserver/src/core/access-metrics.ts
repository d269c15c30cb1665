/**
 * How often callers were known and allowed, and how long it took to find out: upstream's series.
 *
 * Units   seconds
 * Source  apiserver pkg/endpoints/filters/metrics.go
 */
import type { UserInfo } from "./authentication/authenticator.ts";
import { Histogram } from "./histogram.ts";

const buckets = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

/** Names that are told apart; all others are "other". */
const toldApart = new Set(["admin", "kubelet", "kube-apiserver", "kube-controller-manager"]);

type Decision = "allow" | "deny" | "noOpinion";
const decisions: Readonly<Record<Decision, string>> = {
  allow: "allowed",
  deny: "denied",
  noOpinion: "no-opinion",
};

export class AccessMetrics {
  readonly #users = new Map<string, number>();
  readonly #attempts = new Map<string, number>();
  readonly #authorizations = new Map<string, number>();
  readonly #attemptSeconds = new Histogram(buckets);
  readonly #impersonations = new Attempts("attempts", "impersonation attempts");
  readonly #impersonationQuestions = new Attempts(
    "authorization_attempts",
    "authorization checks made by the impersonation handler",
  );
  readonly #authorizationSeconds = new Histogram(buckets);

  authenticated(user: UserInfo | undefined, seconds: number): void {
    const result = user === undefined ? "failure" : "success";
    const labels = `result="${result}"`;
    add(this.#attempts, labels);
    this.#attemptSeconds.observe(labels, seconds);
    if (user === undefined) return;
    add(this.#users, `username="${toldApart.has(user.name) ? user.name : "other"}"`);
  }

  authorized(decision: Decision, seconds: number): void {
    const labels = `result="${decisions[decision]}"`;
    add(this.#authorizations, labels);
    this.#authorizationSeconds.observe(labels, seconds);
  }

  /** `mode` is empty where nothing allowed it. */
  impersonated(mode: string, isAllowed: boolean, seconds: number): void {
    this.#impersonations.add(mode, isAllowed, seconds);
  }

  impersonationAsked(mode: string, isAllowed: boolean, seconds: number): void {
    this.#impersonationQuestions.add(mode, isAllowed, seconds);
  }

  lines(): string[] {
    return [
      ...counter(
        "authenticated_user_requests",
        "[ALPHA] Counter of authenticated requests broken out by username.",
        this.#users,
      ),
      ...counter(
        "authentication_attempts",
        "[ALPHA] Counter of authenticated attempts.",
        this.#attempts,
      ),
      ...this.#attemptSeconds.lines(
        "authentication_duration_seconds",
        "[ALPHA] Authentication duration in seconds broken out by result.",
      ),
      ...counter(
        "authorization_attempts_total",
        "[ALPHA] Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied', 'no-opinion' or 'error'.",
        this.#authorizations,
      ),
      ...this.#authorizationSeconds.lines(
        "authorization_duration_seconds",
        "[ALPHA] Authorization duration in seconds broken out by result.",
      ),
      ...this.#impersonations.lines(),
      ...this.#impersonationQuestions.lines(),
    ];
  }
}

/** Of acting as somebody else, by mode and by what was decided. */
class Attempts {
  readonly #name: string;
  readonly #what: string;
  readonly #counts = new Map<string, number>();
  readonly #seconds = new Histogram(buckets);

  constructor(name: string, what: string) {
    this.#name = name;
    this.#what = what;
  }

  add(mode: string, isAllowed: boolean, seconds: number): void {
    const labels = `decision="${isAllowed ? "allowed" : "denied"}",mode="${mode}"`;
    add(this.#counts, labels);
    this.#seconds.observe(labels, seconds);
  }

  lines(): string[] {
    if (this.#counts.size === 0) return [];
    const name = `apiserver_impersonation_${this.#name}`;
    const help = `${this.#what} in seconds split by mode and decision.`;
    return [
      ...counter(
        `${name}_total`,
        `[ALPHA] Total number of ${this.#what} split by mode and decision.`,
        this.#counts,
      ),
      ...this.#seconds.lines(`${name}_duration_seconds`, `[ALPHA] Latency of ${help}`),
    ];
  }
}

function add(counts: Map<string, number>, labels: string): void {
  counts.set(labels, (counts.get(labels) ?? 0) + 1);
}

function counter(name: string, help: string, counts: ReadonlyMap<string, number>): string[] {
  const values = [...counts].map(([labels, count]) => `${name}{${labels}} ${count}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} counter`, ...values];
}
