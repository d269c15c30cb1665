/**
 * Who binds a policy to parameters must be allowed to read them: messages could tell them.
 *
 * Errors  422 about spec.paramRef
 * Source  pkg/registry/admissionregistration/{validating,mutating}admissionpolicybinding/authz.go
 */
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "@nanokube/api/admissionregistration/v1";
import { deepEqual, forbiddenField, invalid, type KubeObject } from "@nanokube/machinery";
import type { UserInfo } from "../../authentication/authenticator.ts";
import type { ObjectReader } from "../../object-reader.ts";
import { systemUser } from "../../system-user.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import { type PolicyTools, paramSource } from "./tools.ts";

const group = "admissionregistration.k8s.io";
const policiesOf: Record<string, string> = {
  validatingadmissionpolicybindings: "validatingadmissionpolicies",
  mutatingadmissionpolicybindings: "mutatingadmissionpolicies",
};

const specOf = (object: KubeObject | undefined) =>
  (object as ValidatingAdmissionPolicyBinding | undefined)?.spec;

/** As Go prints one. */
function userText({ name, uid = "", groups, extra = {} }: UserInfo): string {
  const more = Object.entries(extra).map(([key, values]) => `${key}:[${[...values].join(" ")}]`);
  return `&{${name} ${uid} [${groups.join(" ")}] map[${more.sort().join(" ")}]}`;
}

export async function checkParamAccess(
  attributes: AdmissionAttributes,
  reader: ObjectReader,
  tools: PolicyTools,
): Promise<void> {
  const { resource, operation, object, oldObject, user } = attributes;
  const plural = policiesOf[resource.plural];
  if (resource.group !== group || plural === undefined) return;
  if (operation !== "CREATE" && operation !== "UPDATE") return;
  const { paramRef: ref, policyName = "" } = specOf(object) ?? {};
  if (ref === undefined) return;
  if (user.name === systemUser.name || user.groups.includes("system:masters")) return;
  const old = specOf(oldObject);
  if (deepEqual(old?.paramRef, ref) && old?.policyName === policyName) return;

  const policy = await reader.get(group, plural, "", policyName);
  const kind = (policy as ValidatingAdmissionPolicy | undefined)?.spec?.paramKind;
  const [first = "", second] = (kind?.apiVersion ?? "").split("/");
  const served =
    kind && paramSource(tools, reader).resourceOf(kind.apiVersion ?? "", kind.kind ?? "");
  const verb = ref.name ? "get" : "list";
  const { decision } = await tools.authorizer.authorize({
    user,
    verb,
    resourceRequest: true,
    namespace: ref.namespace ?? "",
    apiGroup: kind === undefined ? "*" : second === undefined ? "" : first,
    apiVersion: kind === undefined ? "*" : (second ?? first),
    resource: served?.plural ?? "*",
    subresource: "",
    name: ref.name ?? "",
    path: "",
  });
  if (decision === "allow") return;
  const who = userText(user);
  const all = "permission for all groups, versions and resources";
  const needs = "to determine minimum required permissions and user";
  const shown = `&{${kind?.apiVersion} ${kind?.kind}}`;
  const why =
    policy === undefined
      ? `unable to get policy ${policyName} ${needs} ${who} does not have "${verb}" ${all}`
      : kind !== undefined && served === undefined
        ? `unable to resolve paramKind ${shown} ${needs} ${who} does not have "${verb}" ${all}`
        : `user ${who} does not have "${verb}" permission on the object referenced by paramRef`;
  const names = { group, kind: resource.kind };
  throw invalid(names, attributes.name, [forbiddenField("spec.paramRef", why)]);
}
