/**
 * Generic ephemeral volumes: a pod's volume that says what claim it wants gets that claim, owned by
 * the pod.
 *
 * Source  pkg/controller/volume/ephemeral/controller.go
 */
import type { PersistentVolumeClaim, Pod } from "@nanokube/api/core/v1";
import { isAlreadyExists, persistentVolumeClaims, pods, splitKey } from "@nanokube/client";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { controllerOf, controllerReference } from "../ownership.ts";
import { isEnding } from "../serviceaccount/serviceaccount.ts";
import { attempt, note, type Steps } from "../steps.ts";

export function createEphemeralVolumeController(): Controller {
  return {
    name: "ephemeral-volume-controller",
    watches: [
      watchOwn(pods),
      watch(persistentVolumeClaims, (claim) => {
        const owner = controllerOf(claim);
        return owner?.kind === "Pod" ? [`${claim.metadata?.namespace}/${owner.name}`] : [];
      }),
    ],
    reconcile: reconcileEphemeral,
  };
}

export function* reconcileEphemeral(key: string, { caches }: Context): Steps<undefined> {
  const { namespace, name } = splitKey(key);
  const pod = caches.of(pods).get(namespace, name);
  if (pod === undefined || pod.metadata?.deletionTimestamp !== undefined) return undefined;
  for (const { name: volume, ephemeral } of pod.spec?.volumes ?? []) {
    if (ephemeral === undefined) continue;
    const claimName = `${name}-${volume}`;
    const there = caches.of(persistentVolumeClaims).get(namespace, claimName);
    if (there !== undefined) {
      if (controllerOf(there)?.uid === pod.metadata?.uid) continue;
      // The pod must not get at what belongs to somebody else.
      throw new Error(
        `PVC "${namespace}/${claimName}" was not created for pod "${key}" (pod is not owner)`,
      );
    }
    yield* createClaim(pod, claimName, ephemeral.volumeClaimTemplate ?? {});
  }
  return undefined;
}

function* createClaim(pod: Pod, name: string, template: PersistentVolumeClaim): Steps {
  const { labels, annotations } = template.metadata ?? {};
  const claim: PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      namespace: pod.metadata?.namespace,
      ownerReferences: [controllerReference(pod, pods)],
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: template.spec ?? {},
  };
  const { error } = yield* attempt({
    do: "create",
    resource: persistentVolumeClaims,
    object: claim,
  });
  if (error === undefined || isAlreadyExists(error) || isEnding(error)) return;
  yield* note(pod, "Warning", "FailedToCreatePVC", `ephemeral volume controller: ${error.message}`);
  throw error;
}
