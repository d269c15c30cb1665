/**
 * The FlowSchemas and PriorityLevelConfigurations that every server has from its start.
 *
 * Source  apiserver pkg/apis/flowcontrol/bootstrap/default.go
 */
import type { FlowSchemaSpec, PriorityLevelConfigurationSpec } from "@nanokube/api/flowcontrol/v1";
import type { KubeObject } from "@nanokube/machinery";

type Subjects = NonNullable<NonNullable<FlowSchemaSpec["rules"]>[number]["subjects"]>;
type Rule = NonNullable<FlowSchemaSpec["rules"]>[number];

const group = (name: string): Subjects[number] => ({ kind: "Group", group: { name } });
const user = (name: string): Subjects[number] => ({ kind: "User", user: { name } });
const systemAccounts: Subjects[number] = {
  kind: "ServiceAccount",
  serviceAccount: { namespace: "kube-system", name: "*" },
};
const everybody = [group("system:unauthenticated"), group("system:authenticated")];

const resources = (
  verbs: string[],
  apiGroups: string[],
  names: string[],
  clusterScope: boolean,
) => ({
  verbs,
  apiGroups,
  resources: names,
  ...(clusterScope ? { clusterScope } : {}),
  namespaces: ["*"],
});

const all = (subjects: Subjects): Rule => ({
  subjects,
  resourceRules: [resources(["*"], ["*"], ["*"], true)],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
});

const leases = (verbs: string[]) => resources(verbs, ["coordination.k8s.io"], ["leases"], false);
const probes: Rule = {
  subjects: everybody,
  nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
};
const leaders: Rule = {
  subjects: [user("system:kube-controller-manager"), user("system:kube-scheduler"), systemAccounts],
  resourceRules: [leases(["get", "create", "update"])],
};
const nodes: Rule = {
  subjects: [group("system:nodes")],
  resourceRules: [resources(["*"], [""], ["nodes", "nodes/status"], true), leases(["*"])],
};

// Name, level, precedence, what tells flows apart, rule.
const schemas: readonly [string, string, number, "ByUser" | "ByNamespace" | undefined, Rule][] = [
  ["exempt", "exempt", 1, undefined, all([group("system:masters")])],
  ["probes", "exempt", 2, undefined, probes],
  ["system-leader-election", "leader-election", 100, "ByUser", leaders],
  ["system-node-high", "node-high", 400, "ByUser", nodes],
  ["system-nodes", "system", 500, "ByUser", all([group("system:nodes")])],
  [
    "kube-controller-manager",
    "workload-high",
    800,
    "ByNamespace",
    all([user("system:kube-controller-manager")]),
  ],
  ["kube-scheduler", "workload-high", 800, "ByNamespace", all([user("system:kube-scheduler")])],
  ["kube-system-service-accounts", "workload-high", 900, "ByNamespace", all([systemAccounts])],
  ["service-accounts", "workload-low", 9000, "ByUser", all([group("system:serviceaccounts")])],
  ["global-default", "global-default", 9900, "ByUser", all(everybody)],
  ["catch-all", "catch-all", 10000, "ByUser", all(everybody)],
];

// Name, shares, lendable percent, queues and hand (none: reject at once).
const levels: readonly [string, number, number, [number, number] | undefined][] = [
  ["catch-all", 5, 0, undefined],
  ["global-default", 20, 50, [128, 6]],
  ["leader-election", 10, 0, [16, 4]],
  ["node-high", 40, 25, [64, 6]],
  ["system", 30, 33, [64, 6]],
  ["workload-high", 40, 50, [128, 6]],
  ["workload-low", 100, 90, [128, 6]],
];

const annotations = { "apf.kubernetes.io/autoupdate-spec": "true" };
const apiVersion = "flowcontrol.apiserver.k8s.io/v1";

function limited([, shares, lendablePercent, hand]: (typeof levels)[number]): object {
  const limitResponse =
    hand === undefined
      ? { type: "Reject" }
      : {
          type: "Queue",
          queuing: { queues: hand[0], handSize: hand[1], queueLengthLimit: 50 },
        };
  return {
    type: "Limited",
    limited: { nominalConcurrencyShares: shares, limitResponse, lendablePercent },
  };
}

export function bootstrapLevels(): KubeObject[] {
  const object = (name: string, spec: PriorityLevelConfigurationSpec): KubeObject => ({
    apiVersion,
    kind: "PriorityLevelConfiguration",
    metadata: { name, annotations },
    spec,
  });
  const exempt = { nominalConcurrencyShares: 0, lendablePercent: 0 };
  return [
    object("exempt", { type: "Exempt", exempt }),
    ...levels.map((level) => object(level[0], limited(level) as PriorityLevelConfigurationSpec)),
  ];
}

export function bootstrapSchemas(): KubeObject[] {
  return schemas.map(([name, level, matchingPrecedence, type, rule]) => ({
    apiVersion,
    kind: "FlowSchema",
    metadata: { name, annotations },
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence,
      ...(type === undefined ? {} : { distinguisherMethod: { type } }),
      rules: [rule],
    },
  }));
}
