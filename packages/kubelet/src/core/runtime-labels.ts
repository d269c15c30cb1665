/**
 * Labels and annotations by which the kubelet finds its own sandboxes and containers again.
 *
 * They are upstream's, so that either kubelet can take over a node from the other.
 * Source  pkg/kubelet/kuberuntime/labels.go, k8s.io/kubelet/pkg/types/labels.go
 */
import type { Container, Lifecycle, LifecycleHandler, Pod } from "@nanokube/api/core/v1";
import { containerHash } from "./container-hash.ts";
import { podName, podNamespace, podUID } from "./pod.ts";

export const POD_NAME = "io.kubernetes.pod.name";
export const POD_NAMESPACE = "io.kubernetes.pod.namespace";
export const POD_UID = "io.kubernetes.pod.uid";
export const CONTAINER_NAME = "io.kubernetes.container.name";
const HASH = "io.kubernetes.container.hash";
const RESTART_COUNT = "io.kubernetes.container.restartCount";
const MESSAGE_PATH = "io.kubernetes.container.terminationMessagePath";
const MESSAGE_POLICY = "io.kubernetes.container.terminationMessagePolicy";
const PRE_STOP = "io.kubernetes.container.preStopHandler";
const PORTS = "io.kubernetes.container.ports";
const DELETION_GRACE = "io.kubernetes.pod.deletionGracePeriod";
const TERMINATION_GRACE = "io.kubernetes.pod.terminationGracePeriod";

export const sandboxLabels = (pod: Pod): Record<string, string> => ({
  ...pod.metadata?.labels,
  [POD_NAME]: podName(pod),
  [POD_NAMESPACE]: podNamespace(pod),
  [POD_UID]: podUID(pod),
});

export const containerLabels = (pod: Pod, container: Container): Record<string, string> => ({
  [POD_NAME]: podName(pod),
  [POD_NAMESPACE]: podNamespace(pod),
  [POD_UID]: podUID(pod),
  [CONTAINER_NAME]: container.name ?? "",
});

export function containerAnnotations(
  pod: Pod,
  container: Container,
  restartCount: number,
): Record<string, string> {
  const lifecycle: Lifecycle | undefined = container.lifecycle;
  const grace = pod.spec?.terminationGracePeriodSeconds;
  const deletion = pod.metadata?.deletionGracePeriodSeconds;
  return {
    [HASH]: containerHash(container),
    [RESTART_COUNT]: String(restartCount),
    [MESSAGE_PATH]: container.terminationMessagePath ?? "",
    [MESSAGE_POLICY]: container.terminationMessagePolicy ?? "",
    ...(deletion === undefined ? {} : { [DELETION_GRACE]: String(deletion) }),
    ...(grace === undefined ? {} : { [TERMINATION_GRACE]: String(grace) }),
    ...(lifecycle?.preStop === undefined ? {} : { [PRE_STOP]: JSON.stringify(lifecycle.preStop) }),
    ...((container.ports ?? []).length === 0 ? {} : { [PORTS]: JSON.stringify(container.ports) }),
  };
}

export interface ContainerFacts {
  hash: string;
  restartCount: number;
  terminationMessagePath: string;
  terminationMessagePolicy: string;
  gracePeriodSeconds: number | undefined;
  preStop: LifecycleHandler | undefined;
}

/** What a container's annotations say, when the pod itself is not known any more. */
export function factsFromAnnotations(
  annotations: Readonly<Record<string, string>>,
): ContainerFacts {
  const grace = annotations[DELETION_GRACE] ?? annotations[TERMINATION_GRACE];
  const preStop = annotations[PRE_STOP];
  return {
    hash: annotations[HASH] ?? "",
    restartCount: Number(annotations[RESTART_COUNT] ?? 0),
    terminationMessagePath: annotations[MESSAGE_PATH] ?? "",
    terminationMessagePolicy: annotations[MESSAGE_POLICY] ?? "",
    gracePeriodSeconds: grace === undefined ? undefined : Number(grace),
    preStop: preStop === undefined ? undefined : (JSON.parse(preStop) as LifecycleHandler),
  };
}
