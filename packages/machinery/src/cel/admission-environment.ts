/**
 * What expressions about a request may name: object, oldObject, request, params and the like.
 *
 * Source  apiserver pkg/admission/plugin/cel/{compile,mutation}.go
 */
import { type Environment, environmentOf } from "./environment.ts";
import { authorizerType, resourceCheckType } from "./library/authorizer.ts";
import {
  boolType,
  type CelType,
  dynType,
  intType,
  listOf,
  mapOf,
  opaque,
  stringType,
  struct,
  timestampType,
} from "./types.ts";

const named = (name: string, fields: Record<string, CelType>): CelType =>
  struct(`kubernetes.${name}`, new Map(Object.entries(fields)));

const texts = (...names: string[]): Record<string, CelType> =>
  Object.fromEntries(names.map((name) => [name, stringType]));

const kindType = named("GroupVersionKind", texts("group", "version", "kind"));
const resourceType = named("GroupVersionResource", texts("group", "version", "resource"));
const userType = named("UserInfo", {
  ...texts("username", "uid"),
  groups: listOf(stringType),
  extra: mapOf(stringType, listOf(stringType)),
});

const requestType = named("AdmissionRequest", {
  kind: kindType,
  resource: resourceType,
  subResource: stringType,
  requestKind: kindType,
  requestResource: resourceType,
  requestSubResource: stringType,
  name: stringType,
  __namespace__: stringType,
  operation: stringType,
  userInfo: userType,
  dryRun: boolType,
  options: dynType,
});

const conditionType = named("NamespaceCondition", {
  ...texts("status", "type", "message", "reason"),
  lastTransitionTime: timestampType,
});

const namespaceType = named("Namespace", {
  metadata: named("NamespaceMetadata", {
    ...texts("name", "generateName", "__namespace__", "UID", "resourceVersion"),
    labels: mapOf(stringType, stringType),
    annotations: mapOf(stringType, stringType),
    creationTimestamp: timestampType,
    deletionGracePeriodSeconds: intType,
    deletionTimestamp: timestampType,
    generation: intType,
    finalizers: listOf(stringType),
  }),
  spec: named("NamespaceSpec", { finalizers: listOf(stringType) }),
  status: named("NamespaceStatus", { conditions: listOf(conditionType), phase: stringType }),
});

/** A type whose every field exists and is dyn: what it is worth is seen when it is applied. */
class AnyField extends Map<string, CelType> {
  override get(): CelType {
    return dynType;
  }
  override has(): boolean {
    return true;
  }
}

const anyFields = new AnyField();

/** A field that it does not have is one of a type without a name, as upstream words it. */
class PatchFields extends Map<string, CelType> {
  override get(name: string): CelType {
    return super.get(name) ?? opaque("");
  }
}

export const patchType = struct(
  "JSONPatch",
  new PatchFields([...Object.entries(texts("op", "path", "from")), ["value", dynType]]),
);
export const objectType = struct("Object", anyFields);

/** `Object`, `Object.spec`, `Object.spec.template` … are all types. */
class PatchTypes extends Map<string, CelType> {
  override get(name: string): CelType | undefined {
    if (name === "JSONPatch") return patchType;
    if (name === "Object") return objectType;
    return name.startsWith("Object.") ? struct(name, anyFields) : undefined;
  }
}

export interface AdmissionVariables {
  hasParams: boolean;
  hasAuthorizer: boolean;
  hasPatchTypes?: boolean;
  /** What is known of `object` and `oldObject`, and of `params`; dyn unless told. */
  objectType?: CelType | undefined;
  paramsType?: CelType | undefined;
  /** spec.variables so far. */
  variables?: ReadonlyMap<string, CelType>;
}

export function admissionEnvironment(declared: AdmissionVariables): Environment {
  const variables: [string, CelType][] = [
    ["object", declared.objectType ?? dynType],
    ["oldObject", declared.objectType ?? dynType],
    ["request", requestType],
    ["namespaceObject", namespaceType],
  ];
  if (declared.hasParams) variables.push(["params", declared.paramsType ?? dynType]);
  if (declared.hasAuthorizer) {
    variables.push(["authorizer", authorizerType]);
    variables.push(["authorizer.requestResource", resourceCheckType]);
  }
  if (declared.variables !== undefined && declared.variables.size > 0) {
    variables.push(["variables", struct("kubernetes.variables", declared.variables)]);
  }
  const environment = environmentOf({
    variables,
    hasJSONPatch: declared.hasPatchTypes ?? false,
  });
  return declared.hasPatchTypes ? { ...environment, types: new PatchTypes() } : environment;
}
