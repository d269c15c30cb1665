/**
 * Says of a claim that wants more that somebody else enlarges its volume: no driver lives in here.
 *
 * Source  pkg/controller/volume/expand/expand_controller.go
 */
import { persistentVolumeClaims, persistentVolumes, splitKey } from "@nanokube/client";
import { parseQuantity } from "@nanokube/machinery";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { note, type Steps } from "../steps.ts";

export function createVolumeExpandController(): Controller {
  const told = new Map<string, string>();
  return {
    name: "persistentvolume-expander-controller",
    component: "volume_expand",
    watches: [watchOwn(persistentVolumeClaims), watch(persistentVolumes, () => [])],
    reconcile: (key, context) => tellOfExpansion(key, context, told),
  };
}

export function* tellOfExpansion(
  key: string,
  { caches }: Context,
  told: Map<string, string>,
): Steps<undefined> {
  const { namespace, name } = splitKey(key);
  const claim = caches.of(persistentVolumeClaims).get(namespace, name);
  if (claim === undefined) {
    told.delete(key);
    return undefined;
  }
  const wanted = claim.spec?.resources?.requests?.storage;
  const given = claim.status?.capacity?.storage;
  if (wanted === undefined || given === undefined) return undefined;
  if (parseQuantity(wanted).cmp(parseQuantity(given)) <= 0) return undefined;
  const volume = caches.of(persistentVolumes).get("", claim.spec?.volumeName ?? "");
  if (volume?.spec?.claimRef?.uid !== claim.metadata?.uid || told.get(key) === wanted) {
    return undefined;
  }
  told.set(key, wanted);
  const message = "waiting for an external controller to expand this PVC";
  yield* note(claim, "Normal", "ExternalExpanding", message);
  return undefined;
}
