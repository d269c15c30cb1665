/**
 * Installs the packed packages where no source is, and uses them there as a user would.
 *
 *     npm run release:check        after `npm run build`
 *
 * A test environment must run a pod, and every program must know `--help`. Errors end it with what
 * the program said; the folder is removed in any case.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const names = readdirSync(join(root, "packages")).sort();
const folders = [...names.map((name) => join(root, "packages", name)), join(root, "labs")];

const consumer = `
import { pods } from "@nanokube/client";
import { TestEnvironment } from "@nanokube/testenv";
const env = await TestEnvironment.start({ nodes: 1 });
const api = env.client.resource(pods).namespace(await env.createNamespace());
await api.create({ metadata: { name: "web" }, spec: { containers: [{ name: "c", image: "c" }] } });
await env.eventually(async () => (await api.get("web")).status?.phase === "Running");
await env.stop();
`;

const run = (cwd, program, ...args) =>
  execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const work = mkdtempSync(join(tmpdir(), "nanokube-release-"));
try {
  const tarballs = join(work, "tarballs");
  mkdirSync(tarballs);
  const bins = folders.flatMap((folder) => {
    const { bin = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    run(folder, "npm", "pack", "--silent", "--pack-destination", tarballs);
    return Object.keys(bin);
  });
  console.log(`packed ${folders.length} packages`);
  writeFileSync(join(work, "package.json"), '{ "private": true, "type": "module" }');
  writeFileSync(join(work, "consumer.mjs"), consumer);
  const packed = readdirSync(tarballs).map((name) => join(tarballs, name));
  run(work, "npm", "install", "--silent", "--no-package-lock", ...packed);
  run(work, process.execPath, "consumer.mjs");
  console.log("a test environment ran a pod");
  for (const bin of bins) run(work, join(work, "node_modules", ".bin", bin), "--help");
  console.log(`${bins.length} programs start: ${bins.join(" ")}`);
} catch (error) {
  console.error(error.stderr || error.stdout || error);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
