import { expect, test } from "vitest";
import { readRotation } from "./log-rotation.ts";

test("what it is told, as etcd reads it", () => {
  const whole = '{"MaxSize": 2, "maxage": 1, "maxbackups": 3, "localtime": true, "compress": true}';
  expect(readRotation(whole)).toEqual({
    maxSizeBytes: 2 * 1024 * 1024,
    maxAgeMs: 24 * 3_600_000,
    maxBackups: 3,
    isLocalTime: true,
    isCompressed: true,
  });
  expect(readRotation("{}").maxSizeBytes).toBe(100 * 1024 * 1024);
});
