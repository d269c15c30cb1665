/**
 * OwnerReferencesPermissionEnforcement: whoever gives an object an owner could have deleted it, and
 * whoever makes it hold up its owner may set that owner's finalizers.
 *
 * Source  plugin/pkg/admission/gc/gc_admission.go
 */
import type { OwnerReference } from "@nanokube/api/meta/v1";
import { deepEqual, type KubeObject, parseGroupVersion } from "@nanokube/machinery";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";
import type { ServedVersions } from "./webhooks/versions.ts";

const ownersOf = (object: KubeObject | undefined): readonly OwnerReference[] =>
  (object?.metadata?.ownerReferences ?? []) as readonly OwnerReference[];

export function createOwnerReferences(
  authorizer: Authorizer,
  served: ServedVersions,
): AdmissionPlugin {
  return {
    name: "OwnerReferencesPermissionEnforcement",
    handles: (attributes) =>
      ["CREATE", "UPDATE"].includes(attributes.operation) &&
      !isFor(attributes, "", "pods", "status") &&
      !deepEqual(ownersOf(attributes.object), ownersOf(attributes.oldObject)),
    async validate(attributes) {
      if (attributes.operation !== "CREATE") await mayDelete(attributes, authorizer);
      const refs = newlyBlocking(attributes);
      if (refs.length === 0) return;
      const anything = { apiGroup: "*", apiVersion: "*", resource: "*", name: "*", namespace: "" };
      const { decision } = await mayFinalize(attributes, authorizer, anything);
      if (decision === "allow") return;
      for (const ref of refs) await mayBlock(attributes, ref, authorizer, served);
    },
  };
}

async function mayDelete(attributes: AdmissionAttributes, authorizer: Authorizer): Promise<void> {
  const { user, namespace, resource, subresource, name } = attributes;
  const { decision, reason } = await authorizer.authorize({
    user,
    verb: "delete",
    resourceRequest: true,
    namespace,
    apiGroup: resource.group,
    apiVersion: resource.version,
    resource: resource.plural,
    subresource,
    name,
    path: "",
  });
  if (decision === "allow") return;
  const why = `cannot set an ownerRef on a resource you can't delete: ${reason}, <nil>`;
  throw refuse(attributes, why);
}

function newlyBlocking({ object, oldObject }: AdmissionAttributes): OwnerReference[] {
  const before = new Map(ownersOf(oldObject).map((ref) => [ref.uid, ref]));
  return ownersOf(object).filter(
    (ref) => ref.blockOwnerDeletion === true && before.get(ref.uid)?.blockOwnerDeletion !== true,
  );
}

interface Owner {
  apiGroup: string;
  apiVersion: string;
  resource: string;
  name: string;
  namespace: string;
}

const mayFinalize = ({ user }: AdmissionAttributes, authorizer: Authorizer, owner: Owner) =>
  authorizer.authorize({
    user,
    verb: "update",
    resourceRequest: true,
    ...owner,
    subresource: "finalizers",
    path: "",
  });

async function mayBlock(
  attributes: AdmissionAttributes,
  { apiVersion = "", kind = "", name = "" }: OwnerReference,
  authorizer: Authorizer,
  served: ServedVersions,
): Promise<void> {
  const { group, version } = parseGroupVersion(apiVersion);
  const kinds = [...served()]
    .map(({ info }) => info)
    .filter((one) => one.group === group && one.version === version && one.kind === kind);
  if (kinds.length === 0) {
    const text = `no matches for kind "${kind}" in version "${apiVersion}"`;
    const why = `cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}: ${text}`;
    throw refuse(attributes, `cannot set blockOwnerDeletion in this case because ${why}`);
  }
  for (const { plural, namespaced } of kinds) {
    const namespace = namespaced ? attributes.namespace : "";
    const owner = { apiGroup: group, apiVersion: version, resource: plural, name, namespace };
    const { decision, reason } = await mayFinalize(attributes, authorizer, owner);
    if (decision === "allow") continue;
    const what = "an ownerReference refers to a resource you can't set finalizers on";
    throw refuse(attributes, `cannot set blockOwnerDeletion if ${what}: ${reason}, <nil>`);
  }
}
