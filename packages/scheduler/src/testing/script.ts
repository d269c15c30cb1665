/**
 * Scheduling scripts: a cluster and pods in a few words a line, and what was decided.
 *
 * Shapes  node NAME cpu=2 memory=4Gi pods=110 label=KEY:VALUE taint=KEY:VALUE:EFFECT unschedulable
 *         run  NAME on=NODE <pod words>          a pod that runs already
 *         schedule NAME <pod words>              decide; the pod then runs where it was put
 *         explain NAME <pod words>               decide and print every node's score by plugin
 *         pod words: cpu=1 memory=1Gi priority=10 label=K:V node=NAME select=K:V port=8080
 *                    tolerate=K:V:EFFECT near=LABEL:VALUE/TOPOLOGY away=LABEL:VALUE/TOPOLOGY
 *                    spread=LABEL:VALUE/TOPOLOGY/SKEW prefer=K:V/WEIGHT never
 *         what was decided stands under ----, as in the scripts of etcd-io/raft
 */
import type { Node, Pod, PodSpec } from "@nanokube/api/core/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import { NodeInfo, podInfo } from "../core/node-info.ts";
import { type Decision, type ScheduleOptions, schedule } from "../core/schedule.ts";
import { interleaveZones, type Snapshot } from "../core/snapshot.ts";

type Words = Map<string, string[]>;

function parseWords(words: readonly string[]): Words {
  const parsed: Words = new Map();
  for (const word of words) {
    const at = word.indexOf("=");
    const key = at < 0 ? word : word.slice(0, at);
    const value = at < 0 ? "" : word.slice(at + 1);
    parsed.set(key, [...(parsed.get(key) ?? []), value]);
  }
  return parsed;
}

const pairs = (values: readonly string[] | undefined) =>
  Object.fromEntries((values ?? []).map((value) => value.split(":", 2) as [string, string]));

const selectorOf = (pair: string): LabelSelector => ({ matchLabels: pairs([pair]) });

function nodeOf(name: string, words: Words): Node {
  const taints = (words.get("taint") ?? []).map((text) => {
    const [key, value, effect] = text.split(":") as [string, string, string];
    return { key, value, effect };
  });
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      uid: name,
      labels: { "kubernetes.io/hostname": name, ...pairs(words.get("label")) },
    },
    spec: { taints, ...(words.has("unschedulable") ? { unschedulable: true } : {}) },
    status: {
      allocatable: {
        cpu: words.get("cpu")?.[0] ?? "4",
        memory: words.get("memory")?.[0] ?? "8Gi",
        pods: words.get("pods")?.[0] ?? "110",
      },
    },
  };
}

function affinityOf(words: Words): PodSpec["affinity"] {
  const term = (text: string) => {
    const slash = text.indexOf("/");
    return { labelSelector: selectorOf(text.slice(0, slash)), topologyKey: text.slice(slash + 1) };
  };
  const preferences = (words.get("prefer") ?? []).map((text) => {
    const [pair, weight] = text.split("/") as [string, string];
    const [key, value] = pair.split(":") as [string, string];
    const matchExpressions = [{ key, operator: "In", values: [value] }];
    return { weight: Number(weight), preference: { matchExpressions } };
  });
  const hard = "requiredDuringSchedulingIgnoredDuringExecution";
  return {
    ...(words.has("near") ? { podAffinity: { [hard]: words.get("near")!.map(term) } } : {}),
    ...(words.has("away") ? { podAntiAffinity: { [hard]: words.get("away")!.map(term) } } : {}),
    ...(preferences.length > 0
      ? { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferences } }
      : {}),
  };
}

function podOf(name: string, words: Words): Pod {
  const first = (key: string) => words.get(key)?.[0];
  const requests: Record<string, string> = {};
  for (const resource of ["cpu", "memory"]) {
    const value = first(resource);
    if (value !== undefined) requests[resource] = value;
  }
  const port = first("port");
  const ports = port === undefined ? [] : [{ containerPort: 80, hostPort: Number(port) }];
  const spread = (words.get("spread") ?? []).map((text) => {
    const [pair, topologyKey, skew] = text.split("/") as [string, string, string];
    return {
      labelSelector: selectorOf(pair),
      topologyKey,
      maxSkew: Number(skew),
      whenUnsatisfiable: "DoNotSchedule",
    };
  });
  const tolerations = (words.get("tolerate") ?? []).map((text) => {
    const [key, value, effect] = text.split(":") as [string, string, string];
    return { key, value, effect, operator: "Equal" };
  });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", uid: name, labels: pairs(words.get("label")) },
    spec: {
      containers: [{ name: "c", image: "c:1", resources: { requests }, ports }],
      affinity: affinityOf(words),
      tolerations,
      topologySpreadConstraints: spread,
      ...(words.has("select") ? { nodeSelector: pairs(words.get("select")) } : {}),
      ...(first("node") === undefined ? {} : { nodeName: first("node")! }),
      ...(first("priority") === undefined ? {} : { priority: Number(first("priority")) }),
      ...(words.has("never") ? { preemptionPolicy: "Never" } : {}),
    },
  };
}

function snapshotOf(nodes: ReadonlyMap<string, NodeInfo>): Snapshot {
  const none = () => undefined;
  return {
    nodes: interleaveZones(nodes.values()),
    node: (name) => nodes.get(name),
    namespace: none,
    claim: none,
    volume: none,
    volumes: () => [],
    storageClass: none,
    csiNode: none,
    ownerSelectors: () => [],
    disruptionBudgets: () => [],
  };
}

function describeDecision(name: string, decision: Decision, withScores: boolean): string[] {
  if (decision.outcome === "scheduled") {
    const lines = [`${name} -> ${decision.node}`];
    if (!withScores) return lines;
    for (const { node, total, plugins } of decision.scores) {
      const parts = Object.entries(plugins).map(([plugin, score]) => `${plugin}=${score}`);
      lines.push(`  ${node} ${total} ${parts.join(" ")}`);
    }
    return lines;
  }
  const lines = [`${name} -> none: ${decision.message}`];
  if (decision.preemption !== undefined) {
    const victims = decision.preemption.victims.map((pod) => pod.metadata?.name).join(" ");
    lines.push(`  preempts on ${decision.preemption.node}: ${victims}`);
  }
  return lines;
}

/** Runs the part of a script above ---- and gives back what belongs under it. */
export function runScript(text: string, options: Partial<ScheduleOptions> = {}): string {
  const nodes = new Map<string, NodeInfo>();
  const out: string[] = [];
  for (const line of text.split("\n")) {
    const [verb, name = "", ...rest] = line.replace(/#.*$/, "").trim().split(/\s+/);
    const words = parseWords(rest);
    if (verb === "node") {
      nodes.set(name, new NodeInfo(nodeOf(name, words)));
    } else if (verb === "run") {
      nodes.get(words.get("on")![0]!)!.addPod(podInfo(podOf(name, words)));
    } else if (verb === "schedule" || verb === "explain") {
      const pod = podOf(name, words);
      const decision = schedule(pod, snapshotOf(nodes), { random: () => 0.999, ...options });
      out.push(...describeDecision(name, decision, verb === "explain"));
      if (decision.outcome === "scheduled") nodes.get(decision.node)!.addPod(podInfo(pod));
    } else if (verb !== "") {
      throw new Error(`unknown command "${verb}"`);
    }
  }
  return out.join("\n");
}
