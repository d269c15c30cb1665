/**
 * KubeletConfiguration: what of upstream's configuration file this kubelet takes.
 *
 * Three kinds of field: those that do something (FIELDS), those of upstream's that do nothing here
 * (INERT: named in a warning), and all others, which are refused by name.
 * Source  k8s.io/kubelet/config/v1beta1/types.go
 */
import type { Taint } from "@nanokube/api/core/v1";
import { checkThresholds } from "./eviction.ts";
import { checkSysctlPatterns } from "./sysctls.ts";

export interface KubeletConfiguration {
  address?: string;
  allowedUnsafeSysctls?: string[];
  port?: number;
  authentication?: {
    anonymous?: { enabled?: boolean };
    webhook?: { enabled?: boolean; cacheTTL?: string };
    x509?: { clientCAFile?: string };
  };
  authorization?: { mode?: "Webhook" | "AlwaysAllow"; webhook?: object };
  cgroupDriver?: string;
  cgroupRoot?: string;
  cgroupsPerQOS?: boolean;
  clusterDNS?: string[];
  clusterDomain?: string;
  containerLogMaxFiles?: number;
  containerLogMaxSize?: string;
  containerLogMonitorInterval?: string;
  containerRuntimeEndpoint?: string;
  evictionHard?: Record<string, string>;
  evictionPressureTransitionPeriod?: string;
  imageGCHighThresholdPercent?: number;
  imageGCLowThresholdPercent?: number;
  imageMinimumGCAge?: string;
  kubeReserved?: Record<string, string>;
  maxPods?: number;
  podLogsDir?: string;
  providerID?: string;
  registerNode?: boolean;
  registerWithTaints?: Taint[];
  resolvConf?: string;
  staticPodPath?: string;
  systemReserved?: Record<string, string>;
  tlsCertFile?: string;
  tlsPrivateKeyFile?: string;
}

const FIELDS: Readonly<
  Record<keyof KubeletConfiguration, "string" | "number" | "boolean" | "object">
> = {
  address: "string",
  allowedUnsafeSysctls: "object",
  port: "number",
  authentication: "object",
  authorization: "object",
  cgroupDriver: "string",
  cgroupRoot: "string",
  cgroupsPerQOS: "boolean",
  clusterDNS: "object",
  clusterDomain: "string",
  containerLogMaxFiles: "number",
  containerLogMaxSize: "string",
  containerLogMonitorInterval: "string",
  containerRuntimeEndpoint: "string",
  evictionHard: "object",
  evictionPressureTransitionPeriod: "string",
  imageGCHighThresholdPercent: "number",
  imageGCLowThresholdPercent: "number",
  imageMinimumGCAge: "string",
  kubeReserved: "object",
  maxPods: "number",
  podLogsDir: "string",
  providerID: "string",
  registerNode: "boolean",
  registerWithTaints: "object",
  resolvConf: "string",
  staticPodPath: "string",
  systemReserved: "object",
  tlsCertFile: "string",
  tlsPrivateKeyFile: "string",
};

const INERT: ReadonlySet<string> = new Set(
  (
    "enableServer syncFrequency fileCheckFrequency httpCheckFrequency readOnlyPort registryPullQPS " +
    "registryBurst eventRecordQPS eventBurst enableDebuggingHandlers enableContentionProfiling " +
    "healthzPort healthzBindAddress oomScoreAdj streamingConnectionIdleTimeout " +
    "nodeStatusUpdateFrequency nodeStatusReportFrequency nodeLeaseDurationSeconds " +
    "imageMaximumGCAge " +
    "volumeStatsAggPeriod cpuManagerPolicy cpuManagerReconcilePeriod memoryManagerPolicy " +
    "topologyManagerPolicy topologyManagerScope runtimeRequestTimeout hairpinMode podPidsLimit " +
    "cpuCFSQuota nodeStatusMaxImages maxOpenFiles contentType kubeAPIQPS kubeAPIBurst " +
    "serializeImagePulls enableControllerAttachDetach " +
    "makeIPTablesUtilChains failSwapOn memorySwap " +
    "containerLogMaxWorkers configMapAndSecretChangeDetectionStrategy " +
    "enforceNodeAllocatable volumePluginDir logging shutdownGracePeriod " +
    "shutdownGracePeriodCriticalPods enableProfilingHandler enableDebugFlagsHandler " +
    "memoryThrottlingFactor localStorageCapacityIsolation failCgroupV1 rotateCertificates"
  ).split(" "),
);

export interface ParsedConfiguration {
  configuration: KubeletConfiguration;
  /** Fields that upstream heeds and this kubelet does not. */
  inert: string[];
}

const API_VERSION = "kubelet.config.k8s.io/v1beta1";

function checkFields(tree: Record<string, unknown>): string[] {
  const inert: string[] = [];
  for (const [key, value] of Object.entries(tree)) {
    if (key === "apiVersion" || key === "kind") continue;
    const wanted = FIELDS[key as keyof KubeletConfiguration];
    if (wanted === undefined) {
      if (!INERT.has(key)) throw new Error(`strict decoding error: unknown field "${key}"`);
      inert.push(key);
    } else if (value !== null && typeof value !== wanted) {
      throw new Error(`strict decoding error: field "${key}" must be a ${wanted}`);
    }
  }
  return inert;
}

/** Refuses what can't be kept. The tree is the YAML or JSON of the file. */
export function parseKubeletConfiguration(tree: unknown): ParsedConfiguration {
  if (typeof tree !== "object" || tree === null || Array.isArray(tree)) {
    throw new Error("kubelet configuration must be an object");
  }
  const fields = tree as Record<string, unknown>;
  if (fields.apiVersion !== API_VERSION || fields.kind !== "KubeletConfiguration") {
    const got = `no kind "${fields.kind}" is registered for version "${fields.apiVersion}"`;
    throw new Error(`${got}, want KubeletConfiguration of ${API_VERSION}`);
  }
  const inert = checkFields(fields);
  const { apiVersion: _, kind: __, ...rest } = fields;
  const kept = Object.entries(rest).filter(([key, value]) => key in FIELDS && value !== null);
  const configuration = Object.fromEntries(kept) as KubeletConfiguration;
  const driver = configuration.cgroupDriver;
  if (driver !== undefined && driver !== "cgroupfs") {
    throw new Error(
      `invalid configuration: cgroupDriver "${driver}" is not implemented, want cgroupfs`,
    );
  }
  checkThresholds(configuration.evictionHard ?? {});
  checkSysctlPatterns(configuration.allowedUnsafeSysctls ?? []);
  const mode = configuration.authorization?.mode;
  if (mode !== undefined && mode !== "Webhook" && mode !== "AlwaysAllow") {
    throw new Error(`invalid configuration: authorization.mode "${mode}" is not known`);
  }
  return { configuration, inert };
}

/** `key=value:Effect` or `key:Effect`, separated by commas. */
export function parseTaints(text: string): Taint[] {
  return text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(part);
      if (match === null) throw new Error(`invalid taint spec: ${part}`);
      const [, key, value, effect] = match;
      return { key, effect, ...(value ? { value } : {}) } as Taint;
    });
}

/** `key=value` pairs, separated by commas. */
export function parseLabels(text: string): Record<string, string> {
  const pairs = text.split(",").filter((part) => part !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals <= 0) throw new Error(`malformed pair, expect string=string: ${pair}`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}
