/**
 * Node authorizer: a kubelet reads only what its own pods need.
 *
 * A secret, config map, claim, volume or service account is related to a node when a pod that is
 * bound to the node refers to it, directly or through a claim's volume. The pods come by their
 * spec.nodeName from the reader's index; there is no graph to keep in step.
 *
 * Source  plugin/pkg/auth/authorizer/node/{node_authorizer,graph}.go
 */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "@nanokube/api/core/v1";
import type { PolicyRule } from "@nanokube/api/rbac/v1";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { ObjectReader } from "../object-reader.ts";
import type { AuthorizationAttributes, AuthorizationResult, Authorizer } from "./authorizer.ts";
import { podReferences } from "./pod-references.ts";
import { ruleAllows } from "./rules.ts";

/** The name of the node that a user is; undefined for other users, "" for an unnamed node. */
export function nodeNameOf(user: UserInfo): string | undefined {
  const prefix = "system:node:";
  if (!user.name.startsWith(prefix) || !user.groups.includes("system:nodes")) return undefined;
  return user.name.slice(prefix.length);
}

const allow: AuthorizationResult = { decision: "allow", reason: "" };
const pass = (reason = ""): AuthorizationResult => ({ decision: "noOpinion", reason });

type Reference = "secrets" | "configmaps" | "persistentvolumeclaims" | "serviceaccounts";

interface Question {
  node: string;
  attributes: AuthorizationAttributes;
  reader: ObjectReader;
}

function podsOf({ node, reader }: Question, namespace?: string): Promise<Pod[]> {
  return reader.list("", "pods", namespace, { "spec.nodeName": node }) as Promise<Pod[]>;
}

async function related(question: Question, yes: boolean | Promise<boolean>) {
  if (question.attributes.name === "") return pass("No Object name found");
  if (await yes) return allow;
  return pass(`no relationship found between node '${question.node}' and this object`);
}

async function podRefersTo(question: Question, what: Reference): Promise<boolean> {
  const { namespace, name } = question.attributes;
  const pods = await podsOf(question, namespace);
  if (pods.some((pod) => podReferences(pod)[what].has(name))) return true;
  return what === "secrets" && volumeUsesSecret(question, await podsOf(question));
}

async function volumesOf(question: Question, pods: readonly Pod[]): Promise<PersistentVolume[]> {
  const { reader } = question;
  const volumes: PersistentVolume[] = [];
  for (const pod of pods) {
    const namespace = pod.metadata?.namespace ?? "";
    for (const claimName of podReferences(pod).persistentvolumeclaims) {
      const claim = (await reader.get("", "persistentvolumeclaims", namespace, claimName)) as
        | PersistentVolumeClaim
        | undefined;
      const name = claim?.spec?.volumeName;
      if (!name) continue;
      const volume = await reader.get("", "persistentvolumes", "", name);
      if (volume !== undefined) volumes.push(volume as PersistentVolume);
    }
  }
  return volumes;
}

/** Secrets that a bound volume's CSI driver is given on the node. */
async function volumeUsesSecret(question: Question, pods: readonly Pod[]): Promise<boolean> {
  const { namespace, name } = question.attributes;
  for (const volume of await volumesOf(question, pods)) {
    const csi = volume.spec?.csi;
    const references = [
      csi?.nodePublishSecretRef,
      csi?.nodeStageSecretRef,
      csi?.nodeExpandSecretRef,
      csi?.controllerPublishSecretRef,
      csi?.controllerExpandSecretRef,
    ];
    if (references.some((ref) => ref?.name === name && ref?.namespace === namespace)) return true;
  }
  return false;
}

async function usesVolume(question: Question): Promise<boolean> {
  const volumes = await volumesOf(question, await podsOf(question));
  return volumes.some((volume) => volume.metadata?.name === question.attributes.name);
}

function readNamespaced(question: Question, what: Reference) {
  const { verb, subresource, namespace } = question.attributes;
  if (!["get", "list", "watch"].includes(verb)) {
    return pass("can only read resources of this type");
  }
  if (subresource !== "") return pass("cannot read subresource");
  if (namespace === "") return pass("can only read namespaced object of this type");
  return related(question, podRefersTo(question, what));
}

function getOnly(question: Question, yes: () => Promise<boolean>) {
  const { verb, subresource } = question.attributes;
  if (verb !== "get") return pass("can only get individual resources of this type");
  if (subresource !== "") return pass("cannot get subresource");
  return related(question, yes());
}

function claims(question: Question) {
  const { verb, subresource } = question.attributes;
  const yes = () => podRefersTo(question, "persistentvolumeclaims");
  if (subresource !== "status") return getOnly(question, yes);
  if (verb !== "update" && verb !== "patch") return pass("can only get/update/patch this type");
  return related(question, yes());
}

function serviceAccounts(question: Question) {
  const { verb, subresource, name } = question.attributes;
  if (verb === "get" && subresource === "") return readNamespaced(question, "serviceaccounts");
  if (verb !== "create" || name === "") {
    return pass("can only create tokens for individual service accounts");
  }
  if (subresource !== "token") {
    return pass("can only create token subresource of serviceaccount");
  }
  return related(question, podRefersTo(question, "serviceaccounts"));
}

