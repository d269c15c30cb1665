/** batch/v1, generated: do not edit. */
import type { ObjectReference as core_v1_ObjectReference, PodTemplateSpec as core_v1_PodTemplateSpec } from "../core/v1.ts";
import type { LabelSelector as meta_v1_LabelSelector, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** batch/v1 CronJob */
export type CronJob = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: CronJobSpec;
  status?: CronJobStatus;
};
/** batch/v1 CronJobList */
export type CronJobList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: CronJob[];
};
export type CronJobSpec = {
  schedule?: string;
  timeZone?: string;
  startingDeadlineSeconds?: number;
  concurrencyPolicy?: "Allow" | "Forbid" | "Replace" | (string & {});
  suspend?: boolean;
  jobTemplate?: JobTemplateSpec;
  successfulJobsHistoryLimit?: number;
  failedJobsHistoryLimit?: number;
};
export type CronJobStatus = {
  active?: core_v1_ObjectReference[];
  lastScheduleTime?: string;
  lastSuccessfulTime?: string;
};
/** batch/v1 Job */
export type Job = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: JobSpec;
  status?: JobStatus;
};
export type JobCondition = {
  type?: string;
  status?: string;
  lastProbeTime?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** batch/v1 JobList */
export type JobList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Job[];
};
export type JobSpec = {
  parallelism?: number;
  completions?: number;
  activeDeadlineSeconds?: number;
  podFailurePolicy?: PodFailurePolicy;
  successPolicy?: SuccessPolicy;
  backoffLimit?: number;
  backoffLimitPerIndex?: number;
  maxFailedIndexes?: number;
  selector?: meta_v1_LabelSelector;
  manualSelector?: boolean;
  template?: core_v1_PodTemplateSpec;
  ttlSecondsAfterFinished?: number;
  completionMode?: "Indexed" | "NonIndexed" | (string & {});
  suspend?: boolean;
  podReplacementPolicy?: "Failed" | "TerminatingOrFailed" | (string & {});
  managedBy?: string;
};
export type JobStatus = {
  conditions?: JobCondition[];
  startTime?: string;
  completionTime?: string;
  active?: number;
  succeeded?: number;
  failed?: number;
  terminating?: number;
  completedIndexes?: string;
  failedIndexes?: string;
  uncountedTerminatedPods?: UncountedTerminatedPods;
  ready?: number;
};
export type JobTemplateSpec = {
  metadata?: meta_v1_ObjectMeta;
  spec?: JobSpec;
};
export type PodFailurePolicy = {
  rules?: PodFailurePolicyRule[];
};
export type PodFailurePolicyOnExitCodesRequirement = {
  containerName?: string;
  operator?: "In" | "NotIn" | (string & {});
  values?: number[];
};
export type PodFailurePolicyOnPodConditionsPattern = {
  type?: string;
  status?: string;
};
export type PodFailurePolicyRule = {
  action?: "Count" | "FailIndex" | "FailJob" | "Ignore" | (string & {});
  onExitCodes?: PodFailurePolicyOnExitCodesRequirement;
  onPodConditions?: PodFailurePolicyOnPodConditionsPattern[];
};
export type SuccessPolicy = {
  rules?: SuccessPolicyRule[];
};
export type SuccessPolicyRule = {
  succeededIndexes?: string;
  succeededCount?: number;
};
export type UncountedTerminatedPods = {
  succeeded?: string[];
  failed?: string[];
};
