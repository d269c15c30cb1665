/** The checker itself: what it must refuse comes first. */
import { expect, test } from "vitest";
import { type Action, nonLinearizableKeys, type Operation } from "./linearizability.ts";

const at = (callMs: number, returnMs: number, action: Action, key = "k"): Operation => ({
  key,
  action,
  callMs,
  returnMs,
});
const put = (value: string): Action => ({ type: "put", value });
const get = (result?: string): Action => ({ type: "get", result });
const swap = (expect: string | undefined, value: string, succeeded: boolean): Action => ({
  type: "swap",
  expect,
  value,
  succeeded,
});
const never = Number.POSITIVE_INFINITY;

test.each<[string, Operation[]]>([
  ["a read of what nobody wrote", [at(0, 1, put("a")), at(2, 3, get("b"))]],
  ["a stale read", [at(0, 1, put("a")), at(2, 3, put("b")), at(4, 5, get("a"))]],
  ["a lost write", [at(0, 1, put("a")), at(2, 3, get())]],
  [
    "two reads that go back in time",
    [at(0, 1, put("a")), at(2, 9, put("b")), at(3, 4, get("b")), at(5, 6, get("a"))],
  ],
  [
    "two swaps that both win",
    [at(0, 1, put("a")), at(2, 5, swap("a", "b", true)), at(3, 6, swap("a", "c", true))],
  ],
  ["a write that fails and shows", [at(0, 1, swap("x", "b", false)), at(2, 3, get("b"))]],
  ["a write that shows before it is called", [at(0, 1, get("a")), at(2, never, put("a"))]],
  [
    "an unfinished write that comes and goes",
    [at(0, never, put("a")), at(1, 2, get("a")), at(3, 4, get()), at(5, 6, get("a"))],
  ],
])("refused: %s", (_, history) => {
  expect(nonLinearizableKeys(history)).toEqual(["k"]);
});

test.each<[string, Operation[]]>([
  ["reads during a write see it or not", [at(0, 9, put("a")), at(1, 2, get()), at(3, 4, get("a"))]],
  ["an unfinished write that happened", [at(0, never, put("a")), at(5, 6, get("a"))]],
  ["an unfinished write that did not", [at(0, never, put("a")), at(5, 6, get())]],
  [
    "one of two swaps wins",
    [at(0, 1, put("a")), at(2, 5, swap("a", "b", true)), at(3, 6, swap("a", "c", false))],
  ],
  [
    "keys have nothing to do with each other",
    [at(0, 1, put("a"), "x"), at(2, 3, get(), "y"), at(4, 5, get("a"), "x")],
  ],
])("accepted: %s", (_, history) => {
  expect(nonLinearizableKeys(history)).toEqual([]);
});
