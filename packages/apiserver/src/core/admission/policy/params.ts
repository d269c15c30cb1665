/**
 * The parameters of a binding: one object, those that a selector picks, or none.
 *
 * Errors  ConfigurationError, worded as upstream's
 * Source  apiserver pkg/admission/plugin/policy/generic/policy_dispatcher.go CollectParams
 */
import type { ParamKind, ParamRef } from "@nanokube/api/admissionregistration/v1";
import { type KubeObject, labelSelectorToSelector } from "@nanokube/machinery";
import type { ObjectReader } from "../../object-reader.ts";

/** A policy or binding that cannot be used as it is: failurePolicy decides. */
export class ConfigurationError extends Error {}

export interface ParamResource {
  group: string;
  plural: string;
  namespaced: boolean;
  /** As the version that is asked for shows it. */
  read(object: KubeObject): Promise<KubeObject>;
}

/** Which resource an apiVersion and kind are served as. */
export type FindParamResource = (apiVersion: string, kind: string) => ParamResource | undefined;

export interface ParamSource {
  reader: ObjectReader;
  resourceOf: FindParamResource;
}

const unknownParamKind = ({ apiVersion, kind }: ParamKind): string =>
  `failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`;

/** What is wrong with a policy before any of its bindings is looked at. */
export function policyMistake(
  { resourceOf }: ParamSource,
  kind: ParamKind | undefined,
): string | undefined {
  if (kind === undefined || resourceOf(kind.apiVersion ?? "", kind.kind ?? "")) return undefined;
  return `failed to configure policy: ${unknownParamKind(kind)}`;
}

function whereTo(resource: ParamResource, ref: ParamRef, requestNamespace: string): string {
  if (!resource.namespaced) {
    if (!ref.namespace) return "";
    const why = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`";
    throw new ConfigurationError(why);
  }
  const namespace = ref.namespace || requestNamespace;
  if (namespace !== "") return namespace;
  const binding = "policy binding that matches cluster-scoped resources";
  throw new ConfigurationError(`cannot use namespaced paramRef in ${binding}`);
}

export async function collectParams(
  { reader, resourceOf }: ParamSource,
  kind: ParamKind | undefined,
  ref: ParamRef | undefined,
  requestNamespace: string,
): Promise<(KubeObject | undefined)[]> {
  if (kind === undefined || ref === undefined) return [undefined];
  const { apiVersion = "", kind: name = "" } = kind;
  const resource = resourceOf(apiVersion, name);
  if (resource === undefined) throw new ConfigurationError(unknownParamKind(kind));
  const { group, plural } = resource;
  const namespace = whereTo(resource, ref, requestNamespace);
  let found: KubeObject[];
  if (ref.name) {
    const one = await reader.get(group, plural, namespace, ref.name);
    found = one === undefined ? [] : [one];
  } else {
    const selector = labelSelectorToSelector(ref.selector ?? {});
    const all = await reader.list(group, plural, namespace);
    found = all.filter(({ metadata }) => selector.matches(metadata?.labels ?? {}));
  }
  if (found.length === 0 && ref.parameterNotFoundAction === "Deny") {
    const why = "no params found for policy binding with `Deny` parameterNotFoundAction";
    throw new ConfigurationError(why);
  }
  return Promise.all(
    found.map(async (object) => ({ ...(await resource.read(object)), apiVersion, kind: name })),
  );
}
