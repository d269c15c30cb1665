/**
 * DefaultTolerationSeconds: pods stay five minutes on a node that is not ready or unreachable.
 * ExtendedResourceToleration, on request: a pod that asks for a device may go where only such pods
 * go.
 * TaintNodesByCondition: a new node takes no pods until its controller has seen it.
 *
 * Source  plugin/pkg/admission/{defaulttolerationseconds,extendedresourcetoleration,nodetaint}
 */
import type { Node, Pod, Toleration } from "@nanokube/api/core/v1";
import { deepEqual } from "@nanokube/machinery";
import type { AdmissionPlugin } from "./plugin.ts";
import { isFor } from "./refuse.ts";

const notReady = "node.kubernetes.io/not-ready";
const unreachable = "node.kubernetes.io/unreachable";

function tolerates(toleration: Toleration, key: string): boolean {
  const keyMatches = toleration.key === key || !toleration.key;
  return keyMatches && (toleration.effect === "NoExecute" || !toleration.effect);
}

export interface TolerationSeconds {
  notReady: number;
  unreachable: number;
}

export function createDefaultTolerationSeconds(
  seconds: TolerationSeconds = { notReady: 300, unreachable: 300 },
): AdmissionPlugin {
  const toleration = (key: string, tolerationSeconds: number) => ({
    key,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds,
  });
  const wanted = () => [
    toleration(notReady, seconds.notReady),
    toleration(unreachable, seconds.unreachable),
  ];
  return {
    name: "DefaultTolerationSeconds",
    handles: (attributes) =>
      ["CREATE", "UPDATE"].includes(attributes.operation) && isFor(attributes, "", "pods"),
    admit({ object }) {
      const pod = object as Pod;
      const tolerations = pod.spec?.tolerations ?? [];
      const added = wanted().filter(({ key }) => !tolerations.some((one) => tolerates(one, key)));
      if (added.length === 0) return;
      pod.spec = { ...pod.spec, tolerations: [...tolerations, ...added] };
    },
  };
}

/** "example.com/device": neither native nor of kubernetes.io, and no request of a quota. */
const isExtended = (name: string): boolean =>
  name.includes("/") && !/(^|\.)kubernetes\.io\//.test(name) && !name.startsWith("requests.");

export const extendedResourceToleration: AdmissionPlugin = {
  name: "ExtendedResourceToleration",
  handles: (attributes) =>
    ["CREATE", "UPDATE"].includes(attributes.operation) && isFor(attributes, "", "pods"),
  admit({ object }) {
    const pod = object as Pod;
    const { containers = [], initContainers = [], tolerations = [] } = pod.spec ?? {};
    const asked = [...containers, ...initContainers].flatMap(({ resources }) =>
      Object.keys(resources?.requests ?? {}).filter(isExtended),
    );
    const added = [...new Set(asked)]
      .sort()
      .map((key): Toleration => ({ key, operator: "Exists", effect: "NoSchedule" }))
      .filter((one) => !tolerations.some((known) => deepEqual(known, one)));
    if (added.length > 0) pod.spec = { ...pod.spec, tolerations: [...tolerations, ...added] };
  },
};

export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  handles: (attributes) => attributes.operation === "CREATE" && isFor(attributes, "", "nodes"),
  admit({ object }) {
    const node = object as Node;
    const taints = node.spec?.taints ?? [];
    const has = taints.some((taint) => taint.key === notReady && taint.effect === "NoSchedule");
    if (has) return;
    node.spec = { ...node.spec, taints: [...taints, { key: notReady, effect: "NoSchedule" }] };
  },
};
