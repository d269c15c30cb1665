/**
 * How a container's program sees its files.
 *
 *   namespaces  Linux lets us make a user and mount namespace: the machine's own files under a
 *               copy-on-write layer of the container's, volumes mounted where the pod wants them
 *   plain       everywhere else: the machine's files as they are; paths of volumes are rewritten in
 *               arguments and variables, and links to them stand in the working directory
 *
 * Neither is a jail: programs run with the rights of the user who runs the runtime.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { cri } from "@nanokube/rpc";
import { mapPath, mapScript, mapWord, type PathMount } from "../core/path-mapping.ts";
import { setUpScript } from "./namespace-script.ts";

export interface Program {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
}

export interface Isolation {
  readonly name: "namespaces" | "plain";
  /** The command that runs the container's program. */
  wrap(directory: string, program: Program, mounts: readonly cri.Mount[]): Program;
  /** The program's own process, given the one that was spawned. */
  processOf(pid: number): number;
  /** The command that runs another program beside it. */
  enter(pid: number, program: Program, mounts: readonly cri.Mount[]): Program;
}

type Layer = "overlay" | "links";

/** Makes the namespaces once for nothing: some machines forbid them. */
export function detectIsolation(scratch: string): Isolation {
  if (process.platform !== "linux") return plain;
  const isRoot = process.getuid?.() === 0;
  const layers: Layer[] = isRoot ? ["overlay", "links"] : ["links"];
  for (const layer of layers) {
    const directory = join(scratch, "probe");
    const made = namespaces(isRoot, layer);
    const env = { PATH: process.env.PATH ?? "" };
    const program = { argv: ["/bin/sh", "-c", "exit 42"], env, cwd: "/" };
    const { argv } = made.wrap(directory, program, []);
    const stdio = ["ignore", "ignore", "ignore", "ignore"] as const;
    const { status } = spawnSync(argv[0]!, argv.slice(1), {
      env,
      timeout: 5000,
      stdio: [...stdio],
    });
    rmSync(directory, { recursive: true, force: true });
    if (status === 42) return made;
  }
  return plain;
}

function namespaces(isRoot: boolean, layer: Layer): Isolation {
  const user = isRoot ? [] : ["--user", "--map-root-user"];
  return {
    name: "namespaces",
    wrap(directory, program, mounts) {
      const binds = mounts
        .filter((mount) => mount.hostPath !== "" && existsSync(mount.hostPath))
        .flatMap((mount) => [mount.hostPath, mount.containerPath, mount.readonly ? "ro" : "rw"]);
      mkdirSync(join(directory, "root"), { recursive: true });
      mkdirSync(join(directory, "layer"), { recursive: true });
      const argv = ["unshare", ...user, "--mount", "--propagation", "private"];
      // A process id space of its own: whatever the program starts ends with it.
      argv.push("--pid", "--fork", "--kill-child", "/bin/sh", "-c");
      argv.push(setUpScript(layer), "sh", join(directory, "root"), join(directory, "layer"));
      argv.push(...binds, "--", program.cwd || "/", ...program.argv);
      return { argv, env: program.env, cwd: "/" };
    },
    processOf: innerPid,
    enter(pid, program) {
      const own = isRoot ? [] : ["--user", "--preserve-credentials"];
      const argv = ["nsenter", "-t", String(innerPid(pid)), ...own];
      argv.push("--mount", "--pid", "--root", "--wd");
      return { argv: [...argv, ...program.argv], env: program.env, cwd: "/" };
    },
  };
}

/** `unshare --fork` waits outside; its only child is process 1 inside. */
function innerPid(pid: number): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return Number(children.split(" ")[0]) || pid;
  } catch {
    return pid; // It has ended.
  }
}

const SHELLS = /(^|\/)(sh|bash|ash|dash)$/;

function rewrite(program: Program, mounts: readonly cri.Mount[]): Program {
  const paths: PathMount[] = mounts.filter((mount) => mount.hostPath !== "");
  const isShell = SHELLS.test(program.argv[0] ?? "");
  const argv = program.argv.map((word, index) =>
    isShell && program.argv[index - 1] === "-c" ? mapScript(word, paths) : mapWord(word, paths),
  );
  const env = Object.entries(program.env).map(([key, value]) => [key, mapWord(value, paths)]);
  return { argv, env: Object.fromEntries(env), cwd: mapPath(program.cwd, paths) };
}

export const plain: Isolation = {
  name: "plain",
  wrap(directory, program, mounts) {
    const home = join(directory, "root");
    mkdirSync(home, { recursive: true });
    for (const { containerPath, hostPath } of mounts) {
      if (hostPath === "") continue;
      const link = join(home, containerPath);
      mkdirSync(dirname(link), { recursive: true });
      if (!existsSync(link)) symlinkSync(hostPath, link);
    }
    const mapped = rewrite(program, mounts);
    const exists =
      mapped.cwd !== "" && existsSync(mapped.cwd) && statSync(mapped.cwd).isDirectory();
    return { ...mapped, cwd: exists ? mapped.cwd : home };
  },
  processOf: (pid) => pid,
  enter(_pid, program, mounts) {
    const mapped = rewrite(program, mounts);
    return { ...mapped, cwd: existsSync(mapped.cwd) ? mapped.cwd : "/" };
  },
};

/** Where the program is, by the container's PATH; undefined when nowhere. */
export function findProgram(name: string, path: string): string | undefined {
  if (name.includes("/")) return existsSync(name) ? name : undefined;
  return path
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((file) => existsSync(file));
}

/** Descriptor 3 is where a program with a view of its own says that it is set up. */
export const run = (program: Program, stdin: "pipe" | "ignore") =>
  spawn(program.argv[0]!, program.argv.slice(1), {
    env: { ...program.env },
    cwd: program.cwd,
    stdio: [stdin, "pipe", "pipe", "pipe"],
    // A group of its own, so that what the program starts ends with it.
    detached: true,
  });
