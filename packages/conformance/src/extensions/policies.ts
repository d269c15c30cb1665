/** What validating policies refuse, warn about and let through. */

import { paramAccessScenarios, paramScenarios } from "./policy-params.ts";
import { configMap, configMaps, dry, onConfigMaps, type Tree, withPolicy } from "./policy-parts.ts";
import type { Scenario, Step } from "./scenario.ts";

const create = (label: string, name: string, data: Tree): Step => ({
  method: "POST",
  path: `${configMaps}${dry}`,
  body: configMap(label, name, { data }),
});

/** Each validation judged over one object that it refuses or lets through. */
function judged(name: string, label: string, spec: Tree, tries: Tree[], until: string): Scenario {
  const [first, ...rest] = tries.map((data, i) => create(label, `n${i}`, data));
  return withPolicy(name, { label, spec }, [{ ...first!, until }, ...rest]);
}

const one = (expression: string, rest: Tree = {}): Tree => ({
  validations: [{ expression, ...rest }],
});

const simple: [string, Tree][] = [
  ["plain", one("object.data.a != 'x'")],
  ["message", one("object.data.a != 'x'", { message: "  a must not be x " })],
  [
    "message-expression",
    one("object.data.a != 'x'", { messageExpression: "'a is ' + object.data.a" }),
  ],
  [
    "message-expression-fails",
    one("object.data.a != 'x'", {
      message: "plain",
      messageExpression: "string(object.data.nope)",
    }),
  ],
  ["message-expression-lines", one("object.data.a != 'x'", { messageExpression: "'a\\nb'" })],
  ["message-expression-blank", one("object.data.a != 'x'", { messageExpression: "' '" })],
  ["reason-forbidden", one("object.data.a != 'x'", { reason: "Forbidden" })],
  ["reason-too-large", one("object.data.a != 'x'", { reason: "RequestEntityTooLarge" })],
  ["no-such-key", one("object.data.nope == 'x'")],
  ["no-such-field", one("object.spec.replicas < 5")],
  ["over-object", one("object.data.a != 'x' && oldObject == null")],
  ["division", one("object.data.a.size() / (object.data.a.size() - 1) == 3")],
  ["regex", one("!object.data.a.matches('^x$')")],
  ["request-operation", one("request.operation != 'CREATE'")],
  ["request-kind", one("request.kind.kind != 'ConfigMap' || request.resource.resource == ''")],
  [
    "request-user",
    one("request.userInfo.username == 'nobody'", {
      messageExpression: "request.userInfo.groups.join(',')",
    }),
  ],
  [
    "request-name",
    one("request.name == 'z'", { messageExpression: "request.name + request.namespace" }),
  ],
  ["request-dry-run", one("!request.dryRun", { messageExpression: "string(request.dryRun)" })],
  ["request-missing", one("request.subResource == 'x'")],
  ["request-options", one("has(request.options.dryRun) && request.options.dryRun.size() == 9")],
  [
    "namespace-object",
    one("namespaceObject.metadata.name == 'x'", {
      messageExpression: "namespaceObject.metadata.name + namespaceObject.status.phase",
    }),
  ],
  ["namespace-labels", one("!('kubernetes.io/metadata.name' in namespaceObject.metadata.labels)")],
  [
    "authorizer",
    one(
      "!authorizer.group('').resource('configmaps').namespace('default').check('create').allowed()",
    ),
  ],
  ["authorizer-resource", one("!authorizer.requestResource.check('delete').allowed()")],
  [
    "authorizer-account",
    one(
      "authorizer.serviceAccount('default', 'default').group('').resource('secrets').check('get').allowed()",
    ),
  ],
  ["authorizer-path", one("!authorizer.path('/healthz').check('get').allowed()")],
  [
    "several",
    {
      validations: [
        { expression: "true" },
        { expression: "object.data.a == 'q'", message: "one" },
        { expression: "false", message: "two" },
      ],
    },
  ],
  [
    "variables",
    {
      variables: [
        { name: "a", expression: "object.data.a" },
        { name: "b", expression: "variables.a + 'y'" },
      ],
      ...one("variables.b != 'xy'", { messageExpression: "variables.b" }),
    },
  ],
  [
    "variable-fails",
    { variables: [{ name: "a", expression: "object.data.nope" }], ...one("variables.a == 'x'") },
  ],
  [
    "variable-unused",
    { variables: [{ name: "a", expression: "object.data.nope" }], ...one("object.data.a == 'q'") },
  ],
  [
    "budget",
    one(
      "['a','b','c','d','e','f','g','h','i','j'].all(a, ['a','b','c','d','e','f','g','h','i','j'].all(b, ['a','b','c','d','e','f','g','h','i','j'].all(c, ['a','b','c','d','e','f','g','h','i','j'].all(d, ['a','b','c','d','e','f','g','h','i','j'].all(e, ['a','b','c','d','e','f','g','h','i','j'].all(f, a.size() > 0))))))",
    ),
  ],
  [
    "audit-annotation-fails",
    {
      validations: [{ expression: "true" }],
      auditAnnotations: [{ key: "k", valueExpression: "string(object.data.nope)" }],
    },
  ],
  [
    "condition-met",
    { matchConditions: [{ name: "m", expression: "object.data.a == 'x'" }], ...one("false") },
  ],
  [
    "condition-fails",
    { matchConditions: [{ name: "m", expression: "object.data.nope == 'x'" }], ...one("false") },
  ],
  [
    "conditions-fail",
    {
      matchConditions: [
        { name: "m", expression: "object.data.nope == 'x'" },
        { name: "n", expression: "object.data.nay == 'x'" },
      ],
      ...one("false"),
    },
  ],
  [
    "condition-authorizer",
    {
      matchConditions: [
        { name: "m", expression: "authorizer.requestResource.check('create').allowed()" },
      ],
      ...one("false"),
    },
  ],
];

