import { expect, test } from "vitest";
import { countedAddresses } from "./counted-endpoints.ts";

const subset = (...ips: string[]) => ({ addresses: ips.map((ip) => ({ ip })) });

test.for([
  ["none yet", [], "b", 1, ["b"]],
  ["two subsets: begun anew", [subset("a"), subset("b")], "b", 2, ["b"]],
  ["as it should be", [subset("a", "b")], "b", 2, undefined],
  ["its own is added", [subset("a", "c")], "b", 3, ["a", "b", "c"]],
  ["too many: the next ones go", [subset("a", "b", "c", "d")], "b", 2, ["a", "b"]],
  ["the last one goes round", [subset("a", "b", "c")], "c", 2, ["b", "c"]],
  ["its own and one too many", [subset("a")], "b", 1, ["b"]],
] as const)("%s", ([, subsets, own, count, expected]) => {
  const copy = structuredClone(subsets) as unknown as Parameters<typeof countedAddresses>[0];
  expect(countedAddresses(copy, own, count)).toEqual(expected);
});
