/**
 * One look at a claim: find it a volume, ask for one to be made, or see whether it still has its
 * own.
 *
 * Source  pkg/controller/volume/persistentvolume/pv_controller.go syncUnboundClaim, syncBoundClaim
 */
import type { PersistentVolumeClaim, Pod } from "@nanokube/api/core/v1";
import type { StorageClass } from "@nanokube/api/storage/v1";
import { persistentVolumeClaims, persistentVolumes, pods, storageClasses } from "@nanokube/client";
import type { Caches, Context } from "../controller.ts";
import { isPodTerminal } from "../pod.ts";
import { note, type Steps, update } from "../steps.ts";
import { bind, bindCompleted, boundByController, loseClaim, setClaimStatus } from "./bind.ts";
import {
  classOf,
  findVolume,
  isReservedFor,
  mismatch,
  storageClassOf,
  waitsForConsumer,
} from "./match.ts";

const provisionerAnnotation = "volume.kubernetes.io/storage-provisioner";
const betaProvisionerAnnotation = "volume.beta.kubernetes.io/storage-provisioner";
const defaultClass = "storageclass.kubernetes.io/is-default-class";

/** Index "claim": the pods that use a claim, ephemeral volumes' claims too. */
export const podsByClaim = {
  claim: (pod: Pod) =>
    (pod.spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
      const claim =
        persistentVolumeClaim?.claimName ??
        (ephemeral === undefined ? undefined : `${pod.metadata?.name}-${name}`);
      return claim === undefined ? [] : [`${pod.metadata?.namespace}/${claim}`];
    }),
};

export function* syncClaim(claim: PersistentVolumeClaim, context: Context): Steps {
  if (claim.metadata?.annotations?.[bindCompleted] !== undefined) {
    yield* syncBound(claim, context);
  } else if (claim.spec?.volumeName) yield* syncRequested(claim, context);
  else yield* syncUnbound(claim, context);
}

function* syncUnbound(claim: PersistentVolumeClaim, context: Context): Steps {
  const { caches, nowMs } = context;
  const delayed = waitsForConsumer(claim, caches);
  const volume = findVolume(claim, caches.of(persistentVolumes).list(), delayed);
  if (volume !== undefined) {
    yield* bind(volume, claim, nowMs);
    return;
  }
  const current = yield* withDefaultClass(claim, caches);
  yield* setClaimStatus(current, "Pending");
  if (delayed) {
    yield* tellWaiting(current, caches);
    return;
  }
  const storageClass = storageClassOf(current, caches);
  if (storageClass !== undefined) yield* askForVolume(current, storageClass);
  else if (classOf(current) === "") {
    const message = "no persistent volumes available for this claim and no storage class is set";
    yield* note(current, "Normal", "FailedBinding", message);
  } else {
    const message = `storageclass.storage.k8s.io "${classOf(current)}" not found`;
    yield* note(current, "Warning", "ProvisioningFailed", message);
  }
}

/** A default class that came after the claim counts for it too. */
function* withDefaultClass(
  claim: PersistentVolumeClaim,
  caches: Caches,
): Steps<PersistentVolumeClaim> {
  const said = claim.spec?.storageClassName !== undefined || classOf(claim) !== "";
  if (said) return claim;
  const [newest] = caches
    .of(storageClasses)
    .list()
    .filter(({ metadata }) => metadata?.annotations?.[defaultClass] === "true")
    .sort((a, b) =>
      (a.metadata?.creationTimestamp ?? "") < (b.metadata?.creationTimestamp ?? "") ? 1 : -1,
    );
  if (newest === undefined) return claim;
  return yield* update(persistentVolumeClaims, {
    ...claim,
    spec: { ...claim.spec, storageClassName: newest.metadata?.name },
  });
}

function* tellWaiting(claim: PersistentVolumeClaim, caches: Caches): Steps {
  const { namespace, name } = claim.metadata ?? {};
  const waiting = caches
    .of(pods)
    .byIndex("claim", `${namespace}/${name}`)
    .filter((pod) => !isPodTerminal(pod) && !pod.spec?.nodeName)
    .map((pod) => pod.metadata?.name);
  if (waiting.length === 0) {
    const message = "waiting for first consumer to be created before binding";
    yield* note(claim, "Normal", "WaitForFirstConsumer", message);
    return;
  }
  const which = waiting.length > 1 ? `pods ${waiting.join(",")}` : `pod ${waiting[0]}`;
  yield* note(claim, "Normal", "WaitForPodScheduled", `waiting for ${which} to be scheduled`);
}

/**
 * @hop persistentvolume.ask: the PV controller hands the claim to the provisioner that its storage
 * class names.
 */
function* askForVolume(claim: PersistentVolumeClaim, storageClass: StorageClass): Steps {
  const { provisioner = "" } = storageClass;
  if (provisioner === "kubernetes.io/no-provisioner") {
    const message = "no persistent volumes available for this claim and no storage class is set";
    yield* note(claim, "Normal", "FailedBinding", message);
    return;
  }
  if (claim.metadata?.annotations?.[provisionerAnnotation] !== provisioner) {
    const annotations = {
      ...claim.metadata?.annotations,
      [provisionerAnnotation]: provisioner,
      [betaProvisionerAnnotation]: provisioner,
    };
    yield* update(
      persistentVolumeClaims,
      { ...claim, metadata: { ...claim.metadata, annotations } },
      "persistentvolume.ask",
    );
  }
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
    "If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
  yield* note(claim, "Normal", "ExternalProvisioning", message);
}

/** The user (or this controller, interrupted) named a volume. */
function* syncRequested(claim: PersistentVolumeClaim, { caches, nowMs }: Context): Steps {
  const volume = caches.of(persistentVolumes).get("", claim.spec?.volumeName ?? "");
  if (volume === undefined) {
    yield* setClaimStatus(claim, "Pending");
    return;
  }
  const name = volume.metadata?.name;
  if (volume.spec?.claimRef === undefined) {
    const why = mismatch(volume, claim);
    if (why === undefined) {
      yield* bind(volume, claim, nowMs);
      return;
    }
    yield* note(
      claim,
      "Warning",
      "VolumeMismatch",
      `Cannot bind to requested volume "${name}": ${why}`,
    );
    yield* setClaimStatus(claim, "Pending");
    return;
  }
  if (isReservedFor(volume, claim)) {
    yield* bind(volume, claim, nowMs);
    return;
  }
  yield* note(
    claim,
    "Warning",
    "FailedBinding",
    `volume "${name}" already bound to a different claim.`,
  );
  if (claim.metadata?.annotations?.[boundByController] === undefined) {
    yield* setClaimStatus(claim, "Pending");
  }
}

function* syncBound(claim: PersistentVolumeClaim, { caches, nowMs }: Context): Steps {
  const data = "Data on the volume is lost!";
  if (!claim.spec?.volumeName) {
    yield* loseClaim(
      claim,
      "ClaimLost",
      `Bound claim has lost reference to PersistentVolume. ${data}`,
    );
    return;
  }
  const volume = caches.of(persistentVolumes).get("", claim.spec.volumeName);
  if (volume === undefined) {
    yield* loseClaim(claim, "ClaimLost", `Bound claim has lost its PersistentVolume. ${data}`);
    return;
  }
  const reference = volume.spec?.claimRef;
  if (reference === undefined || reference.uid === claim.metadata?.uid) {
    yield* bind(volume, claim, nowMs);
    return;
  }
  const message = "Two claims are bound to the same volume, this one is bound incorrectly";
  yield* loseClaim(claim, "ClaimMisbound", message);
}
