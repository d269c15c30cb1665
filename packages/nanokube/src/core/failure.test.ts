import { expect, test } from "vitest";
import { failureLine } from "./failure.ts";

const refused = (code: string, syscall: string, path?: string) =>
  Object.assign(new Error(`${code}: x, ${syscall} '${path}'`), { code, syscall, path });

test.each([
  ["a directory of others", refused("EACCES", "mkdir", "/data"), "mkdir /data: permission denied"],
  ["a full disk", refused("ENOSPC", "write"), "write: no space left on device"],
  ["what is no refusal of the kernel", new Error("no node n7"), "no node n7"],
  ["a code without a call", Object.assign(new Error("a"), { code: "EACCES" }), "a"],
  ["several lines", new Error("\nfirst\nsecond"), "first"],
  ["no error at all", "word", "word"],
])("%s", (_what, error, want) => {
  expect(failureLine(error)).toBe(want);
});
