/**
 * Resizing a pod in place: only cpu and memory of containers that can take it.
 *
 * Source  pkg/apis/core/validation/validation.go ValidatePodResize
 */
import type { Container, Pod } from "@nanokube/api/core/v1";
import { type FieldError, type FieldPath, field, forbidden, invalid } from "../../field.ts";
import type { ResourceList } from "../../resource-list.ts";
import { semanticEqual } from "../../semantic-equal.ts";
import { mirrorPod } from "./annotations.ts";
import { qosClass } from "./resources.ts";
import { validatePodAtRest } from "./validation.ts";

const lists = ["containers", "initContainers"] as const;

function validateOrder(pod: Pod, old: Pod, path: FieldPath): FieldError[] {
  return lists.flatMap((list) => {
    const [now, before] = [pod.spec?.[list] ?? [], old.spec?.[list] ?? []];
    const at = path.child(list);
    if (now.length !== before.length) {
      return [forbidden(at, `${list} may not be added or removed on resize`)];
    }
    return before.flatMap((container, i) => {
      if (now[i]?.name === container.name) return [];
      return [
        forbidden(at.index(i).child("name"), `${list} may not be renamed or reordered on resize`),
      ];
    });
  });
}

/** Requests and limits may shrink and grow but not vanish. */
function validateRemoved(now: Container, before: Container, path: FieldPath): FieldError[] {
  return (["requests", "limits"] as const).flatMap((side) => {
    const fresh = (now.resources?.[side] ?? {}) as ResourceList;
    return Object.keys((before.resources?.[side] ?? {}) as ResourceList).some(
      (name) => fresh[name] === undefined,
    )
      ? [forbidden(path.child(side), `resource ${side} cannot be removed`)]
      : [];
  });
}

function withoutCPUAndMemory(container: Container): unknown {
  const strip = (list: unknown) => {
    const { cpu: _cpu, memory: _memory, ...rest } = (list ?? {}) as ResourceList;
    return rest;
  };
  const { resizePolicy: _policy, ...own } = container;
  const { requests, limits, ...rest } = container.resources ?? {};
  return { ...own, resources: { ...rest, requests: strip(requests), limits: strip(limits) } };
}

export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  if (old.metadata?.annotations?.[mirrorPod] !== undefined) {
    return [forbidden(field(""), "static pods cannot be resized")];
  }
  if (old.spec?.os?.name === "windows") {
    return [forbidden(field(""), "windows pods cannot be resized")];
  }
  const path = field("spec");
  const errors = validatePodAtRest(pod);
  const before = old.status?.qosClass ?? qosClass(old);
  if (before !== qosClass(pod)) {
    const why = "Pod QOS Class may not change as a result of resizing";
    errors.push(invalid(path, pod.status?.qosClass ?? "", why));
  }
  const order = validateOrder(pod, old, path);
  if (order.length > 0) return [...errors, ...order];
  for (const list of lists) {
    for (const [i, container] of (pod.spec?.[list] ?? []).entries()) {
      const stale = old.spec?.[list]?.[i] ?? {};
      if (semanticEqual(container, stale)) continue;
      const at = path.child(list).index(i);
      if (list === "initContainers" && stale.restartPolicy !== "Always") {
        const why = "resources for non-sidecar init containers are immutable";
        errors.push(forbidden(path, why));
        continue;
      }
      errors.push(...validateRemoved(container, stale, at.child("resources")));
      if (!semanticEqual(withoutCPUAndMemory(container), withoutCPUAndMemory(stale))) {
        errors.push(forbidden(path, "only cpu and memory resources are mutable"));
      }
    }
  }
  return errors;
}
