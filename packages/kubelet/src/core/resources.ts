/**
 * Requests and limits as the kernel takes them.
 *
 * Units  shares    1024 per cpu, 2 … 262144
 *        quota     microseconds of cpu per period of 100 ms; 0 is no limit
 *        memory    bytes; 0 is no limit
 * Source pkg/kubelet/cm/helpers_linux.go, k8s.io/component-helpers/resource
 */
import type { Container, Pod } from "@nanokube/api/core/v1";
import { parseQuantity } from "@nanokube/machinery";
import { containersOf, initContainersOf, isSidecar } from "./pod.ts";
import { qosClass } from "./qos.ts";

export const CPU_PERIOD_US = 100_000;
const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const MIN_QUOTA_US = 1000;

export type ResourceList = Record<string, string>;

export const milliValue = (text: string | undefined): number =>
  text === undefined ? 0 : parseQuantity(text).milliValue();
export const wholeValue = (text: string | undefined): number =>
  text === undefined ? 0 : parseQuantity(text).value();

export function milliCPUToShares(milliCPU: number): number {
  const shares = Math.floor((milliCPU * 1024) / 1000);
  return Math.min(MAX_SHARES, Math.max(MIN_SHARES, shares));
}

export function milliCPUToQuota(milliCPU: number): number {
  if (milliCPU === 0) return 0;
  return Math.max(MIN_QUOTA_US, Math.floor((milliCPU * CPU_PERIOD_US) / 1000));
}

export interface KernelResources {
  cpuShares: number;
  cpuQuotaUs: number;
  cpuPeriodUs: number;
  memoryLimitBytes: number;
}

/** One container's share; without a request of its own its limit counts as the request. */
export function containerResources(pod: Pod, container: Container): KernelResources {
  const { requests, limits } = container.resources ?? {};
  const whole = pod.spec?.resources?.limits;
  const cpuLimit = limits?.cpu ?? whole?.cpu;
  return {
    cpuShares: milliCPUToShares(milliValue(requests?.cpu ?? cpuLimit)),
    cpuQuotaUs: milliCPUToQuota(milliValue(cpuLimit)),
    cpuPeriodUs: CPU_PERIOD_US,
    memoryLimitBytes: wholeValue(limits?.memory ?? whole?.memory),
  };
}

type Pick = (container: Container) => number;

/**
 * What the pod needs at most at one time: all main containers and sidecars together, or one init
 * container with the sidecars that were started before it, whichever is more; and the overhead.
 */
function podTotal(pod: Pod, pick: Pick): number {
  let total = containersOf(pod.spec).reduce((sum, c) => sum + pick(c), 0);
  let sidecars = 0;
  let peak = 0;
  for (const container of initContainersOf(pod.spec)) {
    if (isSidecar(container)) {
      sidecars += pick(container);
      peak = Math.max(peak, sidecars);
    } else peak = Math.max(peak, sidecars + pick(container));
  }
  total = Math.max(total + sidecars, peak);
  return total;
}

/** In thousandths for cpu, else in whole units. */
export function podRequest(pod: Pod, resource: string): number {
  const value = resource === "cpu" ? milliValue : wholeValue;
  const own = pod.spec?.resources?.requests?.[resource];
  const base =
    own !== undefined ? value(own) : podTotal(pod, (c) => value(c.resources?.requests?.[resource]));
  return base + value(pod.spec?.overhead?.[resource]);
}

export function podLimit(pod: Pod, resource: string): number {
  const value = resource === "cpu" ? milliValue : wholeValue;
  const own = pod.spec?.resources?.limits?.[resource];
  const base =
    own !== undefined ? value(own) : podTotal(pod, (c) => value(c.resources?.limits?.[resource]));
  return base === 0 ? 0 : base + value(pod.spec?.overhead?.[resource]);
}

/** Limits of the pod's own cgroup; undefined leaves that file alone. */
export function podCgroupLimits(pod: Pod): {
  cpuShares: number;
  cpuQuotaUs?: number;
  memoryLimitBytes?: number;
} {
  const qos = qosClass(pod);
  if (qos === "BestEffort") return { cpuShares: MIN_SHARES };
  const everyLimits = (resource: string) =>
    pod.spec?.resources?.limits?.[resource] !== undefined ||
    [...containersOf(pod.spec), ...initContainersOf(pod.spec)].every(
      (c) => wholeValue(c.resources?.limits?.[resource]) > 0,
    );
  const memory = podLimit(pod, "memory");
  const quota = milliCPUToQuota(podLimit(pod, "cpu"));
  return {
    cpuShares: milliCPUToShares(podRequest(pod, "cpu")),
    ...(everyLimits("cpu") && quota > 0 ? { cpuQuotaUs: quota } : {}),
    ...(everyLimits("memory") && memory > 0 ? { memoryLimitBytes: memory } : {}),
  };
}
