/**
 * One call of the plugin from environment and standard input to the text for standard output.
 *
 * Nothing here reads process.*: a test, or an agent that wants to save the process start, calls it
 * directly.
 *
 * Shapes  Reply  what to print and how to exit; an error is JSON on standard output and status 1
 * Source  CNI 1.1.0 SPEC.md, section 2; pkg/skel/skel.go pluginMain
 */
import * as fs from "node:fs";
import { networkInterfaces } from "node:os";
import type { Exec } from "@nanokube/machinery";
import { parseConfig } from "../core/config.ts";
import { CNIError, errorBody } from "../core/errors.ts";
import { type Environment, parseCommand, parseRequest, type Request } from "../core/request.ts";
import { toVersion } from "../core/result.ts";
import { currentVersion, supportedVersions } from "../core/version.ts";
import { add } from "./add.ts";
import { checkAttachment } from "./check.ts";
import { del } from "./del.ts";
import { collectGarbage } from "./gc.ts";
import { type Context, createKernel } from "./kernel.ts";

export interface PluginDeps {
  exec: Exec;
  /** The host's interfaces that are up, as os.networkInterfaces() tells them. */
  interfaces?: typeof networkInterfaces;
}

export interface Reply {
  stdout: string;
  code: number;
}

export async function runPlugin(env: Environment, stdin: string, deps: PluginDeps): Promise<Reply> {
  const context: Context = {
    kernel: createKernel(deps.exec),
    interfaces: deps.interfaces ?? networkInterfaces,
  };
  let cniVersion: string = currentVersion;
  try {
    if (parseCommand(env) === "VERSION") {
      return reply({ cniVersion: versionOf(stdin) ?? currentVersion, supportedVersions });
    }
    const asked = versionOf(stdin);
    if ((supportedVersions as readonly string[]).includes(asked ?? "")) cniVersion = asked!;
    const answer = await perform(parseRequest(env, stdin), context);
    return answer === undefined ? { stdout: "", code: 0 } : reply(answer);
  } catch (error) {
    return { stdout: print(errorBody(error, cniVersion)), code: 1 };
  }
}

const print = (body: unknown): string => `${JSON.stringify(body, undefined, 4)}\n`;
const reply = (body: unknown): Reply => ({ stdout: print(body), code: 0 });

function versionOf(stdin: string): string | undefined {
  try {
    const { cniVersion } = JSON.parse(stdin) as { cniVersion?: unknown };
    return typeof cniVersion === "string" ? cniVersion : undefined;
  } catch {
    return undefined; // parseRequest words the refusal
  }
}

async function perform(request: Request, context: Context): Promise<unknown> {
  const config = parseConfig(request);
  const at = {
    network: config.name,
    containerID: request.containerID,
    ifName: request.ifName,
  };
  switch (request.command) {
    case "ADD":
      refuseOwnNamespace(request, true);
      return toVersion(
        await add({ config, at, netns: request.netns }, context),
        request.cniVersion,
      );
    case "DEL":
      refuseOwnNamespace(request, false);
      return await del({ config, at, request }, context);
    case "CHECK":
      return await checkAttachment({ config, at, request }, context);
    case "GC":
      return await collectGarbage({ config, request }, context);
    default:
      return await status(config.ipam?.dataDir, context);
  }
}

/** A runtime that passes its own namespace would lose its network at DEL. */
function refuseOwnNamespace(request: Request, mustExist: boolean): void {
  if (request.netnsOverride || request.netns === "") return;
  const identity = (path: string): string => {
    const { dev, ino } = fs.statSync(path);
    return `${dev}:${ino}`;
  };
  let same: boolean;
  try {
    same = identity(request.netns) === identity("/proc/self/ns/net");
  } catch (error) {
    if (!mustExist) return; // gone already: what DEL wants
    const why = error instanceof Error ? error.message : String(error);
    throw new CNIError("internal", `failed to open netns "${request.netns}": ${why}`);
  }
  if (same) {
    const text = "plugin's netns and netns from CNI_NETNS should not be the same";
    throw new CNIError("invalidNetNS", text);
  }
}

/**
 * Ready when `ip` runs and the reservations can be written. A used-up range is not told here
 * although the specification allows it: runtimes turn STATUS into the node's NetworkReady, and a
 * full node must not lose its running pods for it.
 */
async function status(dataDir: string | undefined, context: Context): Promise<undefined> {
  if ((await context.kernel.show(["dev", "lo"])) === undefined) {
    throw new CNIError("notAvailable", "plugin not available", "the `ip` program does not run");
  }
  try {
    if (dataDir !== undefined) {
      fs.mkdirSync(dataDir, { recursive: true });
      fs.accessSync(dataDir, fs.constants.W_OK);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CNIError("notAvailable", "plugin not available", why);
  }
  return undefined;
}
