/**
 * Clusters and pods from a seed: what a scheduler has to weigh, in small numbers so that it matters.
 */
import type {
  Affinity,
  Node,
  Pod,
  PodAffinityTerm,
  Taint,
  Toleration,
} from "@nanokube/api/core/v1";
import type { Random } from "@nanokube/machinery";

const zones = ["za", "zb", "zc"];
const apps = ["web", "db", "cache"];
const taints = [
  ["dedicated", "gpu", "NoSchedule"],
  ["team", "batch", "NoSchedule"],
  ["spot", "true", "PreferNoSchedule"],
  ["old", "", "NoExecute"],
] as const;

export interface Dice {
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  upTo(max: number): number;
}

export const diceOf = (random: Random): Dice => ({
  chance: (probability) => random.next() < probability,
  pick: (list) => list[Math.floor(random.next() * list.length)]!,
  upTo: (max) => Math.floor(random.next() * (max + 1)),
});

export function randomNode(name: string, dice: Dice): Node {
  const { chance, pick } = dice;
  const labels: Record<string, string> = {
    "kubernetes.io/hostname": name,
    disk: pick(["ssd", "hdd"]),
  };
  if (chance(0.85)) labels["topology.kubernetes.io/zone"] = pick(zones);
  if (chance(0.3)) labels.size = String(dice.upTo(9));
  const own: Taint[] = taints
    .filter(() => chance(0.15))
    .map(([key, value, effect]) => ({ key, value, effect }));
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels },
    spec: { taints: own, ...(chance(0.1) ? { unschedulable: true } : {}) },
    status: {
      allocatable: {
        cpu: pick(["1", "2", "4", "3500m"]),
        memory: pick(["1Gi", "2Gi", "8Gi", "3000Mi"]),
        "ephemeral-storage": "10Gi",
        pods: pick(["3", "8", "110"]),
        ...(chance(0.3) ? { "example.com/widget": String(dice.upTo(3)) } : {}),
      },
      images: chance(0.3)
        ? [{ names: ["registry.example.com/big:1"], sizeBytes: 500 * 1024 * 1024 }]
        : [],
    },
  };
}

function requests(dice: Dice): Record<string, string> {
  const { chance, pick } = dice;
  return {
    ...(chance(0.7) ? { cpu: pick(["100m", "250m", "500m", "1", "1500m"]) } : {}),
    ...(chance(0.6) ? { memory: pick(["64Mi", "256Mi", "1Gi", "1500Mi"]) } : {}),
    ...(chance(0.1) ? { "example.com/widget": "1" } : {}),
  };
}

function podTerm(dice: Dice): PodAffinityTerm {
  const { pick, chance } = dice;
  return {
    labelSelector: chance(0.8)
      ? { matchLabels: { app: pick(apps) } }
      : { matchExpressions: [{ key: "app", operator: pick(["Exists", "NotIn"]), values: [] }] },
    topologyKey: pick(["kubernetes.io/hostname", "topology.kubernetes.io/zone"]),
  };
}

function fixed(term: PodAffinityTerm): PodAffinityTerm {
  const [expression] = term.labelSelector?.matchExpressions ?? [];
  if (expression?.operator !== "NotIn") {
    if (expression !== undefined) delete expression.values;
    return term;
  }
  expression.values = ["web"];
  return term;
}

