/**
 * Logs, images and pressure: what of a KubeletConfiguration says when they are acted on, with
 * upstream's values for what it leaves out.
 */
import { DEFAULT_HARD } from "./core/eviction.ts";
import type { KubeletConfiguration } from "./core/kubelet-configuration.ts";
import { wholeValue } from "./core/resources.ts";
import { parseDuration } from "./core/time.ts";
import type { KubeletOptions } from "./io/kubelet-options.ts";

function duration(field: string, text: string | undefined, otherwiseMs: number): number {
  if (text === undefined) return otherwiseMs;
  const ms = parseDuration(text);
  if (ms === undefined)
    throw new Error(`invalid configuration: ${field}: invalid duration "${text}"`);
  return ms;
}

export function nodeOptions(
  file: KubeletConfiguration,
): Pick<KubeletOptions, "logRotation" | "imageGC" | "eviction"> {
  const maxFiles = file.containerLogMaxFiles ?? 5;
  if (maxFiles <= 1) {
    throw new Error(
      `invalid configuration: containerLogMaxFiles must be greater than 1, got ${maxFiles}`,
    );
  }
  const high = file.imageGCHighThresholdPercent ?? 85;
  const low = file.imageGCLowThresholdPercent ?? 80;
  if (low >= high) {
    throw new Error(
      "invalid configuration: imageGCLowThresholdPercent must be less than imageGCHighThresholdPercent",
    );
  }
  return {
    logRotation: {
      maxSizeBytes: wholeValue(file.containerLogMaxSize ?? "10Mi"),
      maxFiles,
      everyMs: duration("containerLogMonitorInterval", file.containerLogMonitorInterval, 10_000),
    },
    // 100 is upstream's way to say that images stay.
    imageGC:
      high === 100
        ? undefined
        : {
            highPercent: high,
            lowPercent: low,
            minAgeMs: duration("imageMinimumGCAge", file.imageMinimumGCAge, 120_000),
          },
    eviction: {
      hard: file.evictionHard ?? DEFAULT_HARD,
      transitionMs: duration(
        "evictionPressureTransitionPeriod",
        file.evictionPressureTransitionPeriod,
        300_000,
      ),
    },
  };
}
