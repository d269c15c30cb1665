/**
 * podFailurePolicy: what a failed pod means for its Job, by the exit codes of its containers or by
 * its conditions.
 *
 * Source  pkg/controller/job/pod_failure_policy.go
 */
import type { Job, PodFailurePolicy, PodFailurePolicyRule } from "@nanokube/api/batch/v1";
import type { ContainerStatus, Pod } from "@nanokube/api/core/v1";

export interface Judgement {
  /** The Job fails, with these words. */
  failJob?: string;
  /** The pod's index fails, however often it may. */
  failIndex?: boolean;
  counts: boolean;
}

export function judge(policy: PodFailurePolicy | undefined, pod: Pod): Judgement {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const why = matches(rule, pod);
    if (why === undefined) continue;
    if (rule.action === "Ignore") return { counts: false };
    if (rule.action === "Count") return { counts: true };
    if (rule.action === "FailIndex") return { counts: true, failIndex: true };
    if (rule.action === "FailJob") {
      const { namespace, name } = pod.metadata ?? {};
      const what = why.replace("{pod}", `${namespace}/${name}`);
      return { counts: true, failJob: `${what} matching FailJob rule at index ${index}` };
    }
  }
  return { counts: true };
}

function matches(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  if (rule.onExitCodes !== undefined) {
    const { operator, values = [], containerName } = rule.onExitCodes;
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    const found = [...containerStatuses, ...initContainerStatuses].find((status) => {
      const code = exitCode(status);
      if (containerName !== undefined && containerName !== status.name) return false;
      if (code === undefined || code === 0) return false;
      return operator === "NotIn" ? !values.includes(code) : values.includes(code);
    });
    if (found !== undefined)
      return `Container ${found.name} for pod {pod} failed with exit code ${exitCode(found)}`;
    return undefined;
  }
  const condition = (rule.onPodConditions ?? []).find((pattern) =>
    pod.status?.conditions?.some(
      ({ type, status }) => type === pattern.type && status === (pattern.status || "True"),
    ),
  );
  return condition === undefined ? undefined : `Pod {pod} has condition ${condition.type}`;
}

function exitCode(status: ContainerStatus): number | undefined {
  return status.state?.terminated?.exitCode;
}

/**
 * With a failure policy, or when asked to, a pod is failed only when it has ended, not while it
 * goes.
 */
export function replacesOnlyFailed(job: Job): boolean {
  return job.spec?.podReplacementPolicy === "Failed" || job.spec?.podFailurePolicy !== undefined;
}

export function isPodFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === "Failed") return true;
  if (replacesOnlyFailed(job)) return false;
  return pod.metadata?.deletionTimestamp !== undefined && pod.status?.phase !== "Succeeded";
}
