/**
 * Flags of the audit: the policy, and where events go and how.
 *
 * Errors  complaints, one line each, in upstream's words where it has some
 * Source  apiserver pkg/server/options/audit.go
 */
import { readFileSync } from "node:fs";
import {
  type Clock,
  type Log,
  parseGoDurationMs,
  parseYAML,
  type Random,
} from "@nanokube/machinery";
import {
  type AuditBackend,
  type AuditFailure,
  type AuditMode,
  allOf,
  auditModes,
  ignoringErrors,
} from "../core/audit/backend.ts";
import { type BatchSettings, batching } from "../core/audit/batch.ts";
import { legacyLine } from "../core/audit/legacy-line.ts";
import { readAuditPolicy } from "../core/audit/policy.ts";
import { Auditor, emptyAuditCounts } from "../core/audit/trail.ts";
import { type TruncateSettings, truncating } from "../core/audit/truncate.ts";
import type { AuditPlugin } from "./audit-flags.ts";
import { createAuditLog } from "./audit-log.ts";
import { createAuditWebhook } from "./audit-webhook.ts";
import { type Flags, isTrue } from "./flags.ts";
import { createReviewWebhook } from "./review-webhook.ts";

const webhookTimeoutMs = 30_000;
const dayMs = 24 * 3_600_000;
const megabyte = 1024 * 1024;

interface Deps {
  clock: Clock;
  random: Random;
  log: Log;
}

type One = (name: string) => string | undefined;

export function auditorOf(flags: Flags, deps: Deps, complaints: string[]): Auditor | undefined {
  const one: One = (name) => flags.get(name)?.at(-1);
  const counts = emptyAuditCounts();
  const failed: AuditFailure = (plugin, error, events) => {
    counts.errors.set(plugin, (counts.errors.get(plugin) ?? 0) + events.length);
    const told = events.map(legacyLine);
    deps.log.error({ plugin, error, events: told }, "audit events are lost");
  };
  const sinks = [
    logOf(one, { ...deps, failed }, complaints),
    webhookOf(one, { ...deps, failed }, complaints),
  ].filter((sink) => sink !== undefined);
  const file = one("audit-policy-file");
  // Without a policy nothing is written down, as upstream says in its log.
  if (file === undefined || sinks.length === 0 || complaints.length > 0) return undefined;
  try {
    const policy = readAuditPolicy(parseYAML(readFileSync(file, "utf8")), complaints);
    const backend = allOf(sinks.map((open) => open()));
    return new Auditor({ ...deps, policy, backend }, counts);
  } catch (error) {
    complaints.push(`loading audit policy file: ${(error as Error).message}`);
    return undefined;
  }
}

type Opened = () => AuditBackend;
type BackendDeps = Deps & { failed: AuditFailure };

function logOf(one: One, deps: BackendDeps, complaints: string[]): Opened | undefined {
  const path = one("audit-log-path");
  if (path === undefined || path === "") return undefined;
  const format = one("audit-log-format") ?? "json";
  const wrap = wrapperOf("log", one, deps, complaints);
  if (!["legacy", "json"].includes(format)) {
    complaints.push(`invalid audit log format ${format}, allowed formats are "legacy,json"`);
  }
  const natural = (name: string, usual: number): number => {
    const value = Number(one(name) ?? usual);
    if (value < 0) complaints.push(`--${name} ${value} can't be a negative number`);
    return value;
  };
  const files = {
    maxAgeMs: natural("audit-log-maxage", 366) * dayMs,
    maxBackups: natural("audit-log-maxbackup", 100),
    maxSizeBytes: natural("audit-log-maxsize", 100) * megabyte,
    isLocalTime: false,
    isCompressed: isTrue(one("audit-log-compress"), false),
  };
  const rotation = files.maxSizeBytes === 0 ? undefined : files;
  const lineOf = format === "legacy" ? legacyLine : JSON.stringify;
  return () => wrap(createAuditLog({ path, rotation, lineOf, ...deps }));
}

