/**
 * Changing the resources of a running pod: what was granted, what runs, and what must be done.
 *
 *   spec ── granted by the node ──▶ allocated ── taken by the runtime ──▶ actuated
 *
 * The kubelet works with the allocated pod: a wish that does not fit now waits (Deferred) and the
 * pod goes on with what it has.
 * Units   cpu in thousandths, memory in bytes; 0 is no limit
 * Source  pkg/kubelet/allocation/allocation_manager.go,
 *         pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodResizeAction
 */
import type { Container, Pod, PodSpec, ResourceRequirements } from "@nanokube/api/core/v1";
import { parseQuantity } from "@nanokube/machinery";
import { containersOf, initContainersOf } from "./pod.ts";
import { milliValue, wholeValue } from "./resources.ts";
import type { RuntimeContainer } from "./runtime-status.ts";

export interface Allocation {
  pod?: ResourceRequirements;
  containers: Record<string, ResourceRequirements>;
}

type ResourceList = Record<string, string>;

const sameList = (a: ResourceList = {}, b: ResourceList = {}): boolean => {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => {
    const [left, right] = [a[name], b[name]];
    if (left === undefined || right === undefined) return false;
    return left === right || parseQuantity(left).equals(parseQuantity(right));
  });
};

export const sameResources = (
  a: ResourceRequirements | undefined,
  b: ResourceRequirements | undefined,
): boolean => sameList(a?.requests, b?.requests) && sameList(a?.limits, b?.limits);

export function allocationOf(pod: Pod): Allocation {
  const all = [...initContainersOf(pod.spec), ...containersOf(pod.spec)];
  const containers = Object.fromEntries(all.map((c) => [c.name ?? "", c.resources ?? {}]));
  const whole = pod.spec?.resources;
  return { ...(whole === undefined ? {} : { pod: whole }), containers };
}

/** The pod with what was granted to it; the same object when that is what it asks for. */
export function withAllocation(pod: Pod, allocation: Allocation | undefined): Pod {
  if (allocation === undefined) return pod;
  let changed = false;
  const granted = (container: Container): Container => {
    const resources = allocation.containers[container.name ?? ""];
    if (resources === undefined || sameResources(resources, container.resources)) return container;
    changed = true;
    return { ...container, resources };
  };
  const spec: PodSpec = { ...pod.spec, containers: containersOf(pod.spec).map(granted) };
  if (pod.spec?.initContainers !== undefined) {
    spec.initContainers = pod.spec.initContainers.map(granted);
  }
  if (!sameResources(allocation.pod, pod.spec?.resources)) {
    changed = true;
    if (allocation.pod === undefined) delete spec.resources;
    else spec.resources = allocation.pod;
  }
  return changed ? { ...pod, spec } : pod;
}

/** What of a container's resources the kernel can be told. */
export interface ComputeResources {
  cpuRequest: number;
  cpuLimit: number;
  memoryRequest: number;
  memoryLimit: number;
}

export function computeResources(
  whole: ResourceRequirements | undefined,
  own: ResourceRequirements | undefined,
): ComputeResources {
  return {
    cpuRequest: milliValue(own?.requests?.cpu),
    cpuLimit: milliValue(own?.limits?.cpu ?? whole?.limits?.cpu),
    memoryRequest: wholeValue(own?.requests?.memory),
    memoryLimit: wholeValue(own?.limits?.memory ?? whole?.limits?.memory),
  };
}

/** A running container that is to get other resources without being started again. */
export interface ContainerUpdate {
  id: string;
  container: Container;
  current: ComputeResources;
  desired: ComputeResources;
}

/** Updates per resource, those that give back first. */
export interface ResizePlan {
  memory: ContainerUpdate[];
  cpu: ContainerUpdate[];
  /** The pod's own group must follow, also when no container is updated in place. */
  pod: boolean;
}

export const noResize = (): ResizePlan => ({ memory: [], cpu: [], pod: false });
export const isResize = ({ memory, cpu, pod }: ResizePlan): boolean =>
  pod || memory.length > 0 || cpu.length > 0;

function enter(list: ContainerUpdate[], update: ContainerUpdate, by: number): void {
  if (by > 0) list.push(update);
  else list.unshift(update);
}

const restarts = (container: Container, resource: string): boolean =>
  container.resizePolicy?.find((policy) => policy.resourceName === resource)?.restartPolicy ===
  "RestartContainer";

/** Enters what the container needs; answers whether it must be started again for it. */
export function planContainerResize(
  pod: Pod,
  container: Container,
  run: RuntimeContainer,
  actuated: Allocation | undefined,
  plan: ResizePlan,
): boolean {
  const name = container.name ?? "";
  if (actuated?.containers[name] === undefined) return false;
  const desired = computeResources(pod.spec?.resources, container.resources);
  const current = computeResources(actuated.pod, actuated.containers[name]);
  const update: ContainerUpdate = { id: run.id, container, current, desired };
  const memory = desired.memoryLimit - current.memoryLimit;
  const memoryRequest = desired.memoryRequest - current.memoryRequest;
  const cpu = desired.cpuLimit - current.cpuLimit;
  const cpuRequest = desired.cpuRequest - current.cpuRequest;
  const memoryChanged = memory !== 0 || memoryRequest !== 0;
  const cpuChanged = cpu !== 0 || cpuRequest !== 0;
  if (
    (memoryChanged && restarts(container, "memory")) ||
    (cpuChanged && restarts(container, "cpu"))
  ) {
    plan.pod = true;
    return true;
  }
  if (memoryChanged) enter(plan.memory, update, memory || memoryRequest);
  if (cpuChanged) enter(plan.cpu, update, cpu || cpuRequest);
  return false;
}

/** Does something run with other resources than it was granted? */
export function isResizing(
  pod: Pod,
  running: readonly RuntimeContainer[],
  actuated: Allocation | undefined,
): boolean {
  if (actuated === undefined) return false;
  if (!sameResources(actuated.pod, pod.spec?.resources)) return true;
  const all = [...initContainersOf(pod.spec), ...containersOf(pod.spec)];
  return running.some((run) => {
    const container = all.find((c) => c.name === run.name);
    const had = actuated.containers[run.name];
    if (container === undefined || had === undefined) return false;
    const want = computeResources(pod.spec?.resources, container.resources);
    const have = computeResources(actuated.pod, had);
    return (Object.keys(want) as (keyof ComputeResources)[]).some((key) => want[key] !== have[key]);
  });
}

/** The text of the Resize… events: who has how much. */
export function describeResize(pod: Pod, what: string, error = ""): string {
  const list = (containers: readonly Container[]) =>
    containers.map(({ name, resources = {} }) => {
      const { limits, requests } = resources;
      return { name, resources: { ...(limits && { limits }), ...(requests && { requests }) } };
    });
  const init = list(initContainersOf(pod.spec));
  const summary = {
    ...(init.length > 0 ? { initContainers: init } : {}),
    containers: list(containersOf(pod.spec)),
    generation: pod.metadata?.generation ?? 0,
    ...(error === "" ? {} : { error }),
  };
  return `${what}: ${JSON.stringify(summary)}`;
}
