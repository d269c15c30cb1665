/** The program as people run it: exit codes, files, and what bad input is told. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "labs-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function labs(args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=nanokube-source", main, ...args],
    { cwd: folder, encoding: "utf8", env: { ...process.env, ...env } },
  );
  return { status, stdout, stderr };
}

test("a student's first minutes: start, test, see why, replay", () => {
  expect(labs(["start", "01-mvcc", "."]).status).toBe(0);
  expect(existsSync(join(folder, "src/mvcc-store.ts"))).toBe(true);

  const again = labs(["start", "01-mvcc", "."]);
  expect(again).toMatchObject({ status: 3, stderr: "labs: . is not empty: nothing was copied\n" });

  const tested = labs(["test", "01-mvcc", "-s", "a", "--seed", "3"]);
  expect(tested.status).toBe(1);
  expect(tested.stdout).toContain("Property  A key that was put is read back");
  expect(tested.stdout).toContain("Replay    labs replay 01-mvcc/a.put-get/3\n");

  const replayed = labs(["replay", "01-mvcc/a.put-get/3"]);
  expect(replayed.status).toBe(1);
  expect(replayed.stdout).toMatch(/expected .*\n +got /);
});

test("hints are three rungs, counted in the folder", () => {
  expect(labs(["hint", "01-mvcc", "-s", "e"]).stdout).toMatch(/^Hint 1 of 3/);
  expect(labs(["hint", "01-mvcc", "-s", "e", "--more"]).stdout).toMatch(/^Hint 2 of 3/);
  expect(labs(["hint", "01-mvcc", "-s", "e"]).stdout).toMatch(/^Hint 2 of 3/);
  expect(readFileSync(join(folder, ".labs/hints.jsonl"), "utf8").trim().split("\n")).toHaveLength(
    2,
  );
});

test("results.json and every format are written, with the verdict as exit code", () => {
  const formats = "json,gradescope,junit,classroom,md";
  const args = ["grade", "01-mvcc", "--subject", "reference", "-s", "a", "--seeds", "2"];
  const graded = labs([...args, "--format", formats, "--out", "out"]);
  expect(graded).toMatchObject({ status: 0, stderr: "" });
  const results = JSON.parse(readFileSync(join(folder, "out/results.json"), "utf8"));
  expect(results).toMatchObject({ schema: 1, lab: "01-mvcc", verdict: "pass" });
  for (const name of ["gradescope.json", "junit.xml", "classroom.txt", "report.md"]) {
    expect(existsSync(join(folder, "out", name)), name).toBe(true);
  }
});

test("seeds of the term come from the course key, the student and the day", () => {
  const grade = (student: string, env = { LABS_COURSE_KEY: "key" }) => {
    const who = ["--student", student, "--day", "2026-11-21", "--format", "json"];
    const args = ["grade", "01-mvcc", "--subject", "reference", "-s", "a", "--seeds", "4"];
    return labs([...args, ...who], env);
  };
  const graded = grade("ann");
  expect(graded.status).toBe(0);
  expect(JSON.parse(graded.stdout)).toMatchObject({ seedSet: { public: 2, term: 2 } });
  expect(grade("ann", { LABS_COURSE_KEY: "" }).status).toBe(3);
});

test("a file that does not load loses; nothing is graded as right", () => {
  writeFileSync(join(folder, "broken.ts"), "export const create = (;\n");
  const graded = labs(["grade", "01-mvcc", "--subject", "broken.ts", "-s", "a", "--seeds", "1"]);
  expect(graded.status).toBe(1);
  expect(graded.stdout).toContain("The file loads and exports create(deps).");
});

test("Ctrl-C takes the student's process along, also one that hangs", async () => {
  const file = join(folder, "hangs.ts");
  const loop = "export const create = () => { console.log('begun'); for (;;) {} };\n";
  writeFileSync(file, loop);
  const args = ["--conditions=nanokube-source", main, "test", "01-mvcc", "--subject", file];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  await once(child.stderr, "data");
  child.kill("SIGINT");
  expect(await ended).toEqual([130, null]);
  const left = () =>
    spawnSync("ps", ["-eo", "stat,args"], { encoding: "utf8" })
      .stdout.split("\n")
      .filter((line) => line.includes(file) && !line.startsWith("Z"));
  await expect.poll(left).toEqual([]);
});

test.each([
  ["no such lab", ["grade", "99-none"], /there is no lab 99-none; there are: 01-mvcc/],
  ["no such file", ["grade", "01-mvcc"], /src\/mvcc-store\.ts: no such file/],
  [
    "no such stage",
    ["test", "01-mvcc", "-s", "z", "--subject", "reference"],
    /nothing .* selected/,
  ],
  ["no such format", ["grade", "01-mvcc", "--format", "pdf"], /no such format: pdf/],
  ["no seeds", ["grade", "01-mvcc", "--seeds", "0"], /must be a whole number above 0/],
  ["no such binary", ["grade", "01-mvcc", "--subject", "bin:/none"], /\/none is not an executable/],
  [
    "not an etcd",
    ["grade", "01-mvcc", "--subject", "bin:/bin/false"],
    /\/bin\/false: did not serve/,
  ],
  ["nobody there", ["grade", "01-mvcc", "--subject", "etcd:http://127.0.0.1:1"], /etcd at http:/],
  ["not an id", ["replay", "01-mvcc"], /must be LAB\/CHECK\/SEED/],
])("%s is the environment's: exit 3 and one line", (_, args, message) => {
  const { status, stdout, stderr } = labs(args);
  expect(stderr).toMatch(message);
  expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
});
