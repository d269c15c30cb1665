/**
 * A machine of its own for a test: a network namespace that plays the host, and namespaces that
 * play pods.
 *
 * The machine's own interfaces are never touched: every command is run inside. `close` takes
 * everything down, also after a failure.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCNIPlugins } from "nanokube/programs";
import { installPlugin } from "../src/index.ts";

export const isRoot = process.getuid?.() === 0;
const found = findCNIPlugins();
export const hasUpstream = found !== undefined;
export const upstreamBin = found ?? "/opt/cni/bin";

export interface Reply {
  code: number;
  stdout: string;
  json: Record<string, unknown>;
}

export interface World {
  dir: string;
  dataDir: string;
  /** Runs in the host's namespace; throws when it fails. */
  host(...argv: string[]): string;
  pod(name: string): string;
  inPod(name: string, ...argv: string[]): string;
  cni(options: CallOptions): Promise<Reply>;
  close(): void;
}

export interface CallOptions {
  command: string;
  pod?: string;
  /** CNI_NETNS when it is not the pod's. */
  netns?: string;
  config: object;
  /** The executable; ours when absent. */
  plugin?: string;
  env?: Record<string, string>;
}

let count = 0;

export async function openWorld(): Promise<World> {
  const prefix = `nk-test-${process.pid}-${count++}`;
  const dir = mkdtempSync(join(tmpdir(), "nk-test-cni-"));
  const pods = new Set<string>();
  const nsPath = (name: string) => `/run/netns/${prefix}-${name}`;
  const sh = (argv: string[]): string => {
    const { status, stdout, stderr } = spawnSync(argv[0]!, argv.slice(1), { encoding: "utf8" });
    if (status !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
    return stdout;
  };
  const close = (): void => {
    for (const name of [...pods, "host"]) spawnSync("ip", ["netns", "del", `${prefix}-${name}`]);
    rmSync(dir, { recursive: true, force: true });
  };
  const host = (...argv: string[]) => sh(["nsenter", `--net=${nsPath("host")}`, ...argv]);
  try {
    await installPlugin(join(dir, "bin"));
    sh(["ip", "netns", "add", `${prefix}-host`]);
    host("ip", "link", "set", "lo", "up");
  } catch (error) {
    close();
    throw error;
  }
  const pod = (name: string): string => {
    if (!pods.has(name)) {
      sh(["ip", "netns", "add", `${prefix}-${name}`]);
      pods.add(name);
    }
    return nsPath(name);
  };
  return {
    dir,
    dataDir: join(dir, "networks"),
    host,
    pod,
    inPod: (name, ...argv) => sh(["nsenter", `--net=${pod(name)}`, ...argv]),
    close,
    cni(options) {
      const { command, config, plugin = join(dir, "bin", "cni-bridge") } = options;
      const env: Record<string, string> = {
        PATH: process.env.PATH ?? "",
        CNI_COMMAND: command,
        CNI_PATH: upstreamBin,
      };
      if (options.pod !== undefined) {
        env.CNI_CONTAINERID = options.pod;
        env.CNI_NETNS = options.netns ?? pod(options.pod);
        env.CNI_IFNAME = "eth0";
      }
      const argv = [`--net=${nsPath("host")}`, plugin];
      return run("nsenter", argv, { ...env, ...options.env }, JSON.stringify(config));
    },
  };
}

function run(
  program: string,
  argv: string[],
  env: Record<string, string>,
  input: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { env, stdio: ["pipe", "pipe", "inherit"] });
    let stdout = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      const json = stdout.trim() === "" ? {} : (JSON.parse(stdout) as Record<string, unknown>);
      resolve({ code: code ?? -1, stdout, json });
    });
    child.stdin.on("error", () => {}); // VERSION reads nothing
    child.stdin.end(input);
  });
}

export const read = (path: string): string => readFileSync(path, "utf8");
