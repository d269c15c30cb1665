/** What the server says to policies and bindings that are wrong. */
import { applying, bindingBody, defined, patching, policyBody, type Tree } from "./policy-parts.ts";
import type { Scenario } from "./scenario.ts";

const ok = { validations: [{ expression: "true" }] };
const bad = (rest: Tree): Tree => ({ ...ok, ...rest });
const rules = (rest: Tree): Tree => ({
  matchConstraints: {
    resourceRules: [
      {
        apiGroups: [""],
        apiVersions: ["v1"],
        resources: ["pods"],
        operations: ["CREATE"],
        ...rest,
      },
    ],
  },
});

const policies: [string, Tree][] = [
  ["whole", ok],
  ["nothing", {}],
  ["no constraints", bad({ matchConstraints: null })],
  ["no rules", bad({ matchConstraints: {} })],
  ["failure policy", bad({ failurePolicy: "Maybe" })],
  ["match policy", bad({ matchConstraints: { matchPolicy: "Sometimes" } })],
  ["operations", bad(rules({ operations: ["GET", "*"] }))],
  ["groups", bad(rules({ apiGroups: ["*", "apps"], apiVersions: ["", "*"] }))],
  ["resources", bad(rules({ resources: ["*/*", "pods", "pods/*", "pods/status"] }))],
  ["resource stars", bad(rules({ resources: ["*", "pods"] }))],
  ["scope", bad(rules({ scope: "World" }))],
  ["resource names", bad(rules({ resourceNames: ["a", "a", "a/b", ".."] }))],
  [
    "selector",
    bad({
      matchConstraints: { objectSelector: { matchExpressions: [{ key: "a b", operator: "Inn" }] } },
    }),
  ],
  ["paramKind empty", bad({ paramKind: {} })],
  ["paramKind wrong", bad({ paramKind: { apiVersion: "a/b/c", kind: "1x" } })],
  ["paramKind group", bad({ paramKind: { apiVersion: "A_b/V1", kind: "Ok" } })],
  ["paramKind version", bad({ paramKind: { apiVersion: "a/", kind: "Ok" } })],
  ["expression empty", bad({ validations: [{ expression: " " }] })],
  ["expression int", bad({ validations: [{ expression: "1 + 1" }] })],
  ["expression dyn", bad({ validations: [{ expression: "object.a" }] })],
  ["expression unknown", bad({ validations: [{ expression: "objct.a == 1" }] })],
  ["expression syntax", bad({ validations: [{ expression: "object.a ==" }] })],
  ["request field", bad({ validations: [{ expression: "request.nope == 'x'" }] })],
  ["params undeclared", bad({ validations: [{ expression: "params.a == 1" }] })],
  [
    "params declared",
    bad({
      paramKind: { apiVersion: "v1", kind: "ConfigMap" },
      validations: [{ expression: "params.a == 1" }],
    }),
  ],
  [
    "namespace field",
    bad({ validations: [{ expression: "namespaceObject.metadata.managedFields == []" }] }),
  ],
  [
    "message",
    bad({
      validations: [
        { expression: "true", message: " " },
        { expression: "true", message: "a\nb" },
      ],
    }),
  ],
  [
    "message expression",
    bad({
      validations: [
        { expression: "true", messageExpression: " " },
        { expression: "true", messageExpression: "1" },
        { expression: "true", messageExpression: "nope" },
      ],
    }),
  ],
  [
    "message authorizer",
    bad({
      validations: [
        { expression: "true", messageExpression: "authorizer.path('/').check('get').reason()" },
      ],
    }),
  ],
  ["reason", bad({ validations: [{ expression: "true", reason: "Because" }] })],
  [
    "variables",
    bad({
      variables: [
        { name: "a", expression: "1" },
        { name: "b", expression: "variables.a + 1" },
        { name: "c", expression: "variables.d" },
      ],
      validations: [{ expression: "variables.b == 2" }],
    }),
  ],
  [
    "variable names",
    bad({
      variables: [
        { name: "", expression: "1" },
        { name: "a-b", expression: "1" },
        { name: "in", expression: " " },
      ],
    }),
  ],
  [
    "variable wrong type",
    bad({
      variables: [{ name: "a", expression: "1" }],
      validations: [{ expression: "variables.a == 'x'" }],
    }),
  ],
  ["variable unknown", bad({ validations: [{ expression: "variables.zz == 'x'" }] })],
  [
    "conditions",
    bad({
      matchConditions: [
        { name: "a", expression: "true" },
        { name: "a", expression: "1" },
        { name: "", expression: "" },
        { name: "a b/c/d", expression: "nope" },
      ],
    }),
  ],
  [
    "conditions with variables",
    bad({
      variables: [{ name: "a", expression: "true" }],
      matchConditions: [{ name: "a", expression: "variables.a" }],
    }),
  ],
  ["conditions with params", bad({ matchConditions: [{ name: "a", expression: "params.a" }] })],
  [
    "many conditions",
    bad({
      matchConditions: Array.from({ length: 65 }, (_, i) => ({
        name: `n${i}`,
        expression: "true",
      })),
    }),
  ],
  [
    "annotations",
    {
      auditAnnotations: [
        { key: "a", valueExpression: "'x'" },
        { key: "a", valueExpression: "1" },
        { key: "a b", valueExpression: "" },
        { key: "n", valueExpression: "null" },
      ],
    },
  ],
  [
    "many annotations",
    {
      auditAnnotations: Array.from({ length: 21 }, (_, i) => ({
        key: `n${i}`,
        valueExpression: "'x'",
      })),
    },
  ],
  [
    "long annotation",
    { auditAnnotations: [{ key: "a", valueExpression: `'${"x".repeat(6000)}'` }] },
  ],
];