const fromTable = simple.map(([label, spec]) =>
  judged(label, `vap-${label}`, spec, [{ a: "x" }, { a: "q" }, { b: "x" }], "denied request"),
);

/** Lets everything through but what a second validation refuses. */
function ignored(label: string, spec: Tree): Scenario {
  const parts = { label, spec: { failurePolicy: "Ignore", ...spec } };
  return withPolicy(label, parts, [
    { ...create(label, "n0", { a: "stop" }), until: "denied request" },
    create(label, "n1", { a: "x" }),
  ]);
}

const stop = { expression: "object.data.a != 'stop'", message: "stopped" };

const warns = withPolicy(
  "warn",
  {
    label: "vap-warn",
    spec: one("false", { message: "not liked" }),
    binding: { validationActions: ["Warn", "Audit"] },
  },
  [{ ...create("vap-warn", "n0", { a: "x" }), until: "not liked" }],
);

const onUpdate = withPolicy(
  "update and delete",
  {
    label: "vap-update",
    spec: {
      matchConstraints: onConfigMaps("vap-update", ["UPDATE", "DELETE"]),
      validations: [
        { expression: "object != null || oldObject.data.a != 'x'", message: "not deleted" },
        {
          expression: "object == null || object.data.a == oldObject.data.a",
          messageExpression: "oldObject.data.a + ' to ' + object.data.a",
        },
      ],
    },
  },
  [
    {
      method: "POST",
      path: configMaps,
      body: configMap("vap-update", "vap-update", { data: { a: "x" } }),
      quiet: true,
    },
    {
      method: "PUT",
      path: `${configMaps}/vap-update`,
      body: configMap("vap-update", "vap-update", { data: { a: "x", b: "y" } }),
    },
    {
      method: "PATCH",
      path: `${configMaps}/vap-update${dry}`,
      type: "application/merge-patch+json",
      body: { data: { a: "z" } },
      until: "x to z",
    },
    { method: "DELETE", path: `${configMaps}/vap-update${dry}`, until: "not deleted" },
    {
      method: "PATCH",
      path: `${configMaps}/vap-update${dry}`,
      type: "application/merge-patch+json",
      body: { metadata: { labels: { case: "other" } }, data: { a: "w" } },
    },
    { method: "DELETE", path: `${configMaps}?labelSelector=case%3Dvap-update&dryRun=All` },
  ],
);

const bound = withPolicy(
  "binding matches less",
  {
    label: "vap-bound",
    spec: one("false", { message: "no" }),
    binding: {
      matchResources: {
        resourceRules: [
          {
            apiGroups: [""],
            apiVersions: ["v1"],
            resources: ["configmaps"],
            operations: ["CREATE"],
            resourceNames: ["named"],
          },
        ],
        excludeResourceRules: [
          {
            apiGroups: [""],
            apiVersions: ["v1"],
            resources: ["configmaps"],
            operations: ["CREATE"],
            resourceNames: ["spared"],
          },
        ],
      },
    },
  },
  [
    { ...create("vap-bound", "named", { a: "x" }), until: "denied request" },
    create("vap-bound", "other", { a: "x" }),
    create("vap-bound", "spared", { a: "x" }),
  ],
);

const scaling = (apiVersions: string[], matchPolicy: string, label: string): Tree => ({
  matchConstraints: {
    matchPolicy,
    objectSelector: { matchLabels: { case: label } },
    resourceRules: [
      {
        apiGroups: ["autoscaling"],
        apiVersions,
        resources: ["horizontalpodautoscalers"],
        operations: ["CREATE"],
      },
      { apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations: ["CREATE"] },
    ],
  },
  validations: [
    {
      expression:
        "request.kind.kind == 'HorizontalPodAutoscaler' && has(object.spec.targetCPUUtilizationPercentage)",
      messageExpression: "request.kind.version + ' asked as ' + request.requestKind.version",
    },
  ],
});

const autoscaler = (label: string): Step => ({
  method: "POST",
  path: `/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers${dry}`,
  body: {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "n", labels: { case: label } },
    spec: {
      maxReplicas: 3,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
      metrics: [
        {
          type: "Resource",
          resource: { name: "memory", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
    },
  },
});

const equivalents = [
  ["equivalent", ["v1"], "Equivalent"] as const,
  ["exact", ["v1"], "Exact"] as const,
  ["same", ["v2"], "Exact"] as const,
].map(([name, versions, policy]) => {
  const label = `vap-${name}`;
  return withPolicy(`versions: ${name}`, { label, spec: scaling([...versions], policy, label) }, [
    { ...create(label, "n", { a: "x" }), until: "denied request" },
    autoscaler(label),
  ]);
});

export const policyScenarios: readonly Scenario[] = [
  ...fromTable,
  ignored("vap-ignore-error", { validations: [stop, { expression: "object.data.nope == 'x'" }] }),
  ignored("vap-ignore-condition", {
    matchConditions: [
      { name: "m", expression: "object.data.a == 'stop' || object.data.nope == 'x'" },
    ],
    validations: [stop, { expression: "false" }],
  }),
  warns,
  onUpdate,
  ...paramScenarios,
  ...paramAccessScenarios,
  bound,
  ...equivalents,
];
