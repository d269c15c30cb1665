/** What webhooks that answer, refuse, change, fail or are slow make of requests. */
import { configMap, configMaps, dry, registration, type Tree } from "./policy-parts.ts";
import type { Scenario, Step } from "./scenario.ts";

const onConfigMaps: Tree = {
  apiGroups: [""],
  apiVersions: ["v1"],
  resources: ["configmaps"],
  operations: ["*"],
};

interface Hook extends Tree {
  /** What the server answers. */
  ask: string;
}

const create = (label: string, name: string, rest: Tree = { data: { a: "x" } }): Step => ({
  method: "POST",
  path: `${configMaps}${dry}`,
  body: configMap(label, name, rest),
});

function configuration(label: string, mutating: boolean, hooks: Hook[]): Tree {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: mutating ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration",
    metadata: { name: label },
    webhooks: hooks.map(({ ask, ...rest }, i) => ({
      name: `hook${i}.example.com`,
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      clientConfig: { url: `$HOOK/${ask}`, caBundle: "$CA" },
      rules: [onConfigMaps],
      objectSelector: { matchLabels: { case: label } },
      ...rest,
    })),
  };
}

function withHooks(
  name: string,
  mutating: boolean,
  hooks: Hook[],
  until: string,
  steps: (label: string) => Step[] = () => [],
): Scenario {
  const label = `hook-${name.replaceAll(" ", "-")}`;
  const plural = mutating ? "mutatingwebhookconfigurations" : "validatingwebhookconfigurations";
  const path = `${registration}/${plural}`;
  return {
    name: `webhook: ${name}`,
    steps: [
      { method: "POST", path, body: configuration(label, mutating, hooks), quiet: true },
      { ...create(label, "n0"), until },
      ...steps(label),
      { method: "DELETE", path: `${path}/${label}`, quiet: true },
    ],
  };
}

const asked = (ask: string, until: string, rest: Tree = {}): Scenario =>
  withHooks(ask, false, [{ ask, ...rest }], until);

const failures = [
  "not-json",
  "no-response",
  "wrong-kind",
  "status-500",
  "status-404",
  "wrong-uid",
  "label",
  "patch-type-only",
].map((ask) => asked(ask, "failed calling webhook"));

const mutatingFailures = [
  "no-patch-type",
  "other-patch-type",
  "patch-type-only",
  "not-a-patch",
].map((ask) => withHooks(`mutating ${ask}`, true, [{ ask }], "failed calling webhook"));

const stop: Hook = {
  ask: "deny-message",
  matchConditions: [{ name: "stop", expression: "request.name == 'n0'" }],
};

const lenient = (ask: string, rest: Tree = {}) =>
  withHooks(
    `fails open ${ask}`,
    false,
    [{ ask, failurePolicy: "Ignore", ...rest }, stop],
    "denied the request",
    (label) => [create(label, "n1")],
  );

const conditionError = (rest: Tree): Scenario =>
  withHooks(
    `condition error ${String(rest["failurePolicy"]).toLowerCase()}`,
    false,
    [
      {
        ask: "deny-message",
        matchConditions: [{ name: "m", expression: "object.nope == 1" }],
        ...rest,
      },
      stop,
    ],
    rest["failurePolicy"] === "Fail" ? "no such key" : "denied the request",
    (label) => [create(label, "n1")],
  );

const scaled = (name: string, rest: Tree): Scenario => {
  const label = `hook-${name}`;
  const rules = [
    onConfigMaps,
    {
      apiGroups: ["autoscaling"],
      apiVersions: ["v1"],
      resources: ["horizontalpodautoscalers"],
      operations: ["CREATE"],
    },
  ];
  const body = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "n", labels: { case: label } },
    spec: {
      maxReplicas: 3,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
    },
  };
  const path = `/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers${dry}`;
  return withHooks(name, false, [{ ask: "echo", rules, ...rest }], "denied the request", () => [
    { method: "POST", path, body },
  ]);
};

const written = withHooks(
  "update and delete",
  false,
  [
    {
      ask: "echo",
      rules: [
        { ...onConfigMaps, operations: ["UPDATE", "DELETE"] },
        { ...onConfigMaps, operations: ["CREATE"] },
      ],
      matchConditions: [
        { name: "m", expression: "request.operation != 'CREATE' || request.name == 'n0'" },
      ],
    },
  ],
  "denied the request",
  (label) => {
    const own = `${configMaps}/${label}`;
    return [
      {
        method: "POST",
        path: configMaps,
        body: configMap(label, label, { data: { a: "x" } }),
        quiet: true,
      },
      {
        method: "PUT",
        path: `${own}?fieldManager=me`,
        body: configMap(label, label, { data: { a: "y" } }),
      },
      {
        method: "PATCH",
        path: own,
        type: "application/merge-patch+json",
        body: { data: { a: "z" } },
      },
      { method: "DELETE", path: `${own}?propagationPolicy=Background` },
      { method: "DELETE", path: `${configMaps}?labelSelector=case%3D${label}` },
    ];
  },
);

