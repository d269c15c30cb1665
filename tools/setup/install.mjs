/**
 * What must be on the machine before anything else runs; plain JavaScript, because the system's own
 * Node (20 or newer) runs it.
 *
 * Nothing is installed globally: npm packages go into node_modules (the Node that runs the project
 * among them). As root on Debian or Ubuntu, programs of the distribution are installed too, after
 * saying which and why.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const bin = join(root, "node_modules", ".bin");

/** The pinned Node, found first on PATH by everything we start. */
export const environment = () => ({
  ...process.env,
  PATH: [bin, process.env.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin"].join(delimiter),
});

export const pinnedNode = join(root, "node_modules", "node", "bin", "node");

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (result.error !== undefined) fail(`${command}: ${result.error.message}`);
  return result.status ?? 1;
}

/** Runs `npm ci` when node_modules is missing or made from another lock file. */
export function installDependencies() {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) fail(`Node ${process.version} is too old: nanokube needs Node 20 or newer`);
  const stamp = join(root, "node_modules", ".nanokube-lock");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock && existsSync(pinnedNode)) return;
  process.stdout.write("installing npm dependencies (once) …\n");
  // Many packages ask for a newer Node than the one that runs npm; ours comes with them.
  const status = run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (status !== 0) fail("npm ci failed: the lines above say why");
  if (!existsSync(pinnedNode)) fail("npm did not install the pinned Node: are scripts disabled?");
  writeFileSync(stamp, lock);
}

const runtimePrograms = [
  // program       package              what for
  ["containerd", "containerd", "runs the containers"],
  ["runc", "runc", "runs the containers"],
  ["iptables-restore", "iptables", "Services"],
  ["conntrack", "conntrack", "Services over UDP"],
  ["ip", "iproute2", "node and pod networks"],
  ["busybox", "busybox-static", "the demo's images"],
];

const testPrograms = [
  ["etcdctl", "etcd-client", "an etcd client of an older release"],
  ["etcd", "etcd-server", "an etcd of an older release"],
  ["dig", "bind9-dnsutils", "asks our DNS"],
  ["tar", "tar", "kubectl cp"],
  ["script", "bsdutils", "gives kubectl a terminal"],
  ["/usr/lib/cni/bridge", "containernetworking-plugins", "upstream's CNI plugins to compare with"],
];

function isThere(program) {
  const directories = program.startsWith("/") ? [""] : environment().PATH.split(delimiter);
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Installs what real containers need, where that is possible; elsewhere the cluster says so itself. */
export function installPrograms({ forTests = false } = {}) {
  const wanted = forTests ? [...runtimePrograms, ...testPrograms] : runtimePrograms;
  const missing = wanted.filter(([program]) => !isThere(program));
  if (missing.length === 0 || process.platform !== "linux") return;
  if (process.getuid() !== 0 || !isThere("apt-get")) return;
  process.stdout.write("installing from the distribution's packages, for real containers:\n");
  for (const [, name, why] of missing) process.stdout.write(`  ${name.padEnd(28)}${why}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const names = [...new Set(missing.map(([, name]) => name))];
  const quiet = { env, stdio: ["ignore", "ignore", "inherit"] };
  run("apt-get", ["update", "-qq"], quiet);
  const install = ["install", "-y", "-qq", "--no-install-recommends", ...names];
  if (run("apt-get", install, quiet) !== 0) {
    process.stderr.write("some could not be installed: the lines above say why\n");
  }
}
