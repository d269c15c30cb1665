/**
 * Without --allow-privileged no container may be privileged, in a pod or in what pods are made of.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateSecurityContext; pkg/capabilities
 */
import type { Container, PodSpec } from "@nanokube/api/core/v1";
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceStrategy } from "../core/strategy.ts";
import { type FieldError, type FieldPath, field, forbidden } from "./field.ts";

/** Where each kind has a pod's spec. */
const podSpecs: Readonly<Record<string, readonly string[]>> = {
  "/Pod": ["spec"],
  "/PodTemplate": ["template", "spec"],
  "/ReplicationController": ["spec", "template", "spec"],
  "apps/DaemonSet": ["spec", "template", "spec"],
  "apps/Deployment": ["spec", "template", "spec"],
  "apps/ReplicaSet": ["spec", "template", "spec"],
  "apps/StatefulSet": ["spec", "template", "spec"],
  "batch/CronJob": ["spec", "jobTemplate", "spec", "template", "spec"],
  "batch/Job": ["spec", "template", "spec"],
};

export type StrategyFor = (group: string, kind: string) => ResourceStrategy;

export function withoutPrivileged(strategyFor: StrategyFor): StrategyFor {
  return (group, kind) => {
    const strategy = strategyFor(group, kind);
    const at = podSpecs[`${group}/${kind}`];
    if (at === undefined) return strategy;
    const isPod = kind === "Pod";
    return {
      ...strategy,
      validate: (object, context) => [
        ...(strategy.validate?.(object, context) ?? []),
        ...privilegedIn(object, at, ["initContainers", "containers"]),
      ],
      // A pod's own containers cannot change any more.
      validateUpdate: (object, old, context) => [
        ...(strategy.validateUpdate?.(object, old, context) ?? []),
        ...privilegedIn(
          object,
          at,
          isPod ? ["ephemeralContainers"] : ["initContainers", "containers"],
        ),
      ],
    };
  };
}

function privilegedIn(
  object: KubeObject,
  [root = "", ...more]: readonly string[],
  lists: readonly ("initContainers" | "containers" | "ephemeralContainers")[],
): FieldError[] {
  const path = field(root, ...more);
  let spec: unknown = object;
  for (const name of [root, ...more]) spec = (spec as Record<string, unknown> | undefined)?.[name];
  return lists.flatMap((list) =>
    ((spec as PodSpec | undefined)?.[list] ?? []).flatMap((container, i) =>
      privileged(container as Container, path.child(list).index(i)),
    ),
  );
}

function privileged(container: Container, path: FieldPath): FieldError[] {
  if (!container.securityContext?.privileged) return [];
  return [forbidden(path.child("securityContext", "privileged"), "disallowed by cluster policy")];
}
