/**
 * One call of the plugin: the environment checked, the configuration's bytes decoded.
 *
 * Errors  4 a variable is missing or malformed; 6 the configuration is no JSON; 7 its name is
 *         missing or malformed
 * Source  CNI 1.1.0 pkg/skel/skel.go getCmdArgsFromEnv, pkg/utils/utils.go
 */
import { CNIError } from "./errors.ts";
import { atLeast, checkVersion } from "./version.ts";

export type Command = "ADD" | "DEL" | "CHECK" | "GC" | "STATUS" | "VERSION";
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Request {
  command: Command;
  containerID: string;
  netns: string;
  ifName: string;
  /** CNI_ARGS as pairs. */
  args: ReadonlyMap<string, string>;
  /** CNI_PATH, for delegation. */
  path: string;
  netnsOverride: boolean;
  config: Readonly<Record<string, unknown>>;
  cniVersion: string;
}

/** Which variable a command cannot do without; upstream's table. */
const required: Readonly<Record<Command, readonly string[]>> = {
  ADD: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
  CHECK: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
  DEL: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
  GC: ["CNI_PATH"],
  STATUS: ["CNI_PATH"],
  VERSION: [],
};
/** The first protocol version that has the command. */
const since: Partial<Record<Command, string>> = { CHECK: "0.4.0", GC: "1.1.0", STATUS: "1.1.0" };

const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

export function parseCommand(env: Environment): Command {
  const command = env.CNI_COMMAND ?? "";
  const missing = command === "" ? ["CNI_COMMAND"] : [];
  const needs = required[command as Command] as readonly string[] | undefined;
  missing.push(...(needs ?? []).filter((name) => (env[name] ?? "") === ""));
  if (missing.length > 0) {
    const text = `required env variables [${missing.join(",")}] missing`;
    throw new CNIError("invalidEnvironment", text);
  }
  if (needs === undefined) {
    throw new CNIError("invalidEnvironment", `unknown CNI_COMMAND: ${command}`);
  }
  if (needs.includes("CNI_CONTAINERID")) validateContainerID(env.CNI_CONTAINERID ?? "");
  if (needs.includes("CNI_IFNAME")) validateInterfaceName(env.CNI_IFNAME ?? "");
  return command as Command;
}

export function parseRequest(env: Environment, stdin: string): Request {
  const command = parseCommand(env);
  const config = decodeConfig(stdin);
  const cniVersion = typeof config.cniVersion === "string" ? config.cniVersion : "0.1.0";
  checkVersion(cniVersion);
  const first = since[command];
  if (first !== undefined && !atLeast(cniVersion, first)) {
    throw new CNIError("incompatibleVersion", `config version does not allow ${command}`);
  }
  const override = (env.CNI_NETNS_OVERRIDE ?? "").toUpperCase();
  return {
    command,
    containerID: env.CNI_CONTAINERID ?? "",
    netns: env.CNI_NETNS ?? "",
    ifName: env.CNI_IFNAME ?? "",
    args: parseArgs(env.CNI_ARGS ?? ""),
    path: env.CNI_PATH ?? "",
    netnsOverride: override === "TRUE" || override === "1",
    config,
    cniVersion,
  };
}

function decodeConfig(stdin: string): Record<string, unknown> {
  let config: unknown;
  try {
    config = JSON.parse(stdin);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CNIError("decodingFailure", `error unmarshall network config: ${why}`);
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new CNIError("decodingFailure", "error unmarshall network config: not an object");
  }
  const { name } = config as Record<string, unknown>;
  if (typeof name !== "string" || name === "") {
    throw new CNIError("invalidConfig", "missing network name");
  }
  // The name becomes a directory under dataDir: the pattern keeps it inside.
  if (!validName.test(name)) {
    throw new CNIError("invalidConfig", "invalid characters found in network name", name);
  }
  return config as Record<string, unknown>;
}

export function validateContainerID(id: string): void {
  if (!validName.test(id)) {
    throw new CNIError("invalidEnvironment", "invalid characters in containerID", id);
  }
}

function validateInterfaceName(name: string): void {
  const refuse = (why: string, details = "") => {
    throw new CNIError("invalidEnvironment", why, details);
  };
  if (name.length > 15) {
    refuse("interface name is too long", "interface name should be less than 16 characters");
  }
  if (name === "." || name === "..") refuse("interface name is . or ..");
  if (/[/:\s]/.test(name)) refuse("interface name contains / or : or whitespace characters");
}

/** "IgnoreUnknown=1;K8S_POD_NAME=web" → pairs. */
function parseArgs(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of text.split(";").filter((p) => p !== "")) {
    const at = pair.indexOf("=");
    if (at < 0) throw new CNIError("invalidEnvironment", `ARGS: invalid pair "${pair}"`);
    pairs.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return pairs;
}
