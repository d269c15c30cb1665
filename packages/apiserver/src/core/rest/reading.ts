/**
 * How stored custom resources look in the version that is asked for.
 *
 * What the store holds may be of another version, or from before its definition changed: it is
 * pruned, defaulted and converted when it is read, perhaps by a webhook. Built-in kinds have no
 * such step; their bytes are what `fromStorage` makes of them.
 *
 * Errors  a StatusError that says what the conversion webhook did wrong
 */
import type { KubeObject } from "@nanokube/machinery";
import type { CacheEvent } from "../cache/resource-cache.ts";
import type { StoredObject } from "../cache/stored-object.ts";
import type { ServedResource } from "./context.ts";

export interface Reading {
  /** As this version shows it; undefined when a webhook has to be asked first. */
  now(stored: StoredObject): StoredObject | undefined;
  /** Many; the webhook is asked about each that it was not asked about before. */
  all(stored: readonly StoredObject[]): Promise<readonly StoredObject[]>;
  /** A tree in any version, the caller's own. */
  tree(tree: KubeObject): Promise<KubeObject>;
}

type Read = Pick<ServedResource, "reading">;

export async function readAll(
  { reading }: Read,
  stored: readonly StoredObject[],
): Promise<readonly StoredObject[]> {
  return reading === undefined ? stored : reading.all(stored);
}

export async function readOne({ reading }: Read, stored: StoredObject): Promise<StoredObject> {
  if (reading === undefined) return stored;
  return reading.now(stored) ?? (await reading.all([stored]))[0]!;
}

/** What a write that is not stored would have been answered with. */
export async function readTree(
  { reading, fromStorage }: Pick<ServedResource, "reading" | "fromStorage">,
  tree: KubeObject,
): Promise<KubeObject> {
  return reading === undefined ? fromStorage(tree) : reading.tree(tree);
}

/** An event whose objects are in the version of the watcher, if that takes nobody's answer. */
export function eventNow(reading: Reading, event: CacheEvent): CacheEvent | undefined {
  const object = event.object && reading.now(event.object);
  const previous = event.previous && reading.now(event.previous);
  if (event.object !== undefined && object === undefined) return undefined;
  if (event.previous !== undefined && previous === undefined) return undefined;
  return shown(event, object, previous);
}

export async function readEvent(reading: Reading, event: CacheEvent): Promise<CacheEvent> {
  const both = [event.object, event.previous].filter((each) => each !== undefined);
  await reading.all(both);
  return eventNow(reading, event)!;
}

/** Frames belong to the event itself: all who watch in one version share them. */
function shown(
  event: CacheEvent,
  object: StoredObject | undefined,
  previous: StoredObject | undefined,
): CacheEvent {
  if (object === event.object && previous === event.previous) return event;
  return {
    revision: event.revision,
    object,
    previous,
    get frames() {
      return event.frames;
    },
    set frames(frames) {
      event.frames = frames;
    },
  };
}
