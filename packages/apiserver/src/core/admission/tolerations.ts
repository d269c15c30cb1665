/**
 * DefaultTolerationSeconds: pods stay five minutes on a node that is not ready or unreachable.
 * TaintNodesByCondition: a new node takes no pods until its controller has seen it.
 *
 * Source  plugin/pkg/admission/{defaulttolerationseconds,nodetaint}/admission.go
 */
import type { Node, Pod, Toleration } from "@nanokube/api/core/v1";
import type { AdmissionPlugin } from "./plugin.ts";
import { isFor } from "./refuse.ts";

const notReady = "node.kubernetes.io/not-ready";
const unreachable = "node.kubernetes.io/unreachable";

function tolerates(toleration: Toleration, key: string): boolean {
  const keyMatches = toleration.key === key || !toleration.key;
  return keyMatches && (toleration.effect === "NoExecute" || !toleration.effect);
}

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  handles: (attributes) =>
    ["CREATE", "UPDATE"].includes(attributes.operation) && isFor(attributes, "", "pods"),
  async admit({ object }) {
    const pod = object as Pod;
    const tolerations = pod.spec?.tolerations ?? [];
    const added = [notReady, unreachable]
      .filter((key) => !tolerations.some((one) => tolerates(one, key)))
      .map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }));
    if (added.length === 0) return;
    pod.spec = { ...pod.spec, tolerations: [...tolerations, ...added] };
  },
};

export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  handles: (attributes) => attributes.operation === "CREATE" && isFor(attributes, "", "nodes"),
  async admit({ object }) {
    const node = object as Node;
    const taints = node.spec?.taints ?? [];
    const has = taints.some((taint) => taint.key === notReady && taint.effect === "NoSchedule");
    if (has) return;
    node.spec = { ...node.spec, taints: [...taints, { key: notReady, effect: "NoSchedule" }] };
  },
};
