/**
 * The KubeletConfiguration that a user gives for all nodes of a cluster.
 *
 * Only what a cluster on one machine leaves open is taken: names, addresses and files of a node are
 * the launcher's to say.
 * Errors  a file that is not there or wrong, and fields that are not the user's, each by name
 */
import { readFile } from "node:fs/promises";
import type { KubeletConfiguration } from "@nanokube/kubelet/configuration";
import { failureLine } from "../core/failure.ts";

const open: ReadonlySet<string> = new Set<keyof KubeletConfiguration>([
  "allowedUnsafeSysctls",
  "containerLogMaxFiles",
  "containerLogMaxSize",
  "containerLogMonitorInterval",
  "evictionHard",
  "evictionPressureTransitionPeriod",
  "imageGCHighThresholdPercent",
  "imageGCLowThresholdPercent",
  "imageMinimumGCAge",
  "kubeReserved",
  "maxPods",
  "systemReserved",
]);

function firstOf(fields: readonly string[], what: string): void {
  if (fields.length > 0) throw new Error(`${fields.join(", ")}: ${what}`);
}

export async function readKubeletConfig(file: string): Promise<KubeletConfiguration> {
  const [{ parseYAML }, { nodeOptions, parseKubeletConfiguration }] = await Promise.all([
    import("@nanokube/machinery"),
    import("@nanokube/kubelet/configuration"),
  ]);
  try {
    const tree = parseYAML(await readFile(file, "utf8"));
    const { configuration, inert } = parseKubeletConfiguration(tree);
    firstOf(inert, "not implemented by this kubelet");
    const closed = Object.keys(configuration).filter((field) => !open.has(field));
    firstOf(closed, "nanokube decides it for each node");
    nodeOptions(configuration); // Durations and percentages.
    return configuration;
  } catch (error) {
    throw new Error(`--kubelet-config ${file}: ${failureLine(error)}`);
  }
}
