import { expect, test } from "vitest";
import { parseGoDurationMs } from "./duration.ts";

test.for([
  ["1h15m30.5s", 4_530_500],
  ["1m30s", 90_000],
  ["100ms", 100],
  ["1.s", 1000],
  [".5s", 500],
  ["0", 0],
  ["-1s", -1000],
  ["", undefined],
  ["x", undefined],
  ["1", undefined],
  ["1 s", undefined],
] as const)("duration %s is %s ms", ([text, ms]) => {
  expect(parseGoDurationMs(text)).toBe(ms);
});
