/**
 * What a pod asks for as a whole: sums over its containers, pod-level defaults, and its QoS class.
 *
 * Sidecars (restartable init containers) run on beside the rest, so they add up; a plain init
 * container runs alone on top of the sidecars started before it, so only the largest counts.
 *
 * Source  staging/src/k8s.io/component-helpers/resource/helpers.go,
 *         pkg/apis/core/helper/qos/qos.go, pkg/apis/core/v1/defaults.go defaultPodRequests
 */
import type { Container, Pod, PodSpec } from "@nanokube/api/core/v1";
import { parseQuantity } from "@nanokube/machinery";
import { addInto, maxInto, type ResourceList } from "../../resource-list.ts";

type Side = "requests" | "limits";

function sideOf(container: Container, side: Side): ResourceList | undefined {
  return container.resources?.[side] as ResourceList | undefined;
}

/** Sum over the containers, without pod-level resources and overhead. */
export function aggregateContainers(spec: PodSpec, side: Side): ResourceList {
  const sum: ResourceList = {};
  for (const container of spec.containers ?? []) addInto(sum, sideOf(container, side));
  const sidecars: ResourceList = {};
  const largestInit: ResourceList = {};
  for (const container of spec.initContainers ?? []) {
    const own = sideOf(container, side);
    if (container.restartPolicy === "Always") {
      addInto(sum, own);
      addInto(sidecars, own);
      maxInto(largestInit, sidecars);
    } else {
      const alone: ResourceList = { ...own };
      addInto(alone, sidecars);
      maxInto(largestInit, alone);
    }
  }
  maxInto(sum, largestInit);
  return sum;
}

/** What the scheduler and quotas count: pod-level values win, overhead comes on top. */
export function podRequests(spec: PodSpec, side: Side = "requests"): ResourceList {
  const sum = aggregateContainers(spec, side);
  for (const [name, value] of Object.entries(spec.resources?.[side] ?? {})) {
    if (isPodLevelResource(name)) sum[name] = value as string;
  }
  if (side === "requests") addInto(sum, spec.overhead as ResourceList | undefined);
  else {
    for (const [name, value] of Object.entries((spec.overhead ?? {}) as ResourceList)) {
      if (sum[name] !== undefined) addInto(sum, { [name]: value });
    }
  }
  return sum;
}

export function isPodLevelResource(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith("hugepages-");
}

export function defaultPodResources(spec: PodSpec): void {
  const own = spec.resources;
  if (own === undefined) return;
  const hasLimits = Object.keys(own.limits ?? {}).length > 0;
  const hasRequests = Object.keys(own.requests ?? {}).length > 0;
  if (hasLimits || hasRequests) {
    const limits: ResourceList = { ...(own.limits as ResourceList | undefined) };
    for (const [name, value] of Object.entries(aggregateContainers(spec, "limits"))) {
      if (name.startsWith("hugepages-") && own.requests?.[name] === undefined) {
        limits[name] ??= value;
      }
    }
    if (Object.keys(limits).length > 0) own.limits = limits;
  }
  if (Object.keys(own.limits ?? {}).length === 0) return;
  const requests: ResourceList = { ...(own.requests as ResourceList | undefined) };
  for (const [name, value] of Object.entries(aggregateContainers(spec, "requests"))) {
    if (name === "cpu" || name === "memory") requests[name] ??= value;
  }
  for (const [name, value] of Object.entries((own.limits ?? {}) as ResourceList)) {
    if (isPodLevelResource(name)) requests[name] ??= value;
  }
  if (Object.keys(requests).length > 0) own.requests = requests;
}

function positive(list: ResourceList | undefined): ResourceList {
  const kept: ResourceList = {};
  for (const name of ["cpu", "memory"]) {
    const value = list?.[name];
    if (value !== undefined && parseQuantity(String(value)).cmp(parseQuantity("0")) > 0) {
      kept[name] = value;
    }
  }
  return kept;
}

/** Guaranteed, Burstable or BestEffort. */
export function qosClass(pod: Pod): "Guaranteed" | "Burstable" | "BestEffort" {
  const spec = pod.spec ?? {};
  const requests: ResourceList = {};
  const limits: ResourceList = {};
  let guaranteed = true;
  const parts: { requests?: unknown; limits?: unknown }[] =
    spec.resources !== undefined
      ? [spec.resources]
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((c) => c.resources ?? {});
  for (const part of parts) {
    addInto(requests, positive(part.requests as ResourceList | undefined));
    const own = positive(part.limits as ResourceList | undefined);
    if (own.cpu === undefined || own.memory === undefined) guaranteed = false;
    addInto(limits, own);
  }
  if (Object.keys(requests).length === 0 && Object.keys(limits).length === 0) return "BestEffort";
  for (const [name, value] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit === undefined || parseQuantity(limit).cmp(parseQuantity(value)) !== 0) {
      guaranteed = false;
    }
  }
  const same = Object.keys(requests).length === Object.keys(limits).length;
  return guaranteed && same ? "Guaranteed" : "Burstable";
}
