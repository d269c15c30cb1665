/** The view that is redrawn: in place on a terminal, on change elsewhere. */
import { expect, test } from "vitest";
import { LiveView } from "./live-view.ts";

function draw(
  terminal: { isTTY?: boolean; columns?: number; rows?: number },
  ...views: string[][]
) {
  const written: string[] = [];
  const view = new LiveView({ ...terminal, write: (text) => written.push(text) });
  for (const lines of views) view.show(lines);
  return written;
}

test("a log gets what changed, and no ages", () => {
  expect(draw({}, ["web 5s"], ["web 6s"], ["web 7s", "api 1s"])).toEqual([
    "web 5s\n",
    "web 7s\napi 1s\n",
  ]);
});

test("a terminal is redrawn where it was, within its size", () => {
  const [first, second] = draw({ isTTY: true, columns: 3, rows: 3 }, ["abcd", "b", "c"], ["x"]);
  expect(first).toBe("\r\u001b[Jabc\nb\n");
  expect(second).toBe("\u001b[2A\r\u001b[Jx\n");
});

test("a terminal without a size is as wide as most", () => {
  const [text] = draw({ isTTY: true, columns: 0, rows: 0 }, ["nodes"]);
  expect(text).toContain("nodes");
});
