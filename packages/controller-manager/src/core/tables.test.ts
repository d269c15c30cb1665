/** Small decisions of many controllers, each a table. */
import type { Node, Pod, Service } from "@nanokube/api/core/v1";
import { nodes } from "@nanokube/client";
import {
  createSeededRandom,
  findUntoleratedTaint,
  matchesNodeSelectorTerm,
  tolerationToleratesTaint,
} from "@nanokube/machinery";
import { describe, expect, test } from "vitest";
import { World } from "../testing/world.ts";
import { validateRequest } from "./certificates/request.ts";
import { aggregatedRules } from "./clusterrole-aggregation/aggregation.ts";
import { scaled } from "./int-or-percent.ts";
import { pickControllers } from "./names.ts";
import { namespaceConditions } from "./namespace/conditions.ts";
import { createNodeIPAMController } from "./node-ipam/node-ipam.ts";
import { taintsWanted } from "./node-lifecycle/taints.ts";
import { claimUsage, podUsage, serviceUsage } from "./resource-quota/usage.ts";
import { evictionTime } from "./taint-eviction/taint-eviction.ts";

describe("--controllers", () => {
  const known = ["a-controller", "b-controller", "deployment-controller"];
  test.each([
    [["*"], known],
    [
      ["*", "-a-controller"],
      ["b-controller", "deployment-controller"],
    ],
    [["a-controller"], ["a-controller"]],
    [["deployment"], ["deployment-controller"]],
    [
      ["*", "-deployment"],
      ["a-controller", "b-controller"],
    ],
    [[], []],
  ])("%j", (wanted, want) => {
    expect([...pickControllers(wanted, known)]).toEqual(want);
  });
  test("a name that is none", () => {
    expect(() => pickControllers(["*", "-nope"], known)).toThrow(
      '"nope" is not in the list of known controllers',
    );
  });
});

test.each([
  [3, 10, "up", 3],
  ["25%", 10, "up", 3],
  ["25%", 10, "down", 2],
  ["0%", 10, "up", 0],
  ["100%", 7, "down", 7],
  [undefined, 10, "up", 0],
] as const)("%s of %i, rounded %s, is %i", (value, total, round, want) => {
  expect(scaled(value, total, round)).toBe(want);
});

