/**
 * Which program of this machine a container is: its command, its environment, what it sees of
 * busybox's applets.
 *
 * Errors  containerd's words for a command that is not there
 */
import { delimiter, dirname } from "node:path";
import { codes, type cri, RpcError } from "@nanokube/rpc";
import type { ContainerRecord, Sandbox } from "../core/records.ts";
import { findProgram, type Isolation, type Program } from "./isolation.ts";

export interface Machine {
  /** PATH that programs are looked up in. */
  readonly path: string;
  /** A directory of busybox's commands, for what the machine itself lacks. */
  readonly applets: string | undefined;
  readonly isolation: Isolation;
}

/** Where the applets are seen by programs that have a view of their own. */
const APPLETS = "/.cri-embedded/bin";

/** What images run that name no command. */
const DEFAULT_PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  busybox: ["sh"],
  alpine: ["sh"],
  node: ["node"],
};

/** undefined: the image's own program is not on this machine, so nothing is run. */
export function programOf(
  record: ContainerRecord,
  sandbox: Sandbox,
  machine: Machine,
): Program | undefined {
  const { command, args, workingDir } = record.config;
  const given = [...command, ...args];
  const argv = given.length > 0 ? given : [...(DEFAULT_PROGRAMS[imageName(record)] ?? [])];
  const [name] = argv;
  if (name === undefined) return undefined;
  const env = environmentOf(record, sandbox, machine);
  const search = [env["PATH"], machine.applets].filter((part) => part !== undefined);
  const isMounted = record.config.mounts.some((mount) => name.startsWith(mount.containerPath));
  if (findProgram(name, search.join(delimiter)) === undefined && !isMounted) {
    if (command.length === 0) return undefined;
    throw notThere(name);
  }
  return { argv, env, cwd: workingDir };
}

/** "busybox" of registry.example.com/library/busybox:1.36. */
function imageName({ config: { image } }: ContainerRecord): string {
  const named = (image?.userSpecifiedImage || image?.image || "").split("@")[0]!;
  return named.split("/").at(-1)!.split(":")[0]!;
}

function notThere(name: string): RpcError {
  const why = name.includes("/")
    ? `stat ${name}: no such file or directory`
    : "executable file not found in $PATH";
  return new RpcError(
    codes.UNKNOWN,
    `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "${name}": ${why}: unknown`,
  );
}

function environmentOf(
  record: ContainerRecord,
  sandbox: Sandbox,
  machine: Machine,
): Record<string, string> {
  const decoder = new TextDecoder();
  const own = record.config.envs.map(({ key, value }) => [
    key,
    typeof value === "string" ? value : decoder.decode(value),
  ]);
  return {
    // Programs that the images would have brought: this very Node, and busybox's applets.
    PATH: pathOf(machine),
    HOME: "/root",
    HOSTNAME: sandbox.config.hostname,
    ...Object.fromEntries(own),
  };
}

function pathOf({ path, applets, isolation }: Machine): string {
  const seen = isolation.name === "plain" ? applets : APPLETS;
  const parts = [path, dirname(process.execPath)];
  return [...parts, ...(applets === undefined ? [] : [seen!])].join(delimiter);
}

/** The container's mounts, and the applets' where it has a view of its own. */
export function mountsOf(record: ContainerRecord, { applets, isolation }: Machine): cri.Mount[] {
  const mounts = [...record.config.mounts];
  if (applets !== undefined && isolation.name !== "plain") {
    mounts.push({ containerPath: APPLETS, hostPath: applets, readonly: true } as cri.Mount);
  }
  return mounts;
}

/** Those of TCP that the pod declares: a script answers there. */
export function declaredPorts(record: ContainerRecord): number[] {
  const raw = record.config.annotations["io.kubernetes.container.ports"];
  if (raw === undefined) return [];
  const ports = JSON.parse(raw) as { containerPort?: number; protocol?: string }[];
  return ports
    .filter((port) => (port.protocol ?? "TCP") === "TCP")
    .map((port) => port.containerPort ?? 0);
}
