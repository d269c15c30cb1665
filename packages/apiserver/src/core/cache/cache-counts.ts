/**
 * What one resource's cache was asked and told, in plain numbers: /metrics makes series of them.
 *
 * Units   seconds, bytes, objects
 * Source  apiserver pkg/storage/cacher/metrics, pkg/storage/etcd3/metrics, pkg/endpoints/metrics
 */
import { Tally } from "../histogram.ts";

/** What etcd is asked of a resource. */
export type StoreOperation = "get" | "create" | "update" | "delete" | "list";

const storeBounds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];
const waitBounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3];
const eventBytesBounds = [1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072];
const initialBounds = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60];

/** Lists: how many there were, what was looked at for them, what they showed. */
export class ListCounts {
  total = 0;
  fetched = 0;
  evaluated = 0;
  returned = 0;

  add(fetched: number, returned: number, evaluated = 0): void {
    this.total++;
    this.fetched += fetched;
    this.evaluated += evaluated;
    this.returned += returned;
  }
}

export class StoreCounts {
  readonly seconds = new Tally(storeBounds);
  errors = 0;
}

export class CacheCounts {
  readonly fromCache = new ListCounts();
  readonly fromStore = new ListCounts();
  readonly store = new Map<StoreOperation, StoreCounts>();
  /** Reads as fresh as etcd: those that became so in time, and the others. */
  readonly freshReads = { succeeded: 0, failed: 0 };
  readonly waitSeconds = new Tally(waitBounds);
  initializations = 0;
  initialEvents = 0;
  /** Those that did not read what they were sent. */
  watchersCut = 0;
  /** Frames sent to watchers, by served version. */
  readonly frameBytes = new Map<string, Tally>();
  /** How long initial events took, by served version and scope. */
  readonly initialSeconds = new Map<string, Tally>();

  storeOf(operation: StoreOperation): StoreCounts {
    let counts = this.store.get(operation);
    if (counts === undefined) {
      counts = new StoreCounts();
      this.store.set(operation, counts);
    }
    return counts;
  }

  framesOf(version: string): Tally {
    return tallyOf(this.frameBytes, version, eventBytesBounds);
  }

  initialOf(version: string, scope: string): Tally {
    return tallyOf(this.initialSeconds, `scope="${scope}",version="${version}"`, initialBounds);
  }
}

function tallyOf(tallies: Map<string, Tally>, key: string, bounds: readonly number[]): Tally {
  let tally = tallies.get(key);
  if (tally === undefined) {
    tally = new Tally(bounds);
    tallies.set(key, tally);
  }
  return tally;
}