const never = '"hook":"yes"';

/** Events are kept once and served in two groups. */
function eventsInTwoGroups(matchPolicy: string): Scenario {
  const rules = [
    { apiGroups: ["events.k8s.io"], apiVersions: ["v1"], resources: ["events"], operations: ["*"] },
    onConfigMaps,
  ];
  const hooks = [{ ask: "echo", rules, matchPolicy }];
  const name = `events ${matchPolicy.toLowerCase()}`;
  return withHooks(name, false, hooks, "denied the request", (label) => [
    {
      method: "POST",
      path: `/api/v1/namespaces/default/events${dry}`,
      body: {
        metadata: { name: "e", labels: { case: label } },
        involvedObject: { kind: "Pod", namespace: "default", name: "p" },
        reason: "Told",
        message: "hello",
        type: "Normal",
        source: { component: "c" },
      },
    },
  ]);
}

export const webhookScenarios: readonly Scenario[] = [
  ...["deny", "deny-message", "deny-reason", "deny-low", "deny-causes", "echo"].map((ask) =>
    asked(ask, "denied the request"),
  ),
  asked("allow", "asked"),
  asked("many-warnings", "one"),
  ...failures,
  ...mutatingFailures,
  withHooks("slow", false, [{ ask: "slow", timeoutSeconds: 1 }], "failed calling webhook"),
  withHooks(
    "refused",
    false,
    [{ ask: "x", clientConfig: { url: "https://127.0.0.1:1/x" } }],
    "failed calling webhook",
  ),
  withHooks(
    "untrusted",
    false,
    [{ ask: "x", clientConfig: { url: "$HOOK/allow" } }],
    "failed calling webhook",
  ),
  withHooks(
    "no service",
    false,
    [{ ask: "x", clientConfig: { service: { namespace: "default", name: "nope", path: "/x" } } }],
    "failed calling webhook",
  ),
  withHooks("two deny", false, [{ ask: "allow" }, { ask: "deny-message" }], "denied the request"),
  lenient("status-500"),
  lenient("slow", { timeoutSeconds: 1 }),
  lenient("wrong-uid"),
  withHooks(
    "condition name",
    false,
    [{ ask: "deny-message", matchConditions: [{ name: "m", expression: "request.name == 'n0'" }] }],
    "denied the request",
    (label) => [create(label, "n1")],
  ),
  withHooks(
    "condition authorizer",
    false,
    [
      {
        ask: "deny-message",
        matchConditions: [
          { name: "m", expression: "authorizer.requestResource.check('create').allowed()" },
          { name: "n", expression: "object.data.a == 'x'" },
        ],
      },
    ],
    "denied the request",
    (label) => [create(label, "n1", { data: { a: "y" } })],
  ),
  conditionError({ failurePolicy: "Fail" }),
  conditionError({ failurePolicy: "Ignore" }),
  withHooks("labels", true, [{ ask: "label" }], never),
  withHooks("empty-patch", true, [{ ask: "empty-patch" }, { ask: "label" }], never),
  withHooks("bad-patch", true, [{ ask: "bad-patch" }], "nope"),
  withHooks("patch-makes-invalid", true, [{ ask: "patch-makes-invalid" }], "Invalid"),
  withHooks(
    "sees what those before did",
    true,
    [{ ask: "label" }, { ask: "echo" }],
    "denied the request",
  ),
  withHooks(
    "reinvoked",
    true,
    [{ ask: "label-again", reinvocationPolicy: "IfNeeded" }, { ask: "label" }],
    never,
  ),
  withHooks("not reinvoked", true, [{ ask: "label-again" }, { ask: "label" }], never),
  withHooks(
    "reinvoked both",
    true,
    [
      { ask: "label-again", reinvocationPolicy: "IfNeeded" },
      { ask: "label-again", reinvocationPolicy: "IfNeeded" },
    ],
    '"times"',
  ),
  withHooks(
    "namespace selector",
    false,
    [
      {
        ask: "deny-message",
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "default" } },
      },
    ],
    "denied the request",
    (label) => [
      {
        ...create(label, "n1"),
        path: `/api/v1/namespaces/kube-system/configmaps${dry}`,
        body: { ...configMap(label, "n1"), metadata: { name: "n1", labels: { case: label } } },
      },
    ],
  ),
  withHooks(
    "scope",
    false,
    [{ ask: "deny-message", rules: [{ ...onConfigMaps, scope: "Namespaced" }] }],
    "denied the request",
  ),
  written,
  ...["Equivalent", "Exact"].map(eventsInTwoGroups),
  scaled("equivalent", { matchPolicy: "Equivalent" }),
  scaled("exact", { matchPolicy: "Exact" }),
];