describe("nodes", () => {
  const node = (labels: Record<string, string>): Node => ({ metadata: { name: "n1", labels } });
  test.each([
    ["In", ["a", "b"], "a", true],
    ["In", ["a"], undefined, false],
    ["NotIn", ["a"], "b", true],
    ["NotIn", ["a"], undefined, true],
    ["Exists", [], "x", true],
    ["DoesNotExist", [], "x", false],
    ["Gt", ["5"], "7", true],
    ["Gt", ["5"], "five", false],
    ["Lt", ["5"], "3", true],
    ["Near", ["5"], "5", false],
  ])("%s %j on %s is %s", (operator, values, value, want) => {
    const term = { matchExpressions: [{ key: "k", operator, values }] };
    expect(matchesNodeSelectorTerm(term, node(value === undefined ? {} : { k: value }))).toBe(want);
  });
  test("a term of nothing holds for none; fields are the name", () => {
    expect(matchesNodeSelectorTerm({}, node({}))).toBe(false);
    expect(
      matchesNodeSelectorTerm(
        { matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] },
        node({}),
      ),
    ).toBe(true);
  });
  test.each([
    [{ operator: "Exists" }, true],
    [{ key: "k", operator: "Exists" }, true],
    [{ key: "k", value: "v" }, true],
    [{ key: "k", value: "w" }, false],
    [{ key: "k", operator: "Exists", effect: "NoSchedule" }, false],
    [{ value: "v" }, true],
  ])("toleration %j of k=v:NoExecute is %s", (toleration, want) => {
    expect(
      tolerationToleratesTaint(toleration, { key: "k", value: "v", effect: "NoExecute" }),
    ).toBe(want);
  });
  test("only the effects that are asked for count", () => {
    const taints = [
      { key: "a", effect: "PreferNoSchedule" },
      { key: "b", effect: "NoSchedule" },
    ];
    expect(findUntoleratedTaint(taints, [], ["NoExecute"])).toBeUndefined();
    expect(findUntoleratedTaint(taints, [], ["NoSchedule"])?.key).toBe("b");
  });

  const at = Date.UTC(2026, 0, 1);
  const ready = (status: string, taints: object[] = [], spec: object = {}): Node => ({
    spec: { ...spec, taints: taints as never },
    status: { conditions: [{ type: "Ready", status }] },
  });
  const taint = (key: string, effect: string) => ({ key: `node.kubernetes.io/${key}`, effect });
  test.each([
    ["a ready node has none", ready("True"), true, undefined],
    [
      "ready again, they go",
      ready("True", [taint("unreachable", "NoExecute"), { key: "mine", effect: "NoSchedule" }]),
      true,
      ["mine:NoSchedule"],
    ],
    [
      "silent",
      ready("Unknown"),
      true,
      ["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"],
    ],
    [
      "not ready",
      ready("False"),
      true,
      ["node.kubernetes.io/not-ready:NoSchedule", "node.kubernetes.io/not-ready:NoExecute"],
    ],
    [
      "from silent to not ready",
      ready("False", [taint("unreachable", "NoSchedule"), taint("unreachable", "NoExecute")]),
      true,
      ["node.kubernetes.io/not-ready:NoSchedule", "node.kubernetes.io/not-ready:NoExecute"],
    ],
    [
      "all are silent: nobody is evicted",
      ready("Unknown", [taint("unreachable", "NoExecute")]),
      false,
      ["node.kubernetes.io/unreachable:NoSchedule"],
    ],
    [
      "cordoned",
      ready("True", [], { unschedulable: true }),
      true,
      ["node.kubernetes.io/unschedulable:NoSchedule"],
    ],
    [
      "as it should be",
      ready("Unknown", [taint("unreachable", "NoSchedule"), taint("unreachable", "NoExecute")]),
      true,
      undefined,
    ],
  ] as const)("%s", (_, node, evicting, want) => {
    expect(taintsWanted(node, evicting, at)?.map(({ key, effect }) => `${key}:${effect}`)).toEqual(
      want,
    );
  });

  test.each([
    ["no toleration", [], Number.NEGATIVE_INFINITY],
    ["for ever", [{ operator: "Exists" }], Number.POSITIVE_INFINITY],
    ["for 300 s", [{ key: "k", operator: "Exists", tolerationSeconds: 300 }], at + 300_000],
    [
      "the shorter of two",
      [
        { operator: "Exists", tolerationSeconds: 60 },
        { key: "k", operator: "Exists", tolerationSeconds: 300 },
      ],
      at + 60_000,
    ],
    ["less than nothing is at once", [{ operator: "Exists", tolerationSeconds: -5 }], at],
  ])("eviction: %s", (_, tolerations, want) => {
    const taints = [{ key: "k", effect: "NoExecute", timeAdded: "2026-01-01T00:00:00Z" }];
    expect(evictionTime(taints, tolerations, at - 5)).toBe(want);
  });

  test("ranges: the lowest that is free, the rest told", () => {
    const world = new World(
      createNodeIPAMController({ clusterCIDR: "10.244.0.0/22", nodeCIDRMaskSize: 24 }),
    );
    world.put(nodes, {
      metadata: { name: "has" },
      spec: { podCIDR: "10.244.1.0/24", podCIDRs: ["10.244.1.0/24"] },
    });
    for (const name of ["a", "b", "c", "d"]) world.put(nodes, { metadata: { name } });
    for (let steps = 0; steps < 100; steps++) world.step(createSeededRandom(steps));
    const got = world.list(nodes).map(({ spec }) => spec?.podCIDR);
    expect(got.filter(Boolean).sort()).toEqual([
      "10.244.0.0/24",
      "10.244.1.0/24",
      "10.244.2.0/24",
      "10.244.3.0/24",
    ]);
    expect(world.notes.some((note) => note.includes("CIDRNotAvailable"))).toBe(true);
  });
  test.each(["10.244.0.0", "10.244.0.0/33", "x/8", "300.0.0.0/8"])(
    "%s is no range",
    (clusterCIDR) => {
      expect(() => createNodeIPAMController({ clusterCIDR, nodeCIDRMaskSize: 24 })).toThrow(
        `invalid CIDR address: ${clusterCIDR}`,
      );
    },
  );
});

describe("quota", () => {
  const text = (usage: object) =>
    Object.fromEntries(Object.entries(usage).map(([name, q]) => [name, String(q)]));
  const container = (cpu: string, memory: string) => ({
    resources: { requests: { cpu }, limits: { memory } },
  });
  const pod = (spec: object, status: object = {}): Pod => ({ spec, status });
  test("a pod counts its containers with sidecars, or the largest that starts before them", () => {
    const spec = {
      containers: [container("1", "100Mi"), container("500m", "50Mi")],
      initContainers: [
        { ...container("250m", "10Mi"), restartPolicy: "Always" },
        container("3", "20Mi"),
      ],
      overhead: { cpu: "100m" },
    };
    expect(text(podUsage(pod(spec), 0))).toEqual({
      "count/pods": "1",
      pods: "1",
      "requests.cpu": "3350m",
      cpu: "3350m",
      "limits.memory": "160Mi",
    });
  });
  test("one that has ended counts as an object only", () => {
    expect(
      text(podUsage(pod({ containers: [container("1", "1Mi")] }, { phase: "Failed" }), 0)),
    ).toEqual({ "count/pods": "1" });
  });
  test("extended resources and huge pages", () => {
    const spec = {
      containers: [{ resources: { requests: { "example.com/gpu": "2", "hugepages-2Mi": "4Mi" } } }],
    };
    expect(text(podUsage(pod(spec), 0))).toMatchObject({
      "requests.example.com/gpu": "2",
      "hugepages-2Mi": "4Mi",
    });
  });
  test.each([
    [{ type: "ClusterIP", ports: [{}] }, "0", "0"],
    [{ type: "NodePort", ports: [{}, {}] }, "2", "0"],
    [{ type: "LoadBalancer", ports: [{}] }, "1", "1"],
    [
      {
        type: "LoadBalancer",
        allocateLoadBalancerNodePorts: false,
        ports: [{}, { nodePort: 30000 }],
      },
      "1",
      "1",
    ],
  ])("service %j", (spec, nodePorts, balancers) => {
    expect(text(serviceUsage({ spec } as Service))).toMatchObject({
      "services.nodeports": nodePorts,
      "services.loadbalancers": balancers,
    });
  });
  test("a claim counts for its class too", () => {
    const usage = claimUsage({
      spec: { storageClassName: "fast", resources: { requests: { storage: "5Gi" } } },
    });
    expect(text(usage)).toMatchObject({
      "requests.storage": "5Gi",
      "fast.storageclass.storage.k8s.io/requests.storage": "5Gi",
      "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
    });
  });
});

