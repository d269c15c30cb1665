/** What the machine and the runtime say of themselves, asked once when the kubelet starts. */
import { readFile } from "node:fs/promises";
import type { MachineFacts } from "../core/node-status.ts";
import type { RuntimeClient } from "./cri-runtime.ts";
import type { KubeletOptions } from "./kubelet-options.ts";
import { oomScoreAdjMin, readMachineFacts } from "./machine-facts.ts";

export interface Facts {
  machine: MachineFacts;
  runtimeName: string;
  resolvConf: string;
  oomScoreAdjMin: number;
  privileged: boolean;
}

/** The runtime may start beside the kubelet; where none comes up, that is said. */
async function askVersion(runtime: RuntimeClient, signal: AbortSignal) {
  try {
    return await runtime.version({}, { waitForReady: true, timeoutMs: 60_000, signal });
  } catch (error) {
    throw new Error(`validate CRI v1 runtime API: ${(error as Error).message}`);
  }
}

export async function gatherFacts(
  options: KubeletOptions,
  runtime: RuntimeClient,
  signal: AbortSignal,
): Promise<Facts> {
  const version = await askVersion(runtime, signal);
  const name = version.runtimeName;
  return {
    machine: await readMachineFacts(options.rootDir, `${name}://${version.runtimeVersion}`),
    runtimeName: name,
    resolvConf: options.resolvConf ?? (await readFile("/etc/resolv.conf", "utf8").catch(() => "")),
    oomScoreAdjMin: await oomScoreAdjMin(),
    privileged: options.privileged ?? process.getuid?.() === 0,
  };
}
