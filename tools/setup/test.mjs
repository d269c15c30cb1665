/**
 * `npm test`: its own set-up, then types, lint and every test; the last line has the counts.
 *
 * In CI upstream's programs are made first, so that no comparison with upstream is skipped.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment, installDependencies, installPrograms, root } from "./install.mjs";

installDependencies();
installPrograms({ forTests: true });

const env = environment();
const directory = mkdtempSync(join(tmpdir(), "nanokube-test-"));
const report = join(directory, "report.json");
let passed = 0;
let failed = 0;

/** A step that is right or wrong as a whole counts as one test. */
function step(name, command, args) {
  process.stdout.write(`\n— ${name}\n`);
  const result = spawnSync(command, args, { cwd: root, env, stdio: "inherit" });
  if (result.status === 0) passed += 1;
  else failed += 1;
  return result.status === 0;
}

const only = process.argv.slice(2);
if (only.length === 0) {
  if (env.CI === "true") step("upstream's programs", "npm", ["run", "--silent", "upstream"]);
  step("types", "turbo", ["run", "typecheck", "--output-logs=errors-only", "--no-daemon"]);
  step("format and lint", "biome", ["check", "--diagnostic-level=warn", "."]);
}

process.stdout.write("\n— tests\n");
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const tests = spawnSync("vitest", ["run", ...reporters, ...only], {
  cwd: root,
  env,
  stdio: "inherit",
});
let skipped = 0;
try {
  const counts = JSON.parse(readFileSync(report, "utf8"));
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  skipped = counts.numPendingTests;
  // A file that does not load has no tests to fail.
  failed += counts.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  ).length;
} catch (error) {
  process.stderr.write(`no test report: ${error.message}\n`);
  failed += 1;
}
if (tests.status !== 0 && failed === 0) failed += 1;
rmSync(directory, { recursive: true, force: true });
if (skipped > 0) process.stdout.write(`\n${skipped} skipped, each with its reason above\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
