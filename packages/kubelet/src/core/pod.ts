/**
 * Small questions about a Pod that every other file asks: names, references, kinds of container.
 *
 * Shapes  key        "namespace/name"
 *         reference  an ObjectReference; `fieldPath` says which container an event is about
 * Source  pkg/kubelet/container/ref.go, pkg/kubelet/util/format/pod.go,
 *         pkg/kubelet/types/pod_update.go
 */
import type {
  Container,
  ContainerStatus,
  EphemeralContainer,
  ObjectReference,
  Pod,
  PodSpec,
} from "@nanokube/api/core/v1";

export const CONFIG_SOURCE = "kubernetes.io/config.source";
export const CONFIG_MIRROR = "kubernetes.io/config.mirror";
export const CONFIG_HASH = "kubernetes.io/config.hash";

export const podUID = (pod: Pod): string => pod.metadata?.uid ?? "";
export const podName = (pod: Pod): string => pod.metadata?.name ?? "";
export const podNamespace = (pod: Pod): string => pod.metadata?.namespace ?? "";
export const podKey = (pod: Pod): string => `${podNamespace(pod)}/${podName(pod)}`;

/** The way upstream writes a pod into messages: `name_namespace(uid)`. */
export const formatPod = (pod: Pod): string =>
  `${podName(pod)}_${podNamespace(pod)}(${podUID(pod)})`;

export const isHostNetwork = (pod: Pod): boolean => pod.spec?.hostNetwork === true;

export const isTerminalPhase = (phase: string | undefined): boolean =>
  phase === "Succeeded" || phase === "Failed";

/** A static pod came from a file of this node, not from the API server. */
export function isStaticPod(pod: Pod): boolean {
  const source = pod.metadata?.annotations?.[CONFIG_SOURCE];
  return source !== undefined && source !== "api";
}

/** A mirror pod is the API server's read-only picture of a static pod. */
export const isMirrorPod = (pod: Pod): boolean =>
  pod.metadata?.annotations?.[CONFIG_MIRROR] !== undefined;

/** A sidecar: an init container that is kept running. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === "Always";

export const initContainersOf = (spec: PodSpec | undefined): Container[] =>
  spec?.initContainers ?? [];
export const containersOf = (spec: PodSpec | undefined): Container[] => spec?.containers ?? [];
export const ephemeralContainersOf = (spec: PodSpec | undefined): Container[] =>
  (spec?.ephemeralContainers ?? []) as EphemeralContainer[] as Container[];

export const allContainers = (pod: Pod): Container[] => [
  ...initContainersOf(pod.spec),
  ...containersOf(pod.spec),
  ...ephemeralContainersOf(pod.spec),
];

export const findContainer = (pod: Pod, name: string): Container | undefined =>
  allContainers(pod).find((container) => container.name === name);

export const statusOf = (
  statuses: readonly ContainerStatus[] | undefined,
  name: string | undefined,
): ContainerStatus | undefined => statuses?.find((status) => status.name === name);

/** What an event about the pod refers to. */
export function podReference(pod: Pod): ObjectReference {
  return {
    apiVersion: "v1",
    kind: "Pod",
    namespace: podNamespace(pod),
    name: podName(pod),
    uid: podUID(pod),
    ...(pod.metadata?.resourceVersion !== undefined
      ? { resourceVersion: pod.metadata.resourceVersion }
      : {}),
  };
}

/** What an event about one container refers to: the pod, and the way to the container in it. */
export function containerReference(pod: Pod, name: string): ObjectReference {
  const has = (list: Container[]) => list.some((container) => container.name === name);
  let field: string | undefined;
  if (has(containersOf(pod.spec))) field = "containers";
  else if (has(initContainersOf(pod.spec))) field = "initContainers";
  else if (has(ephemeralContainersOf(pod.spec))) field = "ephemeralContainers";
  const reference = podReference(pod);
  return field === undefined ? reference : { ...reference, fieldPath: `spec.${field}{${name}}` };
}
