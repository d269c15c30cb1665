/**
 * Which admission plugins are on, and what they are told.
 *
 * Shapes  --admission-control-config-file: AdmissionConfiguration with plugins[].configuration, or
 *         .path of a file beside it
 * Errors  complaints, one line each, in upstream's words where it has some
 * Source  pkg/kubeapiserver/options/admission.go, apiserver pkg/server/options/admission.go,
 *         pkg/admission/config.go; plugin/pkg/admission/imagepolicy/config.go
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseYAML } from "@nanokube/machinery";
import { isAdmissionPlugin } from "../core/admission/create-admission-chain.ts";
import { eventRateLimitProblems } from "../core/admission/event-rate-limit.ts";
import type { ImagePolicy } from "../core/admission/image-policy-webhook.ts";
import type { AdmissionOptions } from "./api-server-options.ts";
import type { Flags } from "./flags.ts";
import { createReviewWebhook } from "./review-webhook.ts";

/** What is said to other plugins would change nothing: better refused than believed. */
const configurable: ReadonlySet<string> = new Set([
  "EventRateLimit",
  "ImagePolicyWebhook",
  "PodNodeSelector",
  "PodTolerationRestriction",
]);

export function admissionFlags(flags: Flags, complaints: string[]): AdmissionOptions {
  const enable = flags.get("enable-admission-plugins") ?? [];
  const disable = flags.get("disable-admission-plugins") ?? [];
  for (const [flag, names] of [
    ["enable", enable],
    ["disable", disable],
  ] as const) {
    for (const name of names.filter((one) => !isAdmissionPlugin(one))) {
      complaints.push(`${flag}-admission-plugins plugin ${JSON.stringify(name)} is unknown`);
    }
  }
  const both = enable.filter((name) => disable.includes(name));
  if (both.length > 0) {
    const where = "enable-admission-plugins and disable-admission-plugins";
    complaints.push(`[${both.join(" ")}] in ${where} overlapped`);
  }
  const file = flags.get("admission-control-config-file")?.at(-1);
  const configurations = file === undefined ? new Map() : readConfigurations(file, complaints);
  for (const name of configurations.keys()) {
    if (configurable.has(name)) continue;
    complaints.push(`--admission-control-config-file: a configuration of ${name} is not supported`);
  }
  const failed = (plugin: string, why: string): void => {
    complaints.push(
      `failed to initialize admission: couldn't init admission plugin ${JSON.stringify(plugin)}: ${why}`,
    );
  };
  if (enable.includes("EventRateLimit")) {
    const [problem] = eventRateLimitProblems(configurations.get("EventRateLimit"));
    if (problem !== undefined) failed("EventRateLimit", problem);
  }
  const tolerationSeconds = {
    notReady: tolerationOf(flags, "not-ready"),
    unreachable: tolerationOf(flags, "unreachable"),
  };
  const options = { enable, disable, configurations, tolerationSeconds };
  if (!enable.includes("ImagePolicyWebhook")) return options;
  try {
    const imagePolicy = imagePolicyOf(configurations.get("ImagePolicyWebhook"));
    return { ...options, imagePolicy };
  } catch (error) {
    failed("ImagePolicyWebhook", (error as Error).message);
    return { enable, disable };
  }
}

function tolerationOf(flags: Flags, condition: "not-ready" | "unreachable"): number {
  return Number(flags.get(`default-${condition}-toleration-seconds`)?.at(-1) ?? 300);
}

function readConfigurations(file: string, complaints: string[]): Map<string, unknown> {
  const read = (path: string): unknown => parseYAML(readFileSync(path, "utf8"));
  try {
    const { plugins = [] } = read(file) as {
      plugins?: { name: string; path?: string; configuration?: unknown }[];
    };
    return new Map(
      plugins.map(({ name, path, configuration }) => [
        name,
        path ? read(resolve(dirname(file), path)) : configuration,
      ]),
    );
  } catch (error) {
    const why = (error as Error).message;
    complaints.push(
      `unable to read admission control configuration from ${JSON.stringify(file)} [${why}]`,
    );
    return new Map();
  }
}

/** In upstream's units: -1 is none, absent the usual. */
function duration(value: number | undefined, unitMs: number, usualMs: number): number {
  if (value === -1) return 0;
  return value ? value * unitMs : usualMs;
}

const reviewTimeoutMs = 30_000;

function imagePolicyOf(configuration: unknown): ImagePolicy {
  const { imagePolicy } = (configuration ?? {}) as {
    imagePolicy?: {
      kubeConfigFile?: string;
      allowTTL?: number;
      denyTTL?: number;
      defaultAllow?: boolean;
    };
  };
  if (imagePolicy?.kubeConfigFile === undefined) throw new Error("no config specified");
  const { kubeConfigFile, allowTTL, denyTTL, defaultAllow = false } = imagePolicy;
  return {
    review: createReviewWebhook(kubeConfigFile, reviewTimeoutMs),
    allowTTLMs: duration(allowTTL, 1000, 300_000),
    denyTTLMs: duration(denyTTL, 1000, 30_000),
    defaultAllow,
  };
}
