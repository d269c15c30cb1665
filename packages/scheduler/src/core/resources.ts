/**
 * What a pod asks for, as numbers that a filter can add and compare.
 *
 * Units   milliCPU in thousandths of a core; memory and ephemeral storage in bytes; scalars in
 *         their own unit (pods, devices, bytes of huge pages)
 * Source  k8s.io/component-helpers/resource/helpers.go PodRequests;
 *         pkg/scheduler/framework/types.go Resource
 */
import type { Container, Pod } from "@nanokube/api/core/v1";
import { parseQuantity } from "@nanokube/machinery";

export interface Resources {
  milliCPU: number;
  memory: number;
  ephemeralStorage: number;
  scalars: Map<string, number>;
}

/** What a container that asks for nothing is counted as when nodes are scored. */
export const defaultMilliCPURequest = 100;
export const defaultMemoryRequest = 200 * 1024 * 1024;

export const noResources = (): Resources => ({
  milliCPU: 0,
  memory: 0,
  ephemeralStorage: 0,
  scalars: new Map(),
});

export type ResourceList = Readonly<Record<string, string>>;

const cache = new Map<string, { value: number; milli: number }>();
const cacheEntriesMax = 4096;

function parse(text: string): { value: number; milli: number } {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const quantity = parseQuantity(text);
  const parsed = { value: quantity.value(), milli: quantity.milliValue() };
  if (cache.size >= cacheEntriesMax) cache.clear();
  cache.set(text, parsed);
  return parsed;
}

export function resourcesOf(list: ResourceList | undefined): Resources {
  const total = noResources();
  for (const [name, text] of Object.entries(list ?? {})) {
    if (name === "cpu") total.milliCPU = parse(text).milli;
    else if (name === "memory") total.memory = parse(text).value;
    else if (name === "ephemeral-storage") total.ephemeralStorage = parse(text).value;
    else if (name !== "pods") total.scalars.set(name, parse(text).value);
  }
  return total;
}

export function addResources(total: Resources, more: Resources, sign: 1 | -1 = 1): void {
  total.milliCPU += sign * more.milliCPU;
  total.memory += sign * more.memory;
  total.ephemeralStorage += sign * more.ephemeralStorage;
  for (const [name, value] of more.scalars) {
    total.scalars.set(name, (total.scalars.get(name) ?? 0) + sign * value);
  }
}

function raiseTo(total: Resources, floor: Resources): void {
  total.milliCPU = Math.max(total.milliCPU, floor.milliCPU);
  total.memory = Math.max(total.memory, floor.memory);
  total.ephemeralStorage = Math.max(total.ephemeralStorage, floor.ephemeralStorage);
  for (const [name, value] of floor.scalars) {
    total.scalars.set(name, Math.max(total.scalars.get(name) ?? 0, value));
  }
}

function containerRequests(container: Container, nonZero: boolean): Resources {
  const requests = container.resources?.requests;
  const resources = resourcesOf(requests);
  if (nonZero) {
    if (requests?.["cpu"] === undefined) resources.milliCPU = defaultMilliCPURequest;
    if (requests?.["memory"] === undefined) resources.memory = defaultMemoryRequest;
  }
  return resources;
}

/**
 * Containers run together, init containers one after the other, beside the sidecars that started
 * before them; the pod needs the largest of these moments. Requests of the pod as a whole win.
 */
export function podRequests(pod: Pod, nonZero = false): Resources {
  const running = noResources();
  for (const container of pod.spec?.containers ?? []) {
    addResources(running, containerRequests(container, nonZero));
  }
  const sidecars = noResources();
  const peak = noResources();
  for (const container of pod.spec?.initContainers ?? []) {
    const own = containerRequests(container, nonZero);
    if (container.restartPolicy === "Always") {
      addResources(running, own);
      addResources(sidecars, own);
      raiseTo(peak, sidecars);
    } else {
      addResources(own, sidecars);
      raiseTo(peak, own);
    }
  }
  raiseTo(running, peak);
  const podLevel = pod.spec?.resources?.requests;
  if (podLevel !== undefined) {
    const whole = resourcesOf(podLevel);
    if (podLevel["cpu"] !== undefined) running.milliCPU = whole.milliCPU;
    if (podLevel["memory"] !== undefined) running.memory = whole.memory;
    for (const [name, value] of whole.scalars) running.scalars.set(name, value);
  }
  addResources(running, resourcesOf(pod.spec?.overhead));
  return running;
}
