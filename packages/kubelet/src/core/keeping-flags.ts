/**
 * Flags that say what a configuration file also says about logs, images and pressure; a flag wins.
 *
 * Shapes  --eviction-hard=memory.available<100Mi,nodefs.available<10%
 * Source  cmd/kubelet/app/options/options.go AddKubeletConfigFlags
 */
import type { KubeletConfiguration } from "./kubelet-configuration.ts";

export interface KeepingFlags {
  containerLogMaxFiles?: string;
  containerLogMaxSize?: string;
  evictionHard?: string;
  evictionPressureTransitionPeriod?: string;
  imageGcHighThreshold?: string;
  imageGcLowThreshold?: string;
  maxPods?: string;
  minimumImageTtlDuration?: string;
}

export const keepingFlags: readonly (readonly [flag: string, description: string])[] = [
  ["--container-log-max-files <n>", "files of one container's log"],
  ["--container-log-max-size <size>", "a log is rotated when it is larger"],
  ["--eviction-hard <thresholds>", "memory.available<100Mi,…: below, pods are ended"],
  ["--eviction-pressure-transition-period <time>", "how long a condition outlives its cause"],
  ["--image-gc-high-threshold <percent>", "a disk fuller than this has images removed"],
  ["--image-gc-low-threshold <percent>", "… until it is as empty as this"],
  ["--max-pods <n>", "pods on this node at most"],
  ["--minimum-image-ttl-duration <time>", "younger images stay"],
];

const invalid = (flag: string, value: string, why: string) =>
  new Error(
    `failed to parse kubelet flag: invalid argument "${value}" for "--${flag}" flag: ${why}`,
  );

function thresholds(text: string): Record<string, string> {
  const pairs = text.split(",").filter((pair) => pair.trim() !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("<");
      if (at < 0) throw invalid("eviction-hard", text, "malformed pair, expect string<string");
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}

function whole(flag: string, text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text);
  throw invalid(flag, text, `strconv.ParseInt: parsing "${text}": invalid syntax`);
}

/** The file's configuration with what the flags say in its place. */
export function withKeepingFlags(
  file: KubeletConfiguration,
  flags: KeepingFlags,
): KubeletConfiguration {
  const { containerLogMaxFiles, containerLogMaxSize, evictionHard, maxPods } = flags;
  const { imageGcHighThreshold: high, imageGcLowThreshold: low } = flags;
  const { evictionPressureTransitionPeriod, minimumImageTtlDuration: imageMinimumGCAge } = flags;
  return {
    ...file,
    ...(containerLogMaxFiles && {
      containerLogMaxFiles: whole("container-log-max-files", containerLogMaxFiles),
    }),
    ...(containerLogMaxSize && { containerLogMaxSize }),
    ...(evictionHard !== undefined && { evictionHard: thresholds(evictionHard) }),
    ...(evictionPressureTransitionPeriod && { evictionPressureTransitionPeriod }),
    ...(high && { imageGCHighThresholdPercent: whole("image-gc-high-threshold", high) }),
    ...(low && { imageGCLowThresholdPercent: whole("image-gc-low-threshold", low) }),
    ...(imageMinimumGCAge && { imageMinimumGCAge }),
    ...(maxPods && { maxPods: whole("max-pods", maxPods) }),
  };
}
