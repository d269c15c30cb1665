/**
 * Keeps the heap's young generation small.
 *
 * V8 doubles it while much survives, up to three times 32 MiB, and never gives it back: more than
 * all that a store of 100,000 keys holds. Nothing here lives in it for long, so that a small one
 * costs next to nothing. There is no flag to say so to a process that runs; but how much it grows
 * each time is looked up when it grows, and it only grows in a collection.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

const enoughBytes = 8 << 20;

export function boundYoungGeneration(): void {
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
    if (young !== undefined && young.space_size < enoughBytes) return;
    setFlagsFromString("--semi-space-growth-factor=1");
    observer.disconnect();
  });
  observer.observe({ entryTypes: ["gc"] });
}
