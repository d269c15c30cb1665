/** Policies with parameters: found by name, by label, not at all. */
import {
  bindingBody,
  configMap,
  configMaps,
  dry,
  registration,
  type Tree,
  withPolicy,
} from "./policy-parts.ts";
import type { Scenario, Step } from "./scenario.ts";

const create = (label: string, name: string, data: Tree): Step => ({
  method: "POST",
  path: `${configMaps}${dry}`,
  body: configMap(label, name, { data }),
});

const paramMap = (name: string, labels: Tree, data: Tree): Step => ({
  method: "POST",
  path: configMaps,
  body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels }, data },
  quiet: true,
});

function withParams(
  name: string,
  label: string,
  paramRef: Tree | undefined,
  until: string,
  more: Tree = {},
): Scenario {
  const spec = {
    paramKind: { apiVersion: "v1", kind: "ConfigMap" },
    validations: [
      {
        expression: "params == null ? object.data.a != 'x' : object.data.a != params.data.no",
        messageExpression:
          "params == null ? 'nothing' : string(params.kind + params.metadata.name + params.data.no)",
      },
    ],
    ...more,
  };
  const binding = paramRef === undefined ? {} : { paramRef };
  const scenario = withPolicy(name, { label, spec, binding }, [
    { ...create(label, "n0", { a: "x" }), until },
    create(label, "n1", { a: "y" }),
    create(label, "n2", { a: "z" }),
  ]);
  return {
    ...scenario,
    steps: [
      paramMap(`${label}-x`, { params: label }, { no: "x" }),
      paramMap(`${label}-y`, { params: label }, { no: "y" }),
      ...scenario.steps,
      { method: "DELETE", path: `${configMaps}/${label}-x`, quiet: true },
      { method: "DELETE", path: `${configMaps}/${label}-y`, quiet: true },
    ],
  };
}

export const paramScenarios: readonly Scenario[] = [
  withParams(
    "params by name",
    "vap-params-name",
    { name: "vap-params-name-x", parameterNotFoundAction: "Deny" },
    "denied request",
  ),
  withParams(
    "params by name and namespace",
    "vap-params-ns",
    { name: "vap-params-ns-x", namespace: "default", parameterNotFoundAction: "Deny" },
    "denied request",
  ),
  withParams(
    "params absent",
    "vap-params-absent",
    { name: "nope", parameterNotFoundAction: "Deny" },
    "no params found",
  ),
  withParams(
    "params by selector",
    "vap-params-selector",
    {
      selector: { matchLabels: { params: "vap-params-selector" } },
      parameterNotFoundAction: "Deny",
    },
    "denied request",
  ),
  withParams("no paramRef", "vap-params-none", undefined, "denied request"),
  withParams(
    "unknown paramKind",
    "vap-params-kind",
    { name: "x", parameterNotFoundAction: "Deny" },
    "denied request",
    {
      paramKind: { apiVersion: "example.com/v1", kind: "Nothing" },
    },
  ),
  withParams(
    "namespace for a cluster-wide paramKind",
    "vap-params-wide",
    { name: "default", namespace: "default", parameterNotFoundAction: "Deny" },
    "denied request",
    {
      paramKind: { apiVersion: "v1", kind: "Namespace" },
    },
  ),
];

/** Somebody who may write bindings but read no parameters. */
function bound(label: string, paramKind: Tree, policyName: string, paramRef: Tree): Scenario {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: label };
  const subjects = [{ apiGroup: roleRef.apiGroup, kind: "User", name: "bob" }];
  const resources = ["validatingadmissionpolicybindings"];
  const rules = [{ apiGroups: ["admissionregistration.k8s.io"], resources, verbs: ["create"] }];
  const meta = { metadata: { name: label } };
  const spec = { paramKind, validations: [{ expression: "true" }] };
  const body = {
    ...bindingBody({ label, spec: {}, binding: { paramRef, policyName } }),
    metadata: { name: `${label}-other` },
  };
  const path = `${registration}/validatingadmissionpolicybindings${dry}`;
  const scenario = withPolicy(`who may bind: ${label}`, { label, spec }, [
    { method: "POST", path: `${rbac}/clusterroles`, body: { ...meta, rules }, quiet: true },
    {
      method: "POST",
      path: `${rbac}/clusterrolebindings`,
      body: { ...meta, roleRef, subjects },
      quiet: true,
    },
    { method: "POST", path, body, as: "bob", until: "paramRef" },
    { method: "POST", path, body },
    { method: "DELETE", path: `${rbac}/clusterrolebindings/${label}`, quiet: true },
    { method: "DELETE", path: `${rbac}/clusterroles/${label}`, quiet: true },
  ]);
  return scenario;
}

const configMapKind = { apiVersion: "v1", kind: "ConfigMap" };
const action = { parameterNotFoundAction: "Deny" };

export const paramAccessScenarios: readonly Scenario[] = [
  bound("vap-bind-name", configMapKind, "vap-bind-name", { name: "x", ...action }),
  bound("vap-bind-all", configMapKind, "vap-bind-all", { selector: {}, ...action }),
  bound("vap-bind-nothing", configMapKind, "nothing", {
    name: "x",
    namespace: "default",
    ...action,
  }),
  bound("vap-bind-unknown", { apiVersion: "example.com/v1", kind: "Nope" }, "vap-bind-unknown", {
    name: "x",
    ...action,
  }),
];