function affinity(dice: Dice): Affinity {
  const { chance, pick } = dice;
  const hard = "requiredDuringSchedulingIgnoredDuringExecution";
  const soft = "preferredDuringSchedulingIgnoredDuringExecution";
  const nodeTerm = () => ({
    matchExpressions: chance(0.7)
      ? [{ key: "disk", operator: pick(["In", "NotIn"]), values: [pick(["ssd", "hdd"])] }]
      : [{ key: "size", operator: pick(["Gt", "Lt"]), values: ["4"] }],
  });
  const weighted = () => ({ weight: 1 + dice.upTo(99), podAffinityTerm: fixed(podTerm(dice)) });
  return {
    ...(chance(0.35)
      ? {
          nodeAffinity: {
            ...(chance(0.5) ? { [hard]: { nodeSelectorTerms: [nodeTerm()] } } : {}),
            ...(chance(0.7)
              ? { [soft]: [{ weight: 1 + dice.upTo(99), preference: nodeTerm() }] }
              : {}),
          },
        }
      : {}),
    ...(chance(0.2)
      ? { podAffinity: chance(0.5) ? { [hard]: [fixed(podTerm(dice))] } : { [soft]: [weighted()] } }
      : {}),
    ...(chance(0.25)
      ? {
          podAntiAffinity: chance(0.5)
            ? { [hard]: [fixed(podTerm(dice))] }
            : { [soft]: [weighted()] },
        }
      : {}),
  };
}

export function randomPod(name: string, dice: Dice): Pod {
  const { chance, pick } = dice;
  const tolerations: Toleration[] = taints
    .filter(() => chance(0.3))
    .map(([key, value, effect]) =>
      chance(0.5)
        ? { key, operator: "Exists", ...(chance(0.5) ? { effect } : {}) }
        : { key, operator: "Equal", value, effect },
    );
  const spread = chance(0.3)
    ? [
        {
          maxSkew: 1 + dice.upTo(1),
          topologyKey: pick(["topology.kubernetes.io/zone", "kubernetes.io/hostname"]),
          whenUnsatisfiable: pick(["DoNotSchedule", "ScheduleAnyway"]),
          labelSelector: { matchLabels: { app: pick(apps) } },
          ...(chance(0.3) ? { nodeTaintsPolicy: pick(["Honor", "Ignore"]) } : {}),
          ...(chance(0.3) ? { nodeAffinityPolicy: pick(["Honor", "Ignore"]) } : {}),
          ...(chance(0.2) ? { matchLabelKeys: ["tier"] } : {}),
        },
      ]
    : [];
  for (const constraint of spread) {
    if (constraint.whenUnsatisfiable === "DoNotSchedule" && chance(0.3)) {
      Object.assign(constraint, { minDomains: 1 + dice.upTo(3) });
    }
  }
  const init = chance(0.2)
    ? [
        {
          name: "init",
          image: "registry.example.com/small:1",
          resources: { requests: requests(dice) },
          ...(chance(0.5) ? { restartPolicy: "Always" } : {}),
        },
      ]
    : [];
  const container = (suffix: string) => ({
    name: `c${suffix}`,
    image: pick(["registry.example.com/big:1", "registry.example.com/small:1"]),
    resources: { requests: requests(dice) },
    ...(chance(0.15)
      ? {
          ports: [
            { containerPort: 80, hostPort: pick([8080, 9090]), protocol: pick(["TCP", "UDP"]) },
          ],
        }
      : {}),
  });
  for (;;) {
    const containers = [container("0"), ...(chance(0.2) ? [container("1")] : [])];
    const ports = containers.flatMap((c) => c.ports ?? []).map((p) => `${p.hostPort}${p.protocol}`);
    // The server refuses a pod that wants one port twice.
    if (new Set(ports).size !== ports.length) continue;
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: { app: pick(apps), tier: pick(["front", "back"]) } },
      spec: {
        ...(init.length === 0 ? {} : { initContainers: init.map((c) => withLimits(c)) }),
        containers: containers.map((c) => withLimits(c)),
        affinity: affinity(dice),
        tolerations,
        topologySpreadConstraints: spread,
        ...(chance(0.15) ? { nodeSelector: { disk: pick(["ssd", "hdd", "tape"]) } } : {}),
      },
    };
  }
}

/** An extended resource is limited to what is requested. */
function withLimits<T extends { resources: { requests: Record<string, string> } }>(
  container: T,
): T {
  const widgets = container.resources.requests["example.com/widget"];
  if (widgets === undefined) return container;
  const limits = { "example.com/widget": widgets };
  return { ...container, resources: { ...container.resources, limits } };
}
