/**
 * Logs, images and pressure: what of a KubeletConfiguration says when they are acted on, with
 * upstream's values for what it leaves out.
 */
import { parseGoDurationMs } from "@nanokube/machinery";
import { checkThresholds, DEFAULT_HARD } from "./core/eviction.ts";
import type { KubeletConfiguration } from "./core/kubelet-configuration.ts";
import { wholeValue } from "./core/resources.ts";
import type { KubeletOptions } from "./io/kubelet-options.ts";

const defaults = {
  containerLogMaxFiles: 5,
  containerLogMaxSize: "10Mi",
  containerLogMonitorInterval: "10s",
  evictionHard: DEFAULT_HARD,
  evictionPressureTransitionPeriod: "5m0s",
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  imageMinimumGCAge: "2m0s",
  maxPods: 110,
} as const satisfies KubeletConfiguration;

type DurationField =
  | "containerLogMonitorInterval"
  | "evictionPressureTransitionPeriod"
  | "imageMinimumGCAge";

function duration(file: Required<Pick<KubeletConfiguration, DurationField>>, field: DurationField) {
  const ms = parseGoDurationMs(file[field]);
  if (ms !== undefined) return ms;
  throw new Error(`invalid configuration: ${field}: invalid duration "${file[field]}"`);
}

/** The whole configuration, as /configz shows it. */
export const withDefaults = (file: KubeletConfiguration) => ({ ...defaults, ...file });

export function nodeOptions(
  file: KubeletConfiguration,
): Pick<KubeletOptions, "logRotation" | "imageGC" | "eviction" | "maxPods"> {
  const whole = withDefaults(file);
  const { containerLogMaxFiles: maxFiles, maxPods } = whole;
  if (maxFiles <= 1) {
    throw new Error(
      `invalid configuration: containerLogMaxFiles must be greater than 1, got ${maxFiles}`,
    );
  }
  const { imageGCHighThresholdPercent: highPercent, imageGCLowThresholdPercent: lowPercent } =
    whole;
  if (lowPercent >= highPercent) {
    throw new Error(
      "invalid configuration: imageGCLowThresholdPercent must be less than imageGCHighThresholdPercent",
    );
  }
  const imageGC = { highPercent, lowPercent, minAgeMs: duration(whole, "imageMinimumGCAge") };
  return {
    maxPods,
    logRotation: {
      maxSizeBytes: wholeValue(whole.containerLogMaxSize),
      maxFiles,
      everyMs: duration(whole, "containerLogMonitorInterval"),
    },
    // 100 is upstream's way to say that images stay.
    imageGC: highPercent === 100 ? undefined : imageGC,
    eviction: {
      hard: checkThresholds(whole.evictionHard),
      transitionMs: duration(whole, "evictionPressureTransitionPeriod"),
    },
  };
}
