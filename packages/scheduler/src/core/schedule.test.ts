/** Every script of testdata, and the arithmetic that scripts say badly. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runScript } from "../testing/script.ts";
import { feasibleNodesToFind } from "./schedule.ts";

const directory = new URL("../../testdata/", import.meta.url);

test.for(readdirSync(directory).filter((file) => file.endsWith(".txt")))("%s", (file) => {
  const text = readFileSync(new URL(file, directory), "utf8");
  for (const part of text.split(/\n(?====)/)) {
    const [script, want] = part.split("\n----\n") as [string, string];
    expect(runScript(script.replace(/^===.*$/m, ""))).toBe(want.trimEnd());
  }
});

test.for([
  // nodes, percentage, how many are looked for
  [50, 0, 50],
  [99, 5, 99],
  [100, 0, 100],
  [1000, 0, 420],
  [1000, 30, 300],
  [5000, 0, 500],
  [6000, 0, 300],
  [10000, 1, 100],
])("how many fitting nodes are enough: %j", ([nodes, percentage, want]) => {
  expect(feasibleNodesToFind(nodes!, percentage!)).toBe(want);
});
