/** Which log files and images go. */
import { expect, test } from "vitest";
import { bytesToFree, type ImageUse, imagesToRemove, usedPercent } from "./image-gc.ts";
import { planRotation, rotationStamp } from "./log-rotation.ts";

test("half-done and superseded files go, then the oldest; all but the newest are compressed", () => {
  const files = ["0.log.3.tmp", "0.log.1.gz", "0.log.2", "0.log.2.gz", "0.log.3", "0.log.4"];
  expect(planRotation(files, 5)).toEqual({
    remove: ["0.log.3.tmp", "0.log.2", "0.log.1.gz"],
    compress: ["0.log.3", "0.log.4"],
  });
  expect(planRotation(["0.log.1", "0.log.2"], 2)).toEqual({
    remove: ["0.log.1", "0.log.2"],
    compress: [],
  });
  expect(rotationStamp(Date.UTC(2026, 0, 2, 3, 4, 5))).toBe("20260102-030405");
});

const image = (id: string, more: Partial<ImageUse> = {}): ImageUse => ({
  id,
  sizeBytes: 10,
  pinned: false,
  inUse: false,
  detectedMs: 0,
  lastUsedMs: 0,
  ...more,
});

test("the longest unused images go, as many as are needed, none that is young, used or pinned", () => {
  const images = [
    image("new", { detectedMs: 950 }),
    image("late", { lastUsedMs: 500 }),
    image("early", { lastUsedMs: 100 }),
    image("used", { inUse: true, lastUsedMs: 1000 }),
    image("pause", { pinned: true }),
    image("never", { detectedMs: 5 }),
  ];
  const ids = (bytes: number) =>
    imagesToRemove(images, bytes, { nowMs: 1000, minAgeMs: 100 }).map(({ id }) => id);
  expect(ids(1)).toEqual(["never"]);
  expect(ids(15)).toEqual(["never", "early"]);
  expect(ids(1000)).toEqual(["never", "early", "late"]);
});

test("room is made down to the low threshold once the high one is reached", () => {
  const policy = { highPercent: 85, lowPercent: 80, minAgeMs: 0 };
  expect(usedPercent({ capacityBytes: 1000, availableBytes: 150 })).toBe(85);
  expect(bytesToFree({ capacityBytes: 1000, availableBytes: 160 }, policy)).toBe(0);
  expect(bytesToFree({ capacityBytes: 1000, availableBytes: 150 }, policy)).toBe(50);
});
