/**
 * `npm run upstream [-- program…]`: builds upstream's programs from their Go modules
 * into the cache.
 *
 * What is there already, of the pinned version, is left alone. About ten minutes on two cores from
 * an empty Go cache; every download goes through the Go module proxy that `go` is set up with.
 */
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { cacheDirectory, isExecutable } from "./cache.ts";
import { buildFabric8Operator } from "./java.ts";
import { type Program, programs } from "./programs.ts";
import { buildPythonClient } from "./python.ts";

const pins = fileURLToPath(new URL("../../upstream/pins/", import.meta.url));
const versionsFile = fileURLToPath(new URL("../../../../upstream.json", import.meta.url));

const pythonClient = "python-client";
const javaClient = "java-client";

type Versions = Record<Program["module"], string>;

/** Linker flags by which Kubernetes and containerd programs know their own version. */
function linkerFlags({ module }: Program, versions: Versions): string {
  const flags = ["-s", "-w"];
  if (module === "kubernetes") {
    const [major, minor] = versions.kubernetes.slice(1).split(".") as [string, string];
    for (const path of ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]) {
      flags.push(
        `-X ${path}.gitVersion=${versions.kubernetes}`,
        `-X ${path}.gitMajor=${major} -X ${path}.gitMinor=${minor}`,
        `-X ${path}.gitTreeState=clean -X ${path}.gitCommit=${versions.kubernetes}`,
      );
    }
  }
  if (module === "containerd") {
    const path = "github.com/containerd/containerd/v2/version.Version";
    flags.push(`-X ${path}=${versions.containerd}`);
  }
  return flags.join(" ");
}

async function stampOf(program: Program, versions: Versions): Promise<string> {
  const hash = createHash("sha256");
  hash.update(await readFile(join(pins, program.module, "go.sum")));
  hash.update(program.path).update(linkerFlags(program, versions));
  if (program.path.startsWith("./")) {
    const folder = join(pins, program.module, program.path);
    for (const file of (await readdir(folder)).toSorted()) {
      hash.update(await readFile(join(folder, file)));
    }
  }
  return hash.digest("hex");
}

async function build(program: Program, versions: Versions): Promise<"kept" | "built"> {
  const directory = cacheDirectory();
  const target = join(directory, program.name);
  const stampFile = join(directory, "..", "stamps", program.name);
  const stamp = await stampOf(program, versions);
  const known = await readFile(stampFile, "utf8").catch(() => "");
  if (known === stamp && isExecutable(target)) return "kept";
  // A scratch copy, so that a build never edits the pins.
  const scratch = join(directory, "..", "src", program.module);
  await mkdir(scratch, { recursive: true });
  await cp(join(pins, program.module), scratch, { recursive: true });
  const verb = program.test ? ["test", "-c"] : ["build"];
  const output = ["-ldflags", linkerFlags(program, versions), "-o", target, program.path];
  await execa("go", [...verb, ...output], {
    cwd: scratch,
    env: { CGO_ENABLED: "0", GOFLAGS: "-mod=mod -buildvcs=false" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  await mkdir(join(stampFile, ".."), { recursive: true });
  await writeFile(stampFile, stamp);
  return "built";
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const known = [...programs.map(({ name }) => name), pythonClient, javaClient];
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no such program: ${unknown.join(", ")}`);
  const versions = JSON.parse(await readFile(versionsFile, "utf8")) as Versions;
  await mkdir(cacheDirectory(), { recursive: true });
  for (const program of programs) {
    if (wanted.length > 0 ? !wanted.includes(program.name) : program.optional) continue;
    const startMs = performance.now();
    const outcome = await build(program, versions);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    if (outcome === "built") process.stdout.write(`${program.name} built in ${seconds} s\n`);
  }
  if (wanted.length === 0 || wanted.includes(pythonClient)) {
    const isMade = await buildPythonClient();
    if (!isMade) process.stdout.write("no python3 with venv: its clients are left out\n");
  }
  if (wanted.length === 0 || wanted.includes(javaClient)) {
    const isMade = await buildFabric8Operator();
    if (!isMade) process.stdout.write("no mvn and javac: Java's client is left out\n");
  }
  process.stdout.write(`upstream's programs are in ${cacheDirectory()}\n`);
}

main().catch((error: Error & { shortMessage?: string }) => {
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  const reason = missing ? "go is not on PATH: it builds upstream's programs" : error.message;
  process.stderr.write(`Error: ${error.shortMessage ?? reason}\n`);
  process.exitCode = 1;
});
