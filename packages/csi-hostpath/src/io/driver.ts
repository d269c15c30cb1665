/**
 * What the three CSI services share: the store, the mounter, and one queue for each volume or name.
 *
 * Calls may come twice at once (a caller that timed out asks again); those for the same volume wait
 * for each other, so that each one finds the work of the other done.
 */
import type { Clock, Exec, Log, Random } from "@nanokube/machinery";
import type { CapacityLimits } from "../core/capacity.ts";
import type { Mounter } from "./mounter.ts";
import type { Store } from "./store.ts";

export interface Driver {
  name: string;
  version: string;
  nodeID: string;
  dataDir: string;
  maxVolumesPerNode: number;
  limits: CapacityLimits;
  store: Store;
  mounter: Mounter;
  exec: Exec;
  clock: Clock;
  random: Random;
  log: Log;
  /** Runs `work` when nothing else runs for the key. */
  exclusively<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createQueues(): Driver["exclusively"] {
  const tails = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const before = tails.get(key) ?? Promise.resolve();
    const result = before.then(work, work);
    const tail = result.catch(() => undefined);
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
    });
    return result;
  };
}
