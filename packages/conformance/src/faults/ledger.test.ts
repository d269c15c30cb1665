/** The ledger finds what was lost, and forgives only what nobody was told. */
import { expect, test } from "vitest";
import { Ledger } from "./ledger.ts";

const cases: [what: string, lines: string[], stored: Record<string, string>, found: string[]][] = [
  ["nothing written", [], {}, []],
  ["as acknowledged", ["create a 5", "update a 6"], { a: "6" }, []],
  ["a lost creation", ["create a 5"], {}, ["a: acknowledged at 5, and is not there"]],
  ["a lost update", ["create a 5", "update a 6"], { a: "5" }, ["a: acknowledged at 6, and has 5"]],
  ["a lost deletion", ["create a 5", "delete a"], { a: "5" }, ["a: deleted, and has 5"]],
  ["an update nobody asked for", ["create a 5"], { a: "6" }, ["a: acknowledged at 5, and has 6"]],
  ["an object from nowhere", [], { a: "6" }, ["a: nobody wrote it"]],
  ["a creation without answer, done", ["unknown create a"], { a: "6" }, []],
  ["a creation without answer, not done", ["unknown create a"], {}, []],
  ["an update without answer, done", ["create a 5", "unknown update a"], { a: "9" }, []],
  ["an update without answer, not done", ["create a 5", "unknown update a"], { a: "5" }, []],
  [
    "an update without answer excuses no loss",
    ["create a 5", "unknown update a"],
    {},
    ["a: acknowledged at 5, and is not there"],
  ],
  [
    "nor an older version",
    ["create a 5", "update a 7", "unknown update a"],
    { a: "5" },
    ["a: acknowledged at 7, and has 5"],
  ],
  ["a deletion without answer, done", ["create a 5", "unknown delete a"], {}, []],
  ["a deletion without answer, not done", ["create a 5", "unknown delete a"], { a: "5" }, []],
];

test.each(cases)("%s", (_, lines, stored, found) => {
  const ledger = new Ledger();
  for (const line of lines) ledger.hear(line);
  const objects = Object.entries(stored).map(([name, resourceVersion]) => ({
    name,
    resourceVersion,
  }));
  expect(ledger.disagreements(objects)).toEqual(found);
});

test("a line that is none of a writer's is refused", () => {
  expect(() => new Ledger().hear("create a")).toThrow("no line of a writer: create a");
});
