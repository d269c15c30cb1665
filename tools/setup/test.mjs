/**
 * `npm test`: its own set-up, then types, lint and every test; the last line has the counts.
 *
 * In CI upstream's programs are made first, so that no comparison with upstream is skipped.
 *
 * A few files that failed are run once more, alone: a machine that is busy with something else for
 * seconds fails a test that waits for a process, as it does upstream's. Both outcomes are shown;
 * what fails twice has failed. More than a few files are not looked at again.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { environment, installDependencies, installPrograms, root } from "./install.mjs";

const filesOfSecondLook = 4;

installDependencies();
installPrograms({ forTests: true });

const env = environment();
let passed = 0;
let failed = 0;

/** A step that is right or wrong as a whole counts as one test. */
function step(name, command, args) {
  process.stdout.write(`\n— ${name}\n`);
  const result = spawnSync(command, args, { cwd: root, env, stdio: "inherit" });
  if (result.status === 0) passed += 1;
  else failed += 1;
}

/**
 * What a run of vitest says: tests by name, and whether each passed. A file that does not load has
 * no tests: it stands for itself. An error outside of every test is the run's.
 */
function runTests(args) {
  const directory = mkdtempSync(join(tmpdir(), "nanokube-test-"));
  const report = join(directory, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const { status } = spawnSync("vitest", ["run", ...reporters, ...args], {
    cwd: root,
    env,
    stdio: "inherit",
  });
  const results = new Map();
  let skipped = 0;
  try {
    const counts = JSON.parse(readFileSync(report, "utf8"));
    skipped = counts.numPendingTests;
    for (const { name, status: outcome, assertionResults } of counts.testResults) {
      const file = relative(root, name);
      if (outcome === "failed" && assertionResults.length === 0) results.set(file, { file });
      for (const test of assertionResults) {
        if (test.status !== "passed" && test.status !== "failed") continue;
        let key = `${file} > ${test.fullName}`;
        while (results.has(key)) key += " (again)";
        results.set(key, { file, passed: test.status === "passed" });
      }
    }
  } catch (error) {
    process.stderr.write(`no test report: ${error.message}\n`);
  }
  rmSync(directory, { recursive: true, force: true });
  if (status !== 0 && failuresOf(results).length === 0) results.set("vitest itself", {});
  return { results, skipped };
}

function failuresOf(results) {
  return [...results].filter(([, result]) => !result.passed);
}

const only = process.argv.slice(2);
if (only.length === 0) {
  if (env.CI === "true") step("upstream's programs", "npm", ["run", "--silent", "upstream"]);
  step("types", "turbo", ["run", "typecheck", "--output-logs=errors-only", "--no-daemon"]);
  step("format and lint", "biome", ["check", "--diagnostic-level=warn", "."]);
}

process.stdout.write("\n— tests\n");
const { results, skipped } = runTests(only);
const suspects = failuresOf(results);
const files = [...new Set(suspects.map(([, { file }]) => file))];
if (files.length > 0 && files.length <= filesOfSecondLook && files.every(Boolean)) {
  process.stdout.write(`\n— once more, alone: ${files.join(", ")}\n`);
  const again = runTests(["--maxWorkers=1", ...files]).results;
  for (const [name] of suspects) {
    results.delete(name);
    if (again.get(name)?.passed) process.stdout.write(`unsteady: ${name} passed alone\n`);
  }
  for (const [name, result] of again) results.set(name, result);
}
const failures = failuresOf(results);
failed += failures.length;
passed += results.size - failures.length;
for (const [name] of failures) process.stdout.write(`failed: ${name}\n`);
if (skipped > 0) process.stdout.write(`\n${skipped} skipped, each with its reason above\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
