/**
 * The series of what is kept of etcd: requests to it, lists, reads that wait, events, watchers.
 *
 * Source  apiserver pkg/storage/cacher/metrics, pkg/storage/etcd3/metrics, pkg/endpoints/metrics
 */
import { histogramFamily, type Tally } from "../histogram.ts";
import { metricFamily, type Series } from "../metric-family.ts";
import type { CacheCounts, ListCounts } from "./cache-counts.ts";
import { historyMax, type ResourceCache } from "./resource-cache.ts";

export interface CountedCache {
  group: string;
  resource: string;
  cache: ResourceCache;
}

export interface StoreFacts {
  /** The version every cache has reached. */
  revision: number;
  /** How often etcd said where its watch stands: one word for all resources. */
  progressNotes: number;
  objectsOfLease: Tally;
}

export function cacheMetrics(caches: readonly CountedCache[], facts: StoreFacts): string[] {
  return [
    ...requests(caches, facts),
    ...lists(caches),
    ...freshness(caches, facts),
    ...events(caches),
    ...watchers(caches),
  ];
}

const labelsOf = ({ group, resource }: CountedCache): string =>
  `group="${group}",resource="${resource}"`;

/** Of each cache as many series as `of` finds; what never happened has none. */
function counted<T>(
  caches: readonly CountedCache[],
  of: (counts: CacheCounts, labels: string) => readonly (readonly [string, T])[],
): (readonly [string, T])[] {
  return caches.flatMap((one) => [...of(one.cache.counts, labelsOf(one))]);
}

function numbers(
  caches: readonly CountedCache[],
  of: (counts: CacheCounts) => number | undefined,
): Series[] {
  return counted(caches, (counts, labels) => {
    const value = of(counts);
    return value === undefined ? [] : [[labels, value]];
  });
}

function requests(caches: readonly CountedCache[], facts: StoreFacts): string[] {
  const each = caches.flatMap(({ group, resource, cache }) =>
    [...cache.counts.store].map(([operation, counts]) => ({
      labels: `group="${group}",operation="${operation}",resource="${resource}"`,
      counts,
    })),
  );
  return [
    ...histogramFamily(
      "etcd_request_duration_seconds",
      "[ALPHA] Etcd request latency in seconds for each operation and object type.",
      each.map(({ labels, counts }) => [labels, counts.seconds]),
    ),
    ...metricFamily(
      "etcd_requests_total",
      "counter",
      "[ALPHA] Etcd request counts for each operation and object type.",
      each.map(({ labels, counts }) => [labels, counts.seconds.total]),
    ),
    ...metricFamily(
      "etcd_request_errors_total",
      "counter",
      "[ALPHA] Etcd failed request counts for each operation and object type.",
      each
        .filter(({ counts }) => counts.errors > 0)
        .map(({ labels, counts }) => [labels, counts.errors]),
    ),
    ...metricFamily(
      "etcd_bookmark_total",
      "counter",
      "[ALPHA] Number of etcd bookmarks (progress notify events) split by kind.",
      facts.progressNotes === 0 ? [] : numbers(caches, () => facts.progressNotes),
    ),
    ...histogramFamily(
      "etcd_lease_object_counts",
      "[ALPHA] Number of objects attached to a single etcd lease.",
      [["", facts.objectsOfLease]],
    ),
  ];
}

type ListSeries = readonly [name: string, help: string, of: (lists: ListCounts) => number];

const storeLists: readonly ListSeries[] = [
  ["total", "[ALPHA] Number of LIST requests served from storage", ({ total }) => total],
  [
    "fetched_objects_total",
    "[ALPHA] Number of objects read from storage in the course of serving a LIST request",
    ({ fetched }) => fetched,
  ],
  [
    "evaluated_objects_total",
    "[ALPHA] Number of objects tested in the course of serving a LIST request from storage",
    ({ evaluated }) => evaluated,
  ],
  [
    "returned_objects_total",
    "[ALPHA] Number of objects returned for a LIST request from storage",
    ({ returned }) => returned,
  ],
];

const cacheLists: readonly ListSeries[] = [
  ["total", "[ALPHA] Number of LIST requests served from watch cache", ({ total }) => total],
  [
    "fetched_objects_total",
    "[ALPHA] Number of objects read from watch cache in the course of serving a LIST request",
    ({ fetched }) => fetched,
  ],
  [
    "returned_objects_total",
    "[ALPHA] Number of objects returned for a LIST request from watch cache",
    ({ returned }) => returned,
  ],
];

