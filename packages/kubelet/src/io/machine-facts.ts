/**
 * What this machine is: read from the kernel once.
 *
 * Source  github.com/google/cadvisor machine info
 */
import { readdir, readFile, statfs } from "node:fs/promises";
import * as os from "node:os";
import { kubernetesVersion } from "@nanokube/api";
import type { MachineFacts } from "../core/node-status.ts";

const firstLine = async (path: string): Promise<string> =>
  (await readFile(path, "utf8").catch(() => "")).trim();

async function osImage(): Promise<string> {
  const text = await firstLine("/etc/os-release");
  const pretty = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1];
  return pretty ?? `${os.type()} ${os.release()}`;
}

async function hugepages(): Promise<Record<string, number>> {
  const root = "/sys/kernel/mm/hugepages";
  const found: Record<string, number> = {};
  for (const name of await readdir(root).catch(() => [])) {
    const kibi = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
    const count = Number(await firstLine(`${root}/${name}/nr_hugepages`));
    const size = kibi >= 1024 * 1024 ? `${kibi / 1024 / 1024}Gi` : `${kibi / 1024}Mi`;
    found[size] = count * kibi * 1024;
  }
  return found;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

export async function readMachineFacts(
  rootDir: string,
  runtimeVersion: string,
): Promise<MachineFacts> {
  const disk = await statfs(rootDir).catch(() => undefined);
  const machineID = await firstLine("/etc/machine-id");
  const systemUUID = await firstLine("/sys/class/dmi/id/product_uuid");
  const bootID = await firstLine("/proc/sys/kernel/random/boot_id");
  return {
    cpus: os.cpus().length,
    memoryBytes: os.totalmem(),
    storageBytes: disk === undefined ? 0 : disk.blocks * disk.bsize,
    hugepages: await hugepages(),
    system: {
      machineID,
      systemUUID: systemUUID === "" ? machineID : systemUUID,
      bootID,
      kernelVersion: os.release(),
      osImage: await osImage(),
      containerRuntimeVersion: runtimeVersion,
      kubeletVersion: kubernetesVersion,
      kubeProxyVersion: "",
      operatingSystem: os.platform(),
      architecture: ARCHITECTURES[os.arch()] ?? os.arch(),
    },
  };
}

/** 0, or what this process has: nobody may go lower without CAP_SYS_RESOURCE. */
export async function oomScoreAdjMin(): Promise<number> {
  const own = Number((await firstLine("/proc/self/oom_score_adj")) || 0);
  const status = await firstLine("/proc/self/status");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const sysResource = 1n << 24n;
  return (effective & sysResource) !== 0n ? -1000 : own;
}
