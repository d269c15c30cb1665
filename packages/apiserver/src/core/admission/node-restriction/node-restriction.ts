/**
 * NodeRestriction: a kubelet changes its own Node and the pods bound to it, nothing else.
 *
 * Source  plugin/pkg/admission/noderestriction/admission.go
 */

import type { CertificateSigningRequest } from "@nanokube/api/certificates/v1";
import type { PersistentVolumeClaim, Pod } from "@nanokube/api/core/v1";
import type { ResourceSlice } from "@nanokube/api/resource/v1";
import { deepClone, quoteGo } from "@nanokube/machinery";
import { semanticEqual } from "../../../resources/semantic-equal.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import { nodeNameOf } from "../../authorization/node.ts";
import type { FeatureGates } from "../../feature-gates.ts";
import type { ObjectReader } from "../../object-reader.ts";
import { commonNameOf } from "../certificates.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../plugin.ts";
import { refuse } from "../refuse.ts";
import { checkMirrorPod } from "./mirror-pod.ts";
import { podNotFound } from "./not-found.ts";
import { checkOwnNode } from "./own-node.ts";
import { checkTokenRequest } from "./token-request.ts";

interface Question {
  attributes: AdmissionAttributes;
  node: string;
  reader: ObjectReader;
  authorizer: Authorizer;
  gates: FeatureGates;
}

type Check = (question: Question) => Promise<void> | void;

async function podOf({ attributes, reader }: Question, name: string): Promise<Pod> {
  const pod = await reader.get("", "pods", attributes.namespace, name);
  if (pod === undefined) throw podNotFound(name);
  return pod as Pod;
}

const checkPod: Check = async (question) => {
  const { attributes, node, reader } = question;
  if (attributes.operation === "CREATE") return checkMirrorPod(attributes, node, reader);
  const quoted = quoteGo(node);
  if (attributes.operation !== "DELETE") {
    const only = `node ${quoted} can only create and delete mirror pods`;
    throw refuse(attributes, `unexpected operation ${quoteGo(attributes.operation)}, ${only}`);
  }
  const pod = await podOf(question, attributes.name);
  if (pod.spec?.nodeName === node) return;
  throw refuse(attributes, `node ${quoted} can only delete pods with spec.nodeName set to itself`);
};

const checkPodStatus: Check = ({ attributes, node }) => {
  const [pod, old] = [attributes.object as Pod, attributes.oldObject as Pod];
  const quoted = quoteGo(node);
  if (attributes.operation !== "UPDATE") {
    throw refuse(attributes, `unexpected operation ${quoteGo(attributes.operation)}`);
  }
  if (old.spec?.nodeName !== node) {
    const which = "for pods with spec.nodeName set to itself";
    throw refuse(attributes, `node ${quoted} can only update pod status ${which}`);
  }
  if (!semanticEqual(pod.metadata?.labels, old.metadata?.labels)) {
    throw refuse(attributes, `node ${quoted} cannot update labels through pod status`);
  }
  if (!semanticEqual(pod.status?.resourceClaimStatuses, old.status?.resourceClaimStatuses)) {
    throw refuse(attributes, `node ${quoted} cannot update resource claim statues`);
  }
  const [claim, oldClaim] = [pod, old].map((each) => each.status?.extendedResourceClaimStatus);
  if (!semanticEqual(claim, oldClaim)) {
    throw refuse(attributes, `node ${quoted} cannot update extended resource claim status`);
  }
};

