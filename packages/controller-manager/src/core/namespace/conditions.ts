/**
 * What a namespace that goes says of itself: five conditions, each with its words for "done" and
 * for "not yet".
 *
 * Source  pkg/controller/namespace/deletion/status_condition_utils.go
 */
import type { NamespaceCondition } from "@nanokube/api/core/v1";
import { formatTime } from "../time.ts";

const done: Readonly<Record<string, readonly [reason: string, message: string]>> = {
  NamespaceDeletionDiscoveryFailure: [
    "ResourcesDiscovered",
    "All resources successfully discovered",
  ],
  NamespaceDeletionGroupVersionParsingFailure: [
    "ParsedGroupVersions",
    "All legacy kube types successfully parsed",
  ],
  NamespaceDeletionContentFailure: [
    "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization",
  ],
  NamespaceContentRemaining: ["ContentRemoved", "All content successfully removed"],
  NamespaceFinalizersRemaining: [
    "ContentHasNoFinalizers",
    "All content-preserving finalizers finished",
  ],
};

export interface Remaining {
  discoveryError: Error | undefined;
  errors: readonly Error[];
  /** "pods." → 3: resource.group, as upstream writes it. */
  resources: ReadonlyMap<string, number>;
  finalizers: ReadonlyMap<string, number>;
}

export function namespaceConditions(
  old: readonly NamespaceCondition[] = [],
  remaining: Remaining,
  nowMs: number,
): NamespaceCondition[] {
  const wrong = problems(remaining);
  const known = old.filter(({ type = "" }) => done[type] === undefined);
  const ours = Object.entries(done).map(([type, [okReason, okMessage]]) => {
    const problem = wrong[type];
    const status = problem === undefined ? "False" : "True";
    const [reason, message] = problem ?? [okReason, okMessage];
    const before = old.find((condition) => condition.type === type);
    const lastTransitionTime =
      before?.status === status ? before.lastTransitionTime : formatTime(nowMs);
    return { type, status, lastTransitionTime, reason, message };
  });
  return [...known, ...ours];
}

function problems(remaining: Remaining): Record<string, readonly [string, string] | undefined> {
  const { discoveryError, errors, resources, finalizers } = remaining;
  const lines = (counts: ReadonlyMap<string, number>, words: (name: string, n: number) => string) =>
    [...counts]
      .map(([name, count]) => words(name, count))
      .sort()
      .join(", ");
  return {
    NamespaceDeletionDiscoveryFailure:
      discoveryError === undefined ? undefined : ["DiscoveryFailed", discoveryError.message],
    NamespaceDeletionContentFailure:
      errors.length === 0
        ? undefined
        : [
            "ContentDeletionFailed",
            `Failed to delete all resource types, ${errors.length} remaining: ${errors
              .map(({ message }) => message)
              .sort()
              .join(", ")}`,
          ],
    NamespaceContentRemaining:
      resources.size === 0
        ? undefined
        : [
            "SomeResourcesRemain",
            `Some resources are remaining: ${lines(resources, (name, n) => `${name} has ${n} resource instances`)}`,
          ],
    NamespaceFinalizersRemaining:
      finalizers.size === 0
        ? undefined
        : [
            "SomeFinalizersRemain",
            `Some content in the namespace has finalizers remaining: ${lines(finalizers, (name, n) => `${name} in ${n} resource instances`)}`,
          ],
  };
}
