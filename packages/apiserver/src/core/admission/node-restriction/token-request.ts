/**
 * Tokens a node may ask for: bound to a pod that runs on it, for an audience that the pod mounts.
 *
 * Source  plugin/pkg/admission/noderestriction/admission.go admitServiceAccount
 */
import type { TokenRequest } from "@nanokube/api/authentication/v1";
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "@nanokube/api/core/v1";
import type { CSIDriver } from "@nanokube/api/storage/v1";
import { quoteGo } from "@nanokube/machinery";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import { refuse } from "../refuse.ts";
import { podNotFound } from "./not-found.ts";

async function driverOf(volume: Volume, pod: Pod, reader: ObjectReader): Promise<string> {
  if (volume.csi !== undefined) return volume.csi.driver ?? "";
  const claimName =
    volume.ephemeral === undefined
      ? volume.persistentVolumeClaim?.claimName
      : `${pod.metadata?.name}-${volume.name}`;
  if (claimName === undefined) return "";
  const namespace = pod.metadata?.namespace ?? "";
  const claim = await reader.get("", "persistentvolumeclaims", namespace, claimName);
  const volumeName = (claim as PersistentVolumeClaim | undefined)?.spec?.volumeName;
  if (!volumeName) return "";
  const bound = await reader.get("", "persistentvolumes", "", volumeName);
  return (bound as PersistentVolume | undefined)?.spec?.csi?.driver ?? "";
}

async function mountsAudience(pod: Pod, audience: string, reader: ObjectReader) {
  for (const volume of pod.spec?.volumes ?? []) {
    for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
      if (serviceAccountToken && (serviceAccountToken.audience ?? "") === audience) return true;
    }
    const name = await driverOf(volume, pod, reader);
    if (name === "") continue;
    const driver = await reader.get("storage.k8s.io", "csidrivers", "", name);
    const requests = (driver as CSIDriver | undefined)?.spec?.tokenRequests ?? [];
    if (requests.some((request) => (request.audience ?? "") === audience)) return true;
  }
  return false;
}

async function checkAudience(
  attributes: AdmissionAttributes,
  pod: Pod,
  reader: ObjectReader,
  authorizer: Authorizer,
): Promise<void> {
  const audiences = (attributes.object as TokenRequest).spec?.audiences ?? [];
  if (audiences.length > 1) {
    throw refuse(attributes, "node may only request 0 or 1 audiences");
  }
  const audience = audiences[0] ?? "";
  if (await mountsAudience(pod, audience, reader)) return;
  const { user, namespace, name } = attributes;
  const { decision } = await authorizer.authorize({
    user,
    verb: "request-serviceaccounts-token-audience",
    resourceRequest: true,
    namespace,
    apiGroup: "",
    apiVersion: "v1",
    resource: audience,
    subresource: "",
    name,
    path: "",
  });
  if (decision === "allow") return;
  const found = `audience ${quoteGo(audience)} not found in pod spec volume`;
  const why = `${user.name} is not authorized to request tokens for this audience`;
  throw refuse(attributes, `${found}, ${why}`);
}

/** Without an authorizer the audience may be any. */
export async function checkTokenRequest(
  attributes: AdmissionAttributes,
  node: string,
  reader: ObjectReader,
  authorizer: Authorizer | undefined,
): Promise<void> {
  const no = (why: string) => refuse(attributes, why);
  const bound = (attributes.object as TokenRequest).spec?.boundObjectRef;
  if (bound?.apiVersion !== "v1" || bound.kind !== "Pod" || !bound.name) {
    throw no("node requested token not bound to a pod");
  }
  if (!bound.uid) throw no("node requested token with a pod binding without a uid");
  const pod = (await reader.get("", "pods", attributes.namespace, bound.name)) as Pod | undefined;
  if (pod === undefined) throw podNotFound(bound.name);
  if (bound.uid !== pod.metadata?.uid) {
    const mismatch = `the UID in the bound object reference (${bound.uid})`;
    const why = "does not match the UID in record. The object might have been deleted";
    throw no(`${mismatch} ${why} and then recreated`);
  }
  if (pod.spec?.nodeName !== node) {
    throw no("node requested token bound to a pod scheduled on a different node");
  }
  if (authorizer !== undefined) await checkAudience(attributes, pod, reader, authorizer);
}
