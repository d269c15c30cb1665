/**
 * What an eviction notes on a pod before it deletes it: whoever counts ended pods, as a Job with a
 * pod failure policy does, must know that it did not end by itself.
 *
 * Source  pkg/registry/core/pod/storage/eviction.go addConditionAndDeletePod
 */
import type { Pod, PodCondition } from "@nanokube/api/core/v1";
import { type KubeObject, notFound } from "@nanokube/machinery";
import type { StoredObject } from "../../cache/stored-object.ts";
import { KeyChanged } from "../../storage/store.ts";
import type { RestContext } from "../context.ts";
import { timestamp } from "../object-meta.ts";
import type { DeleteOptions } from "../options.ts";

const evicting = {
  type: "DisruptionTarget",
  status: "True",
  reason: "EvictionByEvictionAPI",
  message: "Eviction API: evicting",
} as const;

/** The options to delete with: a version that was asked for is now the one that was written. */
export async function noteEviction(
  context: RestContext,
  stored: StoredObject,
  options: DeleteOptions,
): Promise<DeleteOptions> {
  const { info, resource, server } = context;
  for (let current: StoredObject | undefined = stored; ; ) {
    if (current === undefined) throw notFound({ group: "", resource: "pods" }, info.name);
    const pod = current.tree() as Pod;
    // The deletion says so.
    if (!isMeant(pod, options)) return options;
    note(pod, timestamp(server.clock));
    try {
      const written = await server.store.replace(resource.cache, current, pod as KubeObject);
      if (options.preconditions?.resourceVersion === undefined) return options;
      const resourceVersion = String(written.revision);
      return { ...options, preconditions: { ...options.preconditions, resourceVersion } };
    } catch (error) {
      if (!(error instanceof KeyChanged)) throw error;
      current = error.current;
    }
  }
}

function isMeant({ metadata }: Pod, { preconditions = {} }: DeleteOptions): boolean {
  const { uid = metadata?.uid, resourceVersion = metadata?.resourceVersion } = preconditions;
  return uid === metadata?.uid && resourceVersion === metadata?.resourceVersion;
}

/** A condition that was true before stays true since then. */
function note(pod: Pod, now: string): void {
  pod.status ??= {};
  const conditions = pod.status.conditions ?? [];
  const before = conditions.find(({ type }) => type === evicting.type);
  const lastTransitionTime = before?.status === "True" ? before.lastTransitionTime : now;
  const condition = { ...before, ...evicting, lastTransitionTime } as PodCondition;
  pod.status.conditions =
    before === undefined
      ? [...conditions, condition]
      : conditions.map((one) => (one === before ? condition : one));
}