const ownVerbs = ["get", "create", "update", "patch", "delete"];

function leases({ node, attributes }: Question): AuthorizationResult {
  const { verb, namespace, name } = attributes;
  if (!ownVerbs.includes(verb)) {
    return pass("can only get, create, update, patch, or delete a node lease");
  }
  if (namespace !== "kube-node-lease") {
    return pass('can only access leases in the "kube-node-lease" system namespace');
  }
  // A creation has no name in its URL; NodeRestriction looks at the object.
  if (verb !== "create" && name !== node) {
    return pass("can only access node lease with the same name as the requesting node");
  }
  return allow;
}

function csiNodes({ node, attributes }: Question): AuthorizationResult {
  const { verb, subresource, name } = attributes;
  if (!ownVerbs.includes(verb)) {
    return pass("can only get, create, update, patch, or delete a CSINode");
  }
  if (subresource !== "") return pass("cannot authorize CSINode subresources");
  if (verb !== "create" && name !== node) {
    return pass("can only access CSINode with the same name as the requesting node");
  }
  return allow;
}

function nodes({ node, attributes }: Question): AuthorizationResult {
  const { verb, subresource, name } = attributes;
  if (subresource === "status") return ["update", "patch"].includes(verb) ? allow : pass();
  if (subresource !== "") return pass();
  if (["create", "update", "patch"].includes(verb)) return allow;
  if (!["get", "list", "watch"].includes(verb)) return pass();
  if (name === node) return allow;
  if (name === "") return pass(`node '${node}' cannot read all nodes, only its own Node object`);
  return pass(`node '${node}' cannot read '${name}', only its own Node object`);
}

async function isOwnPod(question: Question): Promise<boolean> {
  const { namespace, name } = question.attributes;
  const pod = (await question.reader.get("", "pods", namespace, name)) as Pod | undefined;
  return pod?.spec?.nodeName === question.node;
}

function pods(question: Question) {
  const { verb, subresource, name, fieldSelector } = question.attributes;
  if (subresource === "status") return ["update", "patch"].includes(verb) ? allow : pass();
  if (subresource === "eviction") return verb === "create" ? allow : pass();
  if (subresource !== "") return pass();
  if (verb === "get") return getOnly(question, () => isOwnPod(question));
  if (verb === "create" || verb === "delete") return allow;
  if (verb !== "list" && verb !== "watch") return pass();
  if (fieldSelector?.["spec.nodeName"] === question.node) return allow;
  if (name !== "") return related(question, isOwnPod(question));
  return pass("can only list/watch pods with spec.nodeName field selector");
}

async function volumeAttachment(question: Question): Promise<boolean> {
  const { name } = question.attributes;
  const found = await question.reader.get("storage.k8s.io", "volumeattachments", "", name);
  return (found?.spec as { nodeName?: string } | undefined)?.nodeName === question.node;
}

function resourceSlices(question: Question) {
  const { verb, subresource, fieldSelector } = question.attributes;
  if (subresource !== "") return pass("cannot authorize ResourceSlice subresources");
  if (verb === "create") return allow;
  if (fieldSelector?.["spec.nodeName"] === question.node) return allow;
  return pass("can only list/watch/deletecollection resourceslices with nodeName field selector");
}

type Answer = AuthorizationResult | Promise<AuthorizationResult>;

const byResource: Record<string, (question: Question) => Answer> = {
  "/secrets": (q) => readNamespaced(q, "secrets"),
  "/configmaps": (q) => readNamespaced(q, "configmaps"),
  "/persistentvolumeclaims": claims,
  "/persistentvolumes": (q) => getOnly(q, () => usesVolume(q)),
  "/serviceaccounts": serviceAccounts,
  "/nodes": nodes,
  "/pods": pods,
  "coordination.k8s.io/leases": leases,
  "storage.k8s.io/csinodes": csiNodes,
  "storage.k8s.io/volumeattachments": (q) => getOnly(q, () => volumeAttachment(q)),
  "resource.k8s.io/resourceslices": resourceSlices,
};

/** `nodeRules` are those of the bootstrap role system:node. */
export function createNodeAuthorizer(
  reader: ObjectReader,
  nodeRules: readonly PolicyRule[],
): Authorizer {
  return {
    async authorize(attributes) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return pass();
      if (node === "") return pass(`unknown node for user "${attributes.user.name}"`);
      if (attributes.resourceRequest) {
        const special = byResource[`${attributes.apiGroup}/${attributes.resource}`];
        if (special !== undefined) return special({ node, attributes, reader });
      }
      return nodeRules.some((rule) => ruleAllows(rule, attributes)) ? allow : pass();
    },
    async rulesFor(user) {
      const isNode = nodeNameOf(user) !== undefined;
      const why = { evaluationError: "node authorizer does not support user rule resolution" };
      return {
        resourceRules: [],
        nonResourceRules: [],
        incomplete: isNode,
        ...(isNode ? why : {}),
      };
    },
  };
}
