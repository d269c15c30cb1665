/**
 * EventRateLimit, on request: so many events a second, of all, of each namespace, user or source.
 *
 * Shapes  configuration { limits: [{ type, qps, burst, cacheSize }] }
 * Units   a bucket of `burst` tokens gets `qps` a second; the buckets used last are kept
 * Errors  429 that names each limit
 * Source  plugin/pkg/admission/eventratelimit
 */
import type { Event } from "@nanokube/api/core/v1";
import { type Clock, FieldPath, genericStatus, invalidValue } from "@nanokube/machinery";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";

interface Limit {
  type: string;
  qps: number;
  burst: number;
  cacheSize?: number;
}

const keysOf: Readonly<Record<string, (attributes: AdmissionAttributes) => string>> = {
  Server: () => "",
  Namespace: ({ namespace }) => namespace,
  User: ({ user }) => user.name,
  SourceAndObject: ({ object }) => {
    const { source, involvedObject: of } = (object ?? {}) as Event;
    const parts = [source?.component, source?.host, of?.kind, of?.namespace, of?.name];
    return [...parts, of?.uid, of?.apiVersion].join("");
  },
};

const bucketsMax = 4096;

/** What is wrong with a configuration. */
export function eventRateLimitProblems(configuration: unknown): string[] {
  const { limits = [] } = (configuration ?? {}) as { limits?: Limit[] };
  const path = FieldPath.root("limits");
  if (limits.length === 0) return [String(invalidValue(path, null, "must not be empty"))];
  return limits.flatMap(({ type, burst, qps }, i) => {
    const at = path.index(i);
    const problems: string[] = [];
    if (keysOf[type] === undefined) {
      problems.push(`${at.child("type")}: Unsupported value: ${JSON.stringify(type)}`);
    }
    if (!(burst > 0)) problems.push(String(invalidValue(at.child("burst"), burst, positive)));
    if (!(qps > 0)) problems.push(String(invalidValue(at.child("qps"), qps, positive)));
    return problems;
  });
}

const positive = "must be positive";

export function createEventRateLimit(configuration: unknown, clock: Clock): AdmissionPlugin {
  const { limits = [] } = (configuration ?? {}) as { limits?: Limit[] };
  const enforcers = limits.map((limit) => ({ limit, buckets: new Buckets(limit, clock) }));
  return {
    name: "EventRateLimit",
    handles: ({ operation, resource, dryRun }) =>
      ["CREATE", "UPDATE"].includes(operation) && resource.kind === "Event" && !dryRun,
    async validate(attributes) {
      const refused = enforcers.flatMap(({ limit: { type }, buckets }) => {
        const key = keysOf[type]!(attributes);
        return buckets.take(key) ? [] : [`limit reached on type ${type} for key ${key}`];
      });
      if (refused.length === 0) return;
      const why = refused.length === 1 ? refused[0]! : `[${refused.join(", ")}]`;
      throw genericStatus(429, "TooManyRequests", why);
    },
  };
}

class Buckets {
  readonly #limit: Limit;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(limit: Limit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  take(key: string): boolean {
    const { qps, burst, cacheSize } = this.#limit;
    const atMs = this.#clock.monotonic();
    const known = this.#buckets.get(key) ?? { tokens: burst, atMs };
    const gained = ((atMs - known.atMs) / 1000) * qps;
    const tokens = Math.min(burst, known.tokens + gained);
    const isThere = tokens >= 1;
    // Whoever came last is the last to be forgotten.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: isThere ? tokens - 1 : tokens, atMs });
    if (this.#buckets.size > (cacheSize || bucketsMax)) {
      this.#buckets.delete(this.#buckets.keys().next().value!);
    }
    return isThere;
  }
}
