/**
 * What becomes of an event that was just seen: a new object, a higher count on an old
 * one, or nothing.
 *
 * - the same event again → `count` + 1 on the object already written
 * - the tenth message of one reason within 10 minutes → one object "(combined from
 *   similar events): …"
 * - more than 25 events of a source about one object → dropped, with one more allowed
 *   every 5 minutes
 *
 * Pure: `now` is an argument.
 * Source  client-go tools/record/events_cache.go
 */
import type { Event } from "@nanokube/api/core/v1";
import { LRU } from "./lru.ts";

const cacheSize = 4096;
const similarMax = 10;
const similarIntervalMs = 600_000;
const burst = 25;
const refillMs = 300_000;

export type Correlated =
  | { action: "skip" }
  | { action: "create"; key: string; event: Event }
  | { action: "count"; key: string; event: Event; name: string };

interface Written {
  count: number;
  firstTimestamp: string | undefined;
  name: string;
}

export class EventCorrelator {
  readonly #similar = new LRU<string, { messages: Set<string>; lastMs: number }>(cacheSize);
  readonly #written = new LRU<string, Written>(cacheSize);
  readonly #tokens = new LRU<string, { tokens: number; atMs: number }>(cacheSize);

  correlate(seen: Event, nowMs: number): Correlated {
    const { event, key } = this.#aggregate(seen, nowMs);
    const written = this.#written.get(key);
    const counted: Event =
      written === undefined
        ? event
        : {
            ...event,
            metadata: { ...event.metadata, name: written.name },
            firstTimestamp: written.firstTimestamp,
            count: written.count + 1,
          };
    this.#remember(key, counted);
    if (!this.#allowed(seen, nowMs)) return { action: "skip" };
    if (written === undefined) return { action: "create", key, event: counted };
    return { action: "count", key, event: counted, name: written.name };
  }

  /** What the server keeps of it: another writer may have counted too. */
  written(key: string, event: Event): void {
    this.#remember(key, event);
  }

  #remember(key: string, event: Event): void {
    this.#written.set(key, {
      count: event.count ?? 1,
      firstTimestamp: event.firstTimestamp,
      name: event.metadata?.name ?? "",
    });
  }

  #aggregate(seen: Event, nowMs: number): { event: Event; key: string } {
    const similarKey = [
      ...subject(seen),
      seen.reason,
      seen.reportingComponent,
      seen.reportingInstance,
    ].join("");
    let similar = this.#similar.get(similarKey);
    if (similar === undefined || nowMs - similar.lastMs > similarIntervalMs) {
      similar = { messages: new Set(), lastMs: nowMs };
    }
    similar.messages.add(seen.message ?? "");
    similar.lastMs = nowMs;
    this.#similar.set(similarKey, similar);
    if (similar.messages.size < similarMax) return { event: seen, key: eventKey(seen) };

    similar.messages.delete(similar.messages.values().next().value!);
    return {
      event: { ...seen, message: `(combined from similar events): ${seen.message}` },
      key: similarKey,
    };
  }

  #allowed(seen: Event, nowMs: number): boolean {
    const key = subject(seen).join("");
    const bucket = this.#tokens.get(key) ?? { tokens: burst, atMs: nowMs };
    const tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) / refillMs);
    const allowed = tokens >= 1;
    this.#tokens.set(key, { tokens: allowed ? tokens - 1 : tokens, atMs: nowMs });
    return allowed;
  }
}

function subject(event: Event): (string | undefined)[] {
  const { source, involvedObject: about } = event;
  return [
    source?.component,
    source?.host,
    about?.kind,
    about?.namespace,
    about?.name,
    about?.uid,
    about?.apiVersion,
    event.type,
  ];
}

function eventKey(event: Event): string {
  return [...subject(event), event.involvedObject?.fieldPath, event.reason, event.message].join("");
}
