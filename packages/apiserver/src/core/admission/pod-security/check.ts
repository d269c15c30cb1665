/**
 * One rule of the pod security standards: why a pod breaks it, or nothing.
 *
 * Source  staging/src/k8s.io/pod-security-admission/policy/{checks,helpers,visitor}.go
 */
import type { Container, PodSpec } from "@nanokube/api/core/v1";
import type { ObjectMeta } from "@nanokube/machinery";

export interface Violation {
  reason: string;
  detail: string;
}

export interface PodToCheck {
  metadata: ObjectMeta;
  spec: PodSpec;
  containers: readonly Container[];
}

export interface Check {
  id: string;
  level: "baseline" | "restricted";
  /** Minor version of the first policy with the rule. */
  since?: number;
  /** Baseline rule that this one says better. */
  overrides?: string;
  run(pod: PodToCheck, minor: number): Violation | undefined;
}

export function podToCheck(metadata: ObjectMeta, spec: PodSpec): PodToCheck {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec;
  return { metadata, spec, containers: [...initContainers, ...containers, ...ephemeralContainers] };
}

export const quoteAll = (items: Iterable<string>): string =>
  [...items].map((item) => `"${item}"`).join(", ");

export const sorted = (items: Iterable<string>): string[] => [...new Set(items)].sort();

export const plural = (noun: string, count: number): string => (count === 1 ? noun : `${noun}s`);

/** `container "a"`, `containers "a", "b"`. */
export function named(noun: string, containers: readonly { name?: string | undefined }[]): string {
  const names = containers.map((container) => container.name ?? "");
  return `${plural(noun, names.length)} ${quoteAll(names)}`;
}

/** `pod and container "a"`: who set something. */
export function setters(pod: boolean, containers: readonly Container[]): string {
  const parts = pod ? ["pod"] : [];
  if (containers.length > 0) parts.push(named("container", containers));
  return parts.join(" and ");
}

/** Rules for Linux do not hold for pods of Windows from 1.25 on. */
export const isWindows = ({ spec }: PodToCheck, minor: number): boolean =>
  minor >= 25 && spec.os?.name === "windows";

/** Root in a user namespace of one's own is not root, from 1.35 on. */
export const ownUsers = ({ spec }: PodToCheck, minor: number): boolean =>
  minor >= 35 && spec.hostUsers === false;
