/**
 * What a node may say in a pod of its own making: nothing that leads to other objects.
 *
 * Source  plugin/pkg/admission/noderestriction/admission.go admitPodCreate,
 *         pkg/api/pod/util.go HasAPIObjectReference
 */
import type { Pod, Volume, VolumeProjection } from "@nanokube/api/core/v1";
import { quoteGo } from "@nanokube/machinery";
import { podReferences } from "../../authorization/pod-references.ts";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import { refuse } from "../refuse.ts";
import { nodeNotFound } from "./not-found.ts";

const mirrorPod = "kubernetes.io/config.mirror";

const forbiddenVolumes: readonly [keyof Volume, string][] = [
  ["configMap", "configmaps (via configmap volumes)"],
  ["secret", "secrets (via secret volumes)"],
  ["csi", "csidrivers (via CSI volumes)"],
  ["glusterfs", "endpoints (via glusterFS volumes)"],
  ["persistentVolumeClaim", "persistentvolumeclaims"],
  ["ephemeral", "persistentvolumeclaims (via ephemeral volumes)"],
  ["azureFile", "secrets (via azureFile volumes)"],
];

const forbiddenProjections: readonly [keyof VolumeProjection, string][] = [
  ["configMap", "configmaps (via projected volumes)"],
  ["secret", "secrets (via projected volumes)"],
  ["serviceAccountToken", "serviceaccounts (via projected volumes)"],
  ["clusterTrustBundle", "clustertrustbundles"],
  ["podCertificate", "podcertificates"],
];

/** The kind of object the pod leads to, if it leads to any. */
export function referencedResource(pod: Pod): string | undefined {
  if (pod.spec?.serviceAccountName) return "serviceaccounts";
  const found = podReferences(pod);
  if (found.secrets.size > 0) return "secrets";
  if (found.configmaps.size > 0) return "configmaps";
  if (pod.spec?.resourceClaims?.length) return "resourceclaims";
  for (const volume of pod.spec?.volumes ?? []) {
    const hit = forbiddenVolumes.find(([field]) => volume[field] !== undefined);
    if (hit !== undefined) return hit[1];
    for (const source of volume.projected?.sources ?? []) {
      const projected = forbiddenProjections.find(([field]) => source[field] !== undefined);
      if (projected !== undefined) return projected[1];
    }
  }
  return undefined;
}

/** Only mirror pods, bound to the node and owned by it. */
export async function checkMirrorPod(
  attributes: AdmissionAttributes,
  node: string,
  reader: ObjectReader,
): Promise<void> {
  const pod = attributes.object as Pod;
  const quoted = quoteGo(node);
  const no = (why: string) => refuse(attributes, why);
  if (pod.metadata?.annotations?.[mirrorPod] === undefined) {
    const only = `node ${quoted} can only create mirror pods`;
    throw no(`pod does not have ${quoteGo(mirrorPod)} annotation, ${only}`);
  }
  if (pod.spec?.nodeName !== node) {
    throw no(`node ${quoted} can only create pods with spec.nodeName set to itself`);
  }
  const owners = pod.metadata.ownerReferences ?? [];
  const can = (what: string) => `node ${quoted} can only create pods with ${what} set to itself`;
  if (owners.length > 1) throw no(can("a single owner reference"));
  const owner = owners[0];
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) {
    throw no(can("an owner reference"));
  }
  if (!owner.controller) throw no(can("a controller owner reference"));
  if (owner.blockOwnerDeletion) {
    throw no(`node ${quoted} must not set blockOwnerDeletion on an owner reference`);
  }
  const existing = await reader.get("", "nodes", "", node);
  if (existing === undefined) throw nodeNotFound(node);
  const uid = existing.metadata?.uid ?? "";
  if (owner.uid !== uid) {
    throw no(`node ${node} UID mismatch: expected ${owner.uid} got ${uid}`);
  }
  const resource = referencedResource(pod);
  if (resource !== undefined) {
    throw no(`node ${quoted} can not create pods that reference ${resource}`);
  }
}
