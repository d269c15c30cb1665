/**
 * May a container run again after it ended?
 *
 * Order  the container's own rules, then its own policy, then the pod's.
 * Source pkg/api/v1/pod/util.go ContainerShouldRestart, pkg/kubelet/container/helpers.go
 */
import type { Container, Pod, PodSpec } from "@nanokube/api/core/v1";
import { latestRun, type PodRuntimeStatus } from "./runtime-status.ts";

function ruleSaysRestart(container: Container, exitCode: number): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    if (rule.exitCodes === undefined) continue;
    const listed = (rule.exitCodes.values ?? []).includes(exitCode);
    const matches = rule.exitCodes.operator === "NotIn" ? !listed : listed;
    if (matches) return rule.action === "Restart";
  }
  return false;
}

/** The rule for an exit code, without looking at the pod's deletion. */
export function restartsAfter(container: Container, spec: PodSpec, exitCode: number): boolean {
  if (container.restartPolicy !== undefined) {
    if (ruleSaysRestart(container, exitCode)) return true;
    if (container.restartPolicy === "Always") return true;
    if (container.restartPolicy === "OnFailure") return exitCode !== 0;
    if (container.restartPolicy === "Never") return false;
  }
  if (spec.restartPolicy === "OnFailure") return exitCode !== 0;
  return spec.restartPolicy !== "Never";
}

/** Shall the kubelet start this container now, from what the runtime knows of its last run? */
export function shouldContainerRestart(
  container: Container,
  pod: Pod,
  status: PodRuntimeStatus,
): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined) return false;
  const last = latestRun(status, container.name);
  if (last === undefined) return true;
  if (last.state === "running") return false;
  if (last.state === "unknown" || last.state === "created") return true;
  return restartsAfter(container, pod.spec ?? {}, last.exitCode);
}

/** Is the container, or failing that the pod, one that runs again at all while it still runs? */
export function restartsWhileRunning(container: Container, spec: PodSpec | undefined): boolean {
  const policy = container.restartPolicy ?? spec?.restartPolicy;
  return policy !== "Never";
}
