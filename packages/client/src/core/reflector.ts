/**
 * Keeps a store like the server's: list, then watch from the list's version, for ever.
 *
 * The first list asks for version "0" (whatever the server's cache has: cheap); one after "Expired"
 * asks for the newest (a list in pages of 500). A watch is left after 5 to 10 minutes and resumed
 * from the last version seen, bookmarks included; only "Expired" lists again. Errors wait: 0.8 s …
 * 30 s, doubling, with jitter.
 *
 * Errors  logged, and tried again
 * Source  client-go tools/cache/reflector.go
 */
import { type Clock, type Log, type Random, sleep } from "@nanokube/machinery";
import { Backoff } from "./backoff.ts";
import type { ResourceClient } from "./resource-client.ts";
import { type ApiObject, groupResourceOf } from "./resource-ref.ts";
import { isExpired, isReason } from "./response-error.ts";
import type { WatchEvent } from "./watch-stream.ts";

/** Where a reflector puts what it sees. */
export interface ReflectorSink<T extends ApiObject> {
  replace(objects: T[], resourceVersion: string): void;
  event(event: WatchEvent<T>): void;
  bookmark(resourceVersion: string): void;
}

export interface ReflectorOptions<T extends ApiObject> {
  resource: ResourceClient<T>;
  sink: ReflectorSink<T>;
  clock: Clock;
  random: Random;
  log: Log;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

const watchMinSeconds = 300;

export async function runReflector<T extends ApiObject>(
  options: ReflectorOptions<T>,
  signal: AbortSignal,
): Promise<void> {
  const { resource, sink, clock, random, log, labelSelector, fieldSelector } = options;
  const name = groupResourceOf(resource.ref);
  const backoff = new Backoff({ clock, random });
  const selectors = { labelSelector, fieldSelector };
  const pause = () => sleep(clock, backoff.next(), signal).catch(() => {});
  let resourceVersion: string | undefined;
  let newest = false; // The server's cache may not do: what it has is what expired.

  const list = async () => {
    const found = newest
      ? await resource.listAll({ ...selectors, signal })
      : await resource.list({ ...selectors, resourceVersion: resourceVersion || "0", signal });
    if (found.metadata.continue) {
      // A server that pages although not asked: take all of it.
      const all = await resource.listAll({ ...selectors, signal });
      found.items = all.items;
      found.metadata = all.metadata;
    }
    resourceVersion = found.metadata.resourceVersion ?? "";
    newest = false;
    sink.replace(found.items, resourceVersion);
  };

  const watch = async () => {
    const timeoutSeconds = Math.floor(watchMinSeconds * (1 + random.next()));
    const events = resource.watch({
      ...selectors,
      resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds,
      signal,
    });
    for await (const event of events) {
      if (signal.aborted) return;
      resourceVersion = event.object.metadata?.resourceVersion ?? resourceVersion;
      if (event.type === "BOOKMARK") sink.bookmark(resourceVersion ?? "");
      else sink.event(event);
    }
  };

  let listed = false;
  while (!signal.aborted) {
    try {
      if (!listed) await list();
      listed = true;
      const startedAt = clock.monotonic();
      const from = resourceVersion;
      await watch();
      // A server that closes at once, with nothing said, must not be asked in a busy loop.
      if (clock.monotonic() - startedAt < 1000 && from === resourceVersion) await pause();
    } catch (error) {
      if (signal.aborted) return;
      if (isExpired(error)) {
        listed = false;
        newest = true;
        log.debug({ resource: name, err: error }, "watch expired, listing again");
        continue;
      }
      // A watch that broke is resumed where it was; only a refusal of it needs a new list.
      if (listed && isReason(error, "BadRequest", "Invalid")) listed = false;
      log.warn({ resource: name, err: error }, listed ? "watch failed" : "list failed");
      await pause();
    }
  }
}
