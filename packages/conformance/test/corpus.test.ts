/**
 * Our API server answers every request of the corpus as kube-apiserver did when it was recorded
 * (`npm run corpus -- record`), but for the cases in testdata/corpus-differences.
 */
import { afterAll, describe, expect, test } from "vitest";
import { corpus } from "../src/corpus/all.ts";
import { BothServers } from "../src/corpus/both-servers.ts";
import { openInProcess } from "../src/corpus/in-process.ts";
import { readKnown } from "../src/corpus/known-differences.ts";
import { reasonOf } from "../src/corpus/reasons.ts";
import { replayGroup } from "../src/corpus/replay.ts";

describe("the corpus", () => {
  const ours = new BothServers(openInProcess);
  afterAll(() => ours.close());

  test.for(corpus().map((group) => [group.name, group] as const))("%s", async ([name, group]) => {
    const known = readKnown(name);
    const { differing, missing, count } = await replayGroup(group, await ours.sendOf(group));
    expect(missing, "record them: npm run corpus -- record").toEqual([]);
    expect(count).toBeGreaterThan(0);
    const unexplained = [...known.keys()].filter((one) => reasonOf(name, one) === undefined);
    expect(unexplained, "say why: src/corpus/reasons.ts").toEqual([]);
    const isNew = [...differing].filter(([one]) => !known.has(one));
    expect(Object.fromEntries(isNew)).toEqual({});
    const cured = [...known.keys()].filter((one) => !differing.has(one));
    expect(cured, "they no longer differ: npm run corpus -- accept").toEqual([]);
  });
});