describe("certificate requests", () => {
  const request = (change: object = {}) => ({
    commonName: "system:node:n1",
    organizations: ["system:nodes"],
    dnsNames: [],
    ipAddresses: [],
    emailAddresses: [],
    uris: [],
    ...change,
  });
  const client = "kubernetes.io/kube-apiserver-client-kubelet";
  const serving = "kubernetes.io/kubelet-serving";
  const [forClient, forServing] = [
    ["digital signature", "client auth"],
    ["digital signature", "key encipherment", "server auth"],
  ];
  test.each([
    [client, {}, forClient, undefined],
    [
      client,
      { organizations: ["system:masters"] },
      forClient,
      "subject organization is not system:nodes",
    ],
    [client, { dnsNames: ["x"] }, forClient, "DNS subjectAltNames are not allowed"],
    [
      client,
      { commonName: "n1" },
      forClient,
      "subject common name does not begin with system:node:",
    ],
    [
      client,
      {},
      forServing,
      "usages did not match [client auth digital signature key encipherment]",
    ],
    [serving, { ipAddresses: ["10.0.0.1"] }, forServing, undefined],
    [serving, {}, forServing, "DNS or IP subjectAltName is required"],
    [
      "kubernetes.io/kube-apiserver-client",
      {},
      forServing,
      "invalid usage for client certificate: server auth",
    ],
    [
      "kubernetes.io/kube-apiserver-client",
      {},
      ["digital signature"],
      "missing required usage for client certificate: client auth",
    ],
    ["kubernetes.io/legacy-unknown", {}, ["any"], undefined],
  ])("%s %j %j → %s", (signer, change, usages, want) => {
    expect(validateRequest(signer, request(change), usages)).toBe(want);
  });
});

test("a namespace says what is left of it, and when that ends", () => {
  const remaining = {
    discoveryError: undefined,
    errors: [new Error("b"), new Error("a")],
    resources: new Map([
      ["pods.", 2],
      ["widgets.example.com", 1],
    ]),
    finalizers: new Map([["example.com/hold", 1]]),
  };
  const conditions = namespaceConditions([], remaining, 0);
  expect(
    conditions
      .filter(({ status }) => status === "True")
      .map(({ type, reason, message }) => [type, reason, message]),
  ).toEqual([
    [
      "NamespaceDeletionContentFailure",
      "ContentDeletionFailed",
      "Failed to delete all resource types, 2 remaining: a, b",
    ],
    [
      "NamespaceContentRemaining",
      "SomeResourcesRemain",
      "Some resources are remaining: pods. has 2 resource instances, widgets.example.com has 1 resource instances",
    ],
    [
      "NamespaceFinalizersRemaining",
      "SomeFinalizersRemain",
      "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
    ],
  ]);
  const none = {
    discoveryError: undefined,
    errors: [],
    resources: new Map(),
    finalizers: new Map(),
  };
  const after = namespaceConditions(conditions, none, 5000);
  expect(after.every(({ status }) => status === "False")).toBe(true);
  expect(after[0]?.lastTransitionTime).toBe("1970-01-01T00:00:00Z");
  expect(after[2]?.lastTransitionTime).toBe("1970-01-01T00:00:05Z");
});

test("aggregated rules: by name, each once, never its own", () => {
  const rule = (verb: string) => ({ apiGroups: [""], resources: ["pods"], verbs: [verb] });
  const role = (name: string, verbs: string[]) => ({
    metadata: { name, labels: { into: "x" } },
    rules: verbs.map(rule),
  });
  const whole = {
    ...role("whole", ["old"]),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { into: "x" } }] },
  };
  expect(aggregatedRules(whole, [role("b", ["list", "get"]), whole, role("a", ["get"])])).toEqual([
    rule("get"),
    rule("list"),
  ]);
});
