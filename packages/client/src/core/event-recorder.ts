/**
 * Writes core/v1 events about objects, one after the other in the background; a caller never waits.
 *
 * Shapes  name  "web.18a3f0c2d4e5f607": the object's name, and the nanoseconds in hexadecimal
 * Errors  none reaches the caller: what the server refuses is logged and dropped; no answer is
 *         tried 12 times
 * Source  client-go tools/record/event.go
 */

import type { Event, ObjectReference } from "@nanokube/api/core/v1";
import {
  type Clock,
  type Log,
  nullLog,
  type Random,
  StatusError,
  sleep,
  systemClock,
  systemRandom,
} from "@nanokube/machinery";
import type { Client } from "./client.ts";
import { EventCorrelator } from "./event-correlator.ts";
import type { ApiObject } from "./resource-ref.ts";
import { events } from "./resources.ts";
import { isNotFound } from "./response-error.ts";

export type EventType = "Normal" | "Warning";

export interface EventRecorder {
  /** About an object with kind and apiVersion, or about a reference to one. */
  event(about: ApiObject | ObjectReference, type: EventType, reason: string, message: string): void;
  annotatedEvent(
    about: ApiObject | ObjectReference,
    annotations: Record<string, string>,
    type: EventType,
    reason: string,
    message: string,
  ): void;
  /** All events so far are written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  client: Client;
  component: string;
  host?: string | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
  log?: Log | undefined;
  signal?: AbortSignal | undefined;
}

const queuedMax = 1000;
const triesMax = 12;
const retryMs = 10_000;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, component, host, clock = systemClock, random = systemRandom } = options;
  const { log = nullLog, signal } = options;
  const correlator = new EventCorrelator();
  const api = client.resource(events);
  let queued = 0;
  let tail: Promise<void> = Promise.resolve();
  let lastNanos = 0n;

  const write = async (event: Event): Promise<void> => {
    const result = correlator.correlate(event, clock.now());
    if (result.action === "skip") return;
    const at = api.namespace(event.metadata?.namespace ?? "default");
    if (result.action === "count") {
      const { count, message, lastTimestamp } = result.event;
      try {
        correlator.written(
          result.key,
          await at.patch(result.name, { count, message, lastTimestamp }),
        );
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error; // It expired at the server: begin anew.
      }
    }
    correlator.written(result.key, await at.create(result.event));
  };

  const writeWithRetry = async (event: Event): Promise<void> => {
    for (let tries = 1; signal?.aborted !== true; tries++) {
      try {
        await write(event);
        return;
      } catch (error) {
        // A server that answered has decided; only silence is worth another try.
        if (error instanceof StatusError || tries >= triesMax) {
          log.debug({ err: error, reason: event.reason, message: event.message }, "event dropped");
          return;
        }
        await sleep(clock, tries === 1 ? retryMs * random.next() : retryMs, signal).catch(() => {});
      }
    }
  };

  const annotatedEvent: EventRecorder["annotatedEvent"] = (
    about,
    annotations,
    type,
    reason,
    message,
  ) => {
    if (queued >= queuedMax) {
      log.warn({ reason, message }, "too many queued events, dropped event");
      return;
    }
    const involvedObject = reference(about);
    const nowMs = clock.now();
    // The clock counts milliseconds: names must differ within one.
    const nanos = BigInt(Math.floor(nowMs)) * 1_000_000n;
    lastNanos = nanos > lastNanos ? nanos : lastNanos + 1n;
    const now = new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z");
    const event: Event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: {
        name: `${involvedObject.name}.${lastNanos.toString(16)}`,
        namespace: involvedObject.namespace || "default",
        ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      },
      involvedObject,
      reason,
      message,
      type,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component, ...(host === undefined ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host ?? "",
    };
    queued++;
    tail = tail
      .then(() => writeWithRetry(event))
      .finally(() => {
        queued--;
      });
  };

  return {
    annotatedEvent,
    event: (about, type, reason, message) => annotatedEvent(about, {}, type, reason, message),
    flush: () => tail,
  };
}

/** An ObjectReference is what has a name at its top. */
function reference(about: ApiObject | ObjectReference): ObjectReference {
  if ("name" in about && about.name !== undefined) return about as ObjectReference;
  const { apiVersion, kind, metadata = {} } = about as ApiObject;
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    ...(metadata.name === undefined ? {} : { name: metadata.name }),
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    ...(metadata.resourceVersion === undefined
      ? {}
      : { resourceVersion: metadata.resourceVersion }),
  };
}
