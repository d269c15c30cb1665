import { expect, test } from "vitest";
import { lastWordsOf } from "./last-words.ts";

const line = (level: number, msg: string, err?: { message: string }) =>
  JSON.stringify({ level, time: 1, msg, ...(err && { err }) });

test.each([
  [
    "the error of a JSON log",
    [line(30, "a"), line(60, "fatal", { message: "disk full" })],
    "disk full",
  ],
  ["also when less came after it", [line(50, "", { message: "no" }), line(20, "hop")], "no"],
  ["one line of many", [line(60, "", { message: "first\nsecond" })], "first"],
  [
    "the kernel's refusal in the words of programs",
    [line(60, "", { message: "ENOSPC: no space left on device, write" })],
    "write: no space left on device",
  ],
  ["a message without an error", [line(50, "gone")], "gone"],
  ["the last line of other logs", ["a", "Error: b"], "Error: b"],
  ["the last event when nothing failed", [line(20, "hop")], "hop"],
  ["silence", [], "it said nothing"],
])("%s", (_what, lines, want) => {
  expect(lastWordsOf(`${lines.join("\n")}\n`)).toBe(want);
});
