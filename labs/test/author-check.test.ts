/** The grader graded, with few seeds: `labs author check` runs the same rules with twenty. */
import { expect, test } from "vitest";
import { authorCheck } from "../src/io/author-check.ts";
import { etcdTarget } from "../src/io/commands.ts";

test("lab 01: starter, reference, mutants, cheaters, transcripts, reports, golden output", async () => {
  const broken: Record<string, readonly string[]> = {};
  const isRight = await authorCheck({
    lab: "01-mvcc",
    seeds: 2,
    env: process.env,
    isUpdating: false,
    etcdTarget: etcdTarget(),
    onRule: (rule, breaches) => {
      if (breaches.length > 0) broken[rule] = breaches;
    },
  });
  expect(broken).toEqual({});
  expect(isRight).toBe(true);
}, 400_000);