const bindings: [string, Tree][] = [
  ["whole", {}],
  ["no policy", { policyName: "" }],
  ["policy name", { policyName: "A_b" }],
  ["no actions", { validationActions: [] }],
  ["actions", { validationActions: ["Deny", "Warn", "Deny", "Shout"] }],
  ["paramRef empty", { paramRef: {} }],
  ["paramRef both", { paramRef: { name: "a", selector: {}, parameterNotFoundAction: "Deny" } }],
  ["paramRef name", { paramRef: { name: "a/b", parameterNotFoundAction: "Maybe" } }],
  [
    "match resources",
    { matchResources: { matchPolicy: "Some", resourceRules: [{ operations: [] }] } },
  ],
];

const mutate = (mutations: Tree[], rest: Tree = {}): Tree => ({ mutations, ...rest });

const mutating: [string, Tree][] = [
  ["apply", mutate([applying("Object{metadata: Object.metadata{labels: {'a': 'b'}}}")])],
  ["patch", mutate([patching("[JSONPatch{op: 'add', path: '/data/a', value: 'x'}]")])],
  [
    "patch with key",
    mutate([
      patching("[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('a/b'), value: 'x'}]"),
    ]),
  ],
  ["none", mutate([])],
  ["no type", mutate([{}])],
  ["wrong type", mutate([{ patchType: "Merge" }])],
  ["type without body", mutate([{ patchType: "JSONPatch" }, { patchType: "ApplyConfiguration" }])],
  [
    "both bodies",
    mutate([
      { ...applying("Object{}"), jsonPatch: { expression: "[]" } },
      { ...patching("[JSONPatch{}]"), applyConfiguration: { expression: "Object{}" } },
    ]),
  ],
  ["empty", mutate([applying(" "), patching("")])],
  ["apply a map", mutate([applying("{'a': 'b'}")])],
  ["patch a list of strings", mutate([patching("['a']")])],
  ["patch field", mutate([patching("[JSONPatch{opp: 'add'}]")])],
  ["patch op type", mutate([patching("[JSONPatch{op: 1}]")])],
  ["unknown variable", mutate([applying("Object{metadata: nope}")])],
  ["reinvocation", mutate([applying("Object{}")], { reinvocationPolicy: "Often" })],
  ["no reinvocation", mutate([applying("Object{}")], { reinvocationPolicy: "" })],
  ["delete", mutate([applying("Object{}")], rules({ operations: ["DELETE", "CREATE"] }))],
  [
    "variables",
    mutate([applying("Object{metadata: Object.metadata{labels: {'a': variables.a}}}")], {
      variables: [{ name: "a", expression: "'x'" }],
    }),
  ],
];

export const policyDefinitionScenarios: readonly Scenario[] = [
  ...policies.map(([name, spec]) =>
    defined(name, policyBody({ label: "policy", spec }), "validatingadmissionpolicies"),
  ),
  ...bindings.map(([name, binding]) =>
    defined(
      `binding: ${name}`,
      bindingBody({ label: "policy", spec: {}, binding }),
      "validatingadmissionpolicybindings",
    ),
  ),
  ...mutating.map(([name, spec]) =>
    defined(
      `mutating: ${name}`,
      policyBody({ label: "policy", spec, isMutating: true }),
      "mutatingadmissionpolicies",
    ),
  ),
  ...bindings.map(([name, { validationActions: _, ...binding }]) =>
    defined(
      `mutating binding: ${name}`,
      bindingBody({ label: "policy", spec: {}, binding, isMutating: true }),
      "mutatingadmissionpolicybindings",
    ),
  ),
];
