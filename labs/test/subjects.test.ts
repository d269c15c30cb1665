/** The same grading on a store that nobody of us wrote for it, and on etcd itself. */
import { fileURLToPath } from "node:url";
import { findEveryUpstream } from "nanokube/programs";
import { describe, expect, test } from "vitest";
import { allChecks, totalEarned, totalPoints } from "../src/core/results.ts";
import { publicSeeds } from "../src/core/seeds.ts";
import { grade } from "../src/io/grade.ts";
import { readLab } from "../src/io/manifest.ts";
import { etcdVersion } from "../src/io/upstream.ts";

const lab = readLab("01-mvcc");
const env = process.env;

async function fullMarks(subject: string, seeds: number): Promise<void> {
  const results = await grade({ lab, subject, seeds: publicSeeds(seeds), env });
  const lost = allChecks(results).filter((check) => check.verdict !== "pass");
  expect(lost.map((check) => check.message)).toEqual([]);
  expect(totalEarned(results)).toBe(totalPoints(results));
  expect(results.verdict).toBe("pass");
}

test("a right store that is not the reference gets full marks", async () => {
  await fullMarks(fileURLToPath(new URL("naive-store/main.ts", import.meta.url)), 3);
});

const binaries = findEveryUpstream("etcd", env);
const missing = "etcd is not in the cache of upstream's programs or on PATH (npm run upstream)";
if (binaries.length === 0 && env["CI"] === "true") throw new Error(missing);

describe.skipIf(binaries.length === 0)(
  binaries.length === 0 ? `etcd gets full marks: skipped, ${missing}` : "etcd gets full marks",
  () => {
    test.each(binaries.map((path) => [etcdVersion(path), path]))("%s", async (_, path) => {
      await fullMarks(`bin:${path}`, 2);
    });
  },
);
