/**
 * One informer per resource for a whole process: whoever asks for pods gets the same cache.
 *
 * Source  client-go informers/factory.go
 */
import type { Clock, Log, Random } from "@nanokube/machinery";
import type { Client } from "./client.ts";
import { createInformer, type InformerOptions, type SharedInformer } from "./informer.ts";
import { type ApiObject, groupResourceOf, type ResourceRef } from "./resource-ref.ts";

export interface InformerFactory {
  /** The options of the first caller count, save indexers, which add up. */
  for<T extends ApiObject>(
    resource: ResourceRef<T>,
    options?: Partial<Omit<InformerOptions<T>, "client" | "resource">>,
  ): SharedInformer<T>;
  /** Starts all informers asked for; those asked for later start at once. */
  start(signal: AbortSignal): void;
  /** Every informer asked for so far has its first list. */
  waitForSync(): Promise<void>;
}

export interface InformerFactoryOptions {
  client: Client;
  namespace?: string | undefined;
  resyncMs?: number | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
  log?: Log | undefined;
}

export function createInformerFactory(defaults: InformerFactoryOptions): InformerFactory {
  const informers = new Map<string, SharedInformer>();
  let running: AbortSignal | undefined;

  return {
    for<T extends ApiObject>(
      resource: ResourceRef<T>,
      options: Partial<Omit<InformerOptions<T>, "client" | "resource">> = {},
    ) {
      const key = `${groupResourceOf(resource)}/${resource.version}`;
      const known = informers.get(key) as SharedInformer<T> | undefined;
      if (known !== undefined) {
        known.indexer.addIndexers(options.indexers ?? {});
        return known;
      }
      const made = createInformer<T>({ ...defaults, ...options, resource });
      informers.set(key, made as unknown as SharedInformer);
      if (running !== undefined) made.start(running);
      return made;
    },
    start(signal) {
      running = signal;
      for (const informer of informers.values()) informer.start(signal);
    },
    async waitForSync() {
      await Promise.all([...informers.values()].map((informer) => informer.waitForSync()));
    },
  };
}
