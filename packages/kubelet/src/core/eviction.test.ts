/** Thresholds, who goes first, and what is said. */
import type { Pod } from "@nanokube/api/core/v1";
import { expect, test } from "vitest";
import {
  checkThresholds,
  evictionMessage,
  rankForEviction,
  refuseUnderPressure,
  thresholdsMet,
} from "./eviction.ts";

const Mi = 1024 * 1024;
const pod = (name: string, request: string | undefined, priority = 0): Pod => ({
  metadata: { name },
  spec: {
    priority,
    containers: [
      { name: "c", resources: request === undefined ? {} : { requests: { memory: request } } },
    ],
  },
});
const usage = (memoryMi: number) => [{ name: "c", memoryBytes: memoryMi * Mi, storageBytes: 0 }];

test("amounts and percentages", () => {
  const thresholds = checkThresholds({ "memory.available": "100Mi", "nodefs.available": "10%" });
  const seen = {
    "memory.available": { available: 50 * Mi, capacity: 1000 * Mi },
    "nodefs.available": { available: 200, capacity: 1000 },
  };
  expect(thresholdsMet(thresholds, seen).map(({ signal }) => signal)).toEqual(["memory.available"]);
  seen["nodefs.available"].available = 99;
  expect(thresholdsMet(thresholds, seen).map(({ condition }) => condition)).toEqual([
    "MemoryPressure",
    "DiskPressure",
  ]);
  expect(() => checkThresholds({ "memory.free": "1" })).toThrow(
    "unsupported eviction signal memory.free",
  );
});

test("0% and 100% are looked at by nobody; nonsense is refused in upstream's words", () => {
  const off = {
    "memory.available": "100Mi",
    "nodefs.available": "0%",
    "imagefs.available": "100%",
  };
  expect(checkThresholds(off)).toEqual({ "memory.available": "100Mi" });
  const why = (value: string) => () => checkThresholds({ "nodefs.available": value });
  const threshold = "eviction percentage threshold nodefs.available must be";
  expect(why("101%")).toThrow(`${threshold} <= 100%: 101%`);
  expect(why("-1%")).toThrow(`${threshold} >= 0%: -1%`);
  expect(why("x%")).toThrow('strconv.ParseFloat: parsing "x": invalid syntax');
  expect(why("0")).toThrow("eviction threshold nodefs.available must be positive: 0");
});

test("over the request first, then the lower priority, then the larger", () => {
  const used: Record<string, number> = { calm: 50, big: 300, small: 100, dear: 900, lost: 0 };
  const pods = [pod("calm", "100Mi"), pod("big", "10Mi"), pod("small", undefined)];
  pods.push(pod("dear", "10Mi", 5), pod("lost", "1Gi"));
  const of = (p: Pod) =>
    p.metadata?.name === "lost" ? undefined : usage(used[p.metadata?.name ?? ""]!);
  expect(rankForEviction(pods, "memory", of).map((p) => p.metadata?.name)).toEqual([
    "lost",
    "big",
    "small",
    "dear",
    "calm",
  ]);
});

test("the message is upstream's", () => {
  const met = {
    signal: "memory.available",
    resource: "memory",
    condition: "MemoryPressure",
    threshold: 100 * Mi,
    available: 50 * Mi,
  } as const;
  expect(evictionMessage(pod("p", "10Mi"), met, usage(64))).toBe(
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. " +
      "Container c was using 64Mi, request is 10Mi, has larger consumption of memory. ",
  );
});

test("short of memory, what asks for nothing is refused; short of disk, everything", () => {
  expect(refuseUnderPressure(pod("a", undefined), ["MemoryPressure"])).toEqual({
    reason: "Evicted",
    message: "The node had condition: [MemoryPressure]. ",
  });
  expect(refuseUnderPressure(pod("a", "1Mi"), ["MemoryPressure"])).toBeUndefined();
  expect(refuseUnderPressure(pod("a", "1Mi"), ["DiskPressure"])?.reason).toBe("Evicted");
  const critical = pod("a", undefined, 2_000_000_000);
  expect(refuseUnderPressure(critical, ["DiskPressure"])).toBeUndefined();
});