const checkEviction: Check = async (question) => {
  const { attributes, node } = question;
  const name = attributes.name || (attributes.object?.metadata?.name ?? "");
  if (name === "") throw refuse(attributes, "could not determine pod from request data");
  const pod = await podOf(question, name);
  if (pod.spec?.nodeName === node) return;
  throw refuse(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`);
};

const checkPods: Check = (question) => {
  const { attributes } = question;
  switch (attributes.subresource) {
    case "":
      return checkPod(question);
    case "status":
      return checkPodStatus(question);
    case "eviction":
      return checkEviction(question);
  }
  const found = `unexpected pod subresource ${quoteGo(attributes.subresource)}`;
  throw refuse(attributes, `${found}, only 'status' and 'eviction' are allowed`);
};

function withoutNodesPart(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const copy = deepClone(claim);
  delete copy.metadata?.resourceVersion;
  delete copy.metadata?.managedFields;
  const { capacity, conditions, allocatedResources, allocatedResourceStatuses, ...rest } =
    copy.status ?? {};
  return { ...copy, status: rest };
}

const checkClaim: Check = ({ attributes, node }) => {
  if (attributes.subresource !== "status") {
    throw refuse(attributes, "may only update PVC status");
  }
  if (attributes.operation !== "UPDATE") {
    throw refuse(attributes, `unexpected operation ${quoteGo(attributes.operation)}`);
  }
  const [claim, old] = [attributes.object, attributes.oldObject].map((each) =>
    withoutNodesPart(each as PersistentVolumeClaim),
  );
  if (semanticEqual(claim, old)) return;
  const what = "fields other than status.quantity and status.conditions";
  throw refuse(attributes, `node ${quoteGo(node)} is not allowed to update ${what}`);
};

const targetName = ({ operation, name, object }: AdmissionAttributes): string =>
  operation === "CREATE" ? (object?.metadata?.name ?? "") : name;

const checkLease: Check = ({ attributes, node }) => {
  if (attributes.namespace !== "kube-node-lease") {
    throw refuse(attributes, `can only access leases in the "kube-node-lease" system namespace`);
  }
  if (targetName(attributes) === node) return;
  const why = "can only access node lease with the same name as the requesting node";
  throw refuse(attributes, why);
};

const checkCSINode: Check = ({ attributes, node }) => {
  if (targetName(attributes) === node) return;
  throw refuse(attributes, "can only access CSINode with the same name as the requesting node");
};

const checkResourceSlice: Check = ({ attributes, node }) => {
  const { operation, object, oldObject } = attributes;
  if (operation !== "CREATE" && operation !== "DELETE") return;
  const slice = (operation === "CREATE" ? object : oldObject) as ResourceSlice | undefined;
  if (slice?.spec?.nodeName === node) return;
  const which = "ResourceSlice with the same NodeName as the requesting node";
  throw refuse(attributes, `can only ${operation.toLowerCase()} ${which}`);
};

const kubeletSigners = new Set([
  "kubernetes.io/kubelet-serving",
  "kubernetes.io/kube-apiserver-client-kubelet",
]);

const checkSigningRequest: Check = async ({ attributes, node, gates }) => {
  if (gates.isOn("AllowInsecureKubeletCertificateSigningRequests")) return;
  if (attributes.operation !== "CREATE") return;
  const { spec } = attributes.object as CertificateSigningRequest;
  if (!kubeletSigners.has(spec?.signerName ?? "")) return;
  let name: string;
  try {
    name = await commonNameOf(spec?.request ?? "");
  } catch (error) {
    throw refuse(attributes, `unable to parse csr: ${(error as Error).message}`);
  }
  if (name === `system:node:${node}`) return;
  throw refuse(attributes, `can only create a node CSR with CN=system:node:${node}`);
};

const checkAccount: Check = ({ attributes, node, reader, authorizer, gates }) => {
  if (attributes.operation !== "CREATE" || attributes.subresource !== "token") return;
  const isNarrow = gates.isOn("ServiceAccountNodeAudienceRestriction");
  return checkTokenRequest(attributes, node, reader, isNarrow ? authorizer : undefined);
};

const checks: Readonly<Record<string, Check>> = {
  "/pods": checkPods,
  "/nodes": ({ attributes, node }) => checkOwnNode(attributes, node),
  "/persistentvolumeclaims": checkClaim,
  "/serviceaccounts": checkAccount,
  "coordination.k8s.io/leases": checkLease,
  "storage.k8s.io/csinodes": checkCSINode,
  "resource.k8s.io/resourceslices": checkResourceSlice,
  "certificates.k8s.io/certificatesigningrequests": checkSigningRequest,
};

export function createNodeRestriction(
  authorizer: Authorizer,
  gates: FeatureGates,
): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    handles: ({ user }) => nodeNameOf(user) !== undefined,
    async admit(attributes, reader) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return;
      if (node === "") {
        const user = quoteGo(attributes.user.name);
        throw refuse(attributes, `could not determine node from user ${user}`);
      }
      const { group, plural } = attributes.resource;
      await checks[`${group}/${plural}`]?.({ attributes, node, reader, authorizer, gates });
    },
  };
}