function webhookOf(one: One, deps: BackendDeps, complaints: string[]): Opened | undefined {
  const kubeconfig = one("audit-webhook-config-file");
  if (kubeconfig === undefined || kubeconfig === "") return undefined;
  const wrap = wrapperOf("webhook", one, deps, complaints);
  const backoff =
    one("audit-webhook-initial-backoff") ?? one("audit-webhook-batch-initial-backoff") ?? "10s";
  const initialBackoffMs = parseGoDurationMs(backoff) ?? 10_000;
  return () => {
    const send = createReviewWebhook(kubeconfig, webhookTimeoutMs);
    return wrap(createAuditWebhook({ send, initialBackoffMs, ...deps }));
  };
}

/** What stands in front of a backend; what is wrong with its flags is told first. */
function wrapperOf(
  plugin: AuditPlugin,
  one: One,
  deps: BackendDeps,
  complaints: string[],
): (backend: AuditBackend) => AuditBackend {
  const flag = (name: string): string | undefined => one(`audit-${plugin}-${name}`);
  const mode = (flag("mode") ?? (plugin === "log" ? "blocking" : "batch")) as AuditMode;
  const batch = batchSettings(plugin, flag);
  complaints.push(...modeProblems(plugin, mode, batch));
  const truncate = truncateSettings(flag);
  complaints.push(...truncateProblems(plugin, truncate));
  if ((flag("version") ?? "audit.k8s.io/v1") !== "audit.k8s.io/v1") {
    complaints.push('invalid group version, allowed versions are ["audit.k8s.io/v1"]');
  }
  const isTruncated = isTrue(flag("truncate-enabled"), false);
  return (backend) => {
    const taken = mode === "batch" ? batching(backend, batch, deps) : backend;
    const patient = mode === "blocking" ? ignoringErrors(taken) : taken;
    return isTruncated ? truncating(patient, truncate, deps.failed) : patient;
  };
}

type PluginFlag = (name: string) => string | undefined;

/** A log is written line by line; a webhook is spared. */
function batchSettings(plugin: AuditPlugin, flag: PluginFlag): BatchSettings {
  const usual =
    plugin === "log" ? { size: "1", throttled: false } : { size: "400", throttled: true };
  const isThrottled = isTrue(flag("batch-throttle-enable"), usual.throttled);
  return {
    bufferSize: Number(flag("batch-buffer-size") ?? "10000"),
    maxBatchSize: Number(flag("batch-max-size") ?? usual.size),
    maxWaitMs: parseGoDurationMs(flag("batch-max-wait") ?? "30s") ?? 30_000,
    throttle: isThrottled
      ? {
          qps: Number(flag("batch-throttle-qps") ?? "10"),
          burst: Number(flag("batch-throttle-burst") ?? "15"),
        }
      : undefined,
  };
}

function truncateSettings(flag: PluginFlag): TruncateSettings {
  return {
    maxEventBytes: Number(flag("truncate-max-event-size") ?? 100 * 1024),
    maxBatchBytes: Number(flag("truncate-max-batch-size") ?? 10 * 1024 * 1024),
  };
}

function modeProblems(plugin: AuditPlugin, mode: string, batch: BatchSettings): string[] {
  if (!(auditModes as readonly string[]).includes(mode)) {
    const allowed = auditModes.join(",");
    return [`invalid audit ${plugin} mode ${mode}, allowed modes are "${allowed}"`];
  }
  if (mode !== "batch") return [];
  const { bufferSize, maxBatchSize, throttle } = batch;
  const positive: [string, number][] = [
    ["buffer size", bufferSize],
    ["max batch size", maxBatchSize],
    ["throttle QPS", throttle?.qps ?? 1],
    ["throttle burst", throttle?.burst ?? 1],
  ];
  const wrong = positive.find(([, value]) => !(value > 0));
  if (wrong === undefined) return [];
  const [what, value] = wrong;
  return [`invalid audit batch ${plugin} ${what} ${value}, must be a positive number`];
}

function truncateProblems(plugin: AuditPlugin, settings: TruncateSettings): string[] {
  const { maxEventBytes, maxBatchBytes } = settings;
  const lead = `invalid audit truncate ${plugin}`;
  if (maxEventBytes <= 0) {
    return [`${lead} max event size ${maxEventBytes}, must be a positive number`];
  }
  if (maxBatchBytes >= maxEventBytes) return [];
  const least = `must be greater than max event size (${maxEventBytes})`;
  return [`${lead} max batch size ${maxBatchBytes}, ${least}`];
}
