import { expect, test } from "vitest";
import { formatYAML } from "./yaml-text.ts";

const long =
  "only the following media types are accepted: application/json;stream=watch, application/other";

test.for([
  [
    "plain and quoted",
    { a: "b", b: "1", c: "true", d: "", e: "a: b", f: "2026-01-01T00:00:00Z" },
    'a: b\nb: "1"\nc: "true"\nd: ""\ne: \'a: b\'\nf: "2026-01-01T00:00:00Z"\n',
  ],
  ["nothing inside", { a: {}, b: [], c: null }, "a: {}\nb: []\nc: null\n"],
  [
    "lists are not indented",
    { a: [{ b: 1, c: [2] }, [3, 4]] },
    "a:\n- b: 1\n  c:\n  - 2\n- - 3\n  - 4\n",
  ],
  ["lines", { a: "one\ntwo", b: "one\n" }, "a: |-\n  one\n  two\nb: |\n  one\n"],
  ["field paths", { 'k:{"a":"b"}': {}, ".": {}, "f:a": {} }, '.: {}\nf:a: {}\nk:{"a":"b"}: {}\n'],
  ["numbers in keys", { a10: 1, a9: 2, B: 3 }, "B: 3\na9: 2\na10: 1\n"],
  [
    "long texts are folded",
    { message: long },
    "message: 'only the following media types are accepted: application/json;stream=watch,\n  application/other'\n",
  ],
  ["a tab is escaped", { a: "b\tc" }, 'a: "b\\tc"\n'],
] as const)("%s", ([, tree, text]) => {
  expect(formatYAML(tree)).toBe(text);
});
