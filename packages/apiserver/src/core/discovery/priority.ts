/**
 * The order of groups and versions in discovery: the first group and version that serve a name are
 * what a client means by it.
 *
 * Shapes  built-in groups have numbers of their own, those of custom resources 1000 and 100,
 *         an APIService brings both in its spec (groupPriorityMinimum, versionPriority)
 *         greater stands first; then names ascend, versions go v2, v1, v1beta2, v1alpha1, others
 * Source  staging/src/k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/helper/helpers.go,
 *         staging/src/k8s.io/apimachinery/pkg/version/helpers.go,
 *         cmd/kube-apiserver/app/aggregator.go
 */
import { groups } from "@nanokube/api";

export interface Priority {
  readonly group: number;
  readonly version: number;
}

/** What the CRD registration controller writes into the APIServices it makes. */
export const customResourcePriority: Priority = { group: 1000, version: 100 };

/** The aggregator's own group stands before all others. */
const aggregatorPriority: Priority = { group: 20000, version: 1 };

const builtIn = new Map<string, Priority>(
  groups.flatMap(({ group, versions, priority, versionPriorities }) =>
    versions.map((version, i): [string, Priority] => [
      `${group}/${version}`,
      priority === undefined
        ? aggregatorPriority
        : { group: priority, version: versionPriorities?.[i] ?? 1 },
    ]),
  ),
);

export function priorityOf(group: string, version: string): Priority {
  return builtIn.get(`${group}/${version}`) ?? customResourcePriority;
}

const stages = ["alpha", "beta", ""]; // Least stable first.

/** "v2beta1" → stage 1, major 2, minor 1; what is no such version has no rank. */
function parseVersion(version: string): [number, number, number] | undefined {
  const found = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version);
  if (found === null) return undefined;
  return [stages.indexOf(found[2] ?? ""), Number(found[1]), Number(found[3] ?? 0)];
}

/** Negative when `a` stands before `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (left === undefined && right === undefined) return a < b ? -1 : a > b ? 1 : 0;
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  for (let i = 0; i < left.length; i++) {
    if (left[i] !== right[i]) return right[i]! - left[i]!;
  }
  return 0;
}