function lists(caches: readonly CountedCache[]): string[] {
  const family = (
    [name, help, of]: ListSeries,
    which: "cache" | "storage",
    listsOf: (counts: CacheCounts) => ListCounts,
  ): string[] => {
    // Nothing here has an index; upstream names the one that was used.
    const index = which === "cache" && !name.startsWith("returned") ? 'index="",' : "";
    return metricFamily(
      `apiserver_${which}_list_${name}`,
      "counter",
      help,
      numbers(caches, (counts) =>
        listsOf(counts).total === 0 ? undefined : of(listsOf(counts)),
      ).map(([labels, value]) => [labels.replace("resource=", `${index}resource=`), value]),
    );
  };
  return [
    ...cacheLists.flatMap((one) => family(one, "cache", (counts) => counts.fromCache)),
    ...storeLists.flatMap((one) => family(one, "storage", (counts) => counts.fromStore)),
  ];
}

function freshness(caches: readonly CountedCache[], { revision }: StoreFacts): string[] {
  const begun = caches.filter(({ cache }) => cache.counts.initializations > 0);
  return [
    ...histogramFamily(
      "apiserver_watch_cache_read_wait_seconds",
      "[ALPHA] Histogram of time spent waiting for a watch cache to become fresh.",
      counted(caches, ({ waitSeconds }, labels) =>
        waitSeconds.total === 0 ? [] : [[labels, waitSeconds]],
      ),
    ),
    ...metricFamily(
      "apiserver_watch_cache_consistent_read_total",
      "counter",
      "[ALPHA] Counter for consistent reads from cache.",
      counted(caches, ({ freshReads: { succeeded, failed } }, labels) =>
        [
          [`fallback="false",${labels},success="true"`, succeeded] as const,
          [`fallback="false",${labels},success="false"`, failed] as const,
        ].filter(([, count]) => count > 0),
      ),
    ),
    ...metricFamily(
      "apiserver_watch_cache_initializations_total",
      "counter",
      "[ALPHA] Counter of watch cache initializations broken by resource type.",
      numbers(begun, ({ initializations }) => initializations),
    ),
    ...metricFamily(
      "apiserver_watch_cache_resource_version",
      "gauge",
      "[ALPHA] Current resource version of watch cache broken by resource type. This is truncated to the 15 least significant digits.",
      numbers(begun, () => revision % 1e15),
    ),
    ...metricFamily(
      "watch_cache_capacity",
      "gauge",
      "[ALPHA] Total capacity of watch cache broken by resource type.",
      numbers(begun, () => historyMax),
    ),
  ];
}

function events(caches: readonly CountedCache[]): string[] {
  const told = caches.filter(({ cache }) => cache.eventsReceived > 0);
  const received: Series[] = told.map((one) => [labelsOf(one), one.cache.eventsReceived]);
  const some = (value: number): number | undefined => (value === 0 ? undefined : value);
  return [
    ...metricFamily(
      "apiserver_storage_events_received_total",
      "counter",
      "[BETA] Number of etcd events received split by kind.",
      received,
    ),
    ...metricFamily(
      "apiserver_watch_cache_events_received_total",
      "counter",
      "[ALPHA] Counter of events received in watch cache broken by resource type.",
      received,
    ),
    ...metricFamily(
      "apiserver_watch_cache_events_dispatched_total",
      "counter",
      "[ALPHA] Counter of events dispatched in watch cache broken by resource type.",
      received,
    ),
    ...metricFamily(
      "apiserver_init_events_total",
      "counter",
      "[ALPHA] Counter of init events processed in watch cache broken by resource type.",
      numbers(caches, ({ initialEvents }) => some(initialEvents)),
    ),
    ...metricFamily(
      "apiserver_terminated_watchers_total",
      "counter",
      "[ALPHA] Counter of watchers closed due to unresponsiveness broken by resource type.",
      numbers(caches, ({ watchersCut }) => some(watchersCut)),
    ),
  ];
}

function watchers(caches: readonly CountedCache[]): string[] {
  const frames = counted(caches, ({ frameBytes }, labels) =>
    [...frameBytes].map(([version, tally]) => [`${labels},version="${version}"`, tally] as const),
  ).filter(([, tally]) => tally.total > 0);
  return [
    ...metricFamily(
      "apiserver_watch_events_total",
      "counter",
      "[ALPHA] Number of events sent in watch clients",
      frames.map(([labels, tally]) => [labels, tally.total]),
    ),
    ...histogramFamily(
      "apiserver_watch_events_sizes",
      "[ALPHA] Watch event size distribution in bytes",
      frames,
    ),
    ...histogramFamily(
      "apiserver_watch_list_duration_seconds",
      "[BETA] Response latency distribution in seconds for watch list requests broken by group, version, resource and scope.",
      counted(caches, ({ initialSeconds }, labels) =>
        [...initialSeconds].map(([own, tally]) => [`${labels},${own}`, tally] as const),
      ),
    ),
  ];
}
