/**
 * The CRI PodSandboxConfig of a pod.
 *
 * Source  pkg/kubelet/kuberuntime/kuberuntime_sandbox.go generatePodSandboxConfig
 */
import type { Pod } from "@nanokube/api/core/v1";
import { kernelHostname, type ResolverConfig } from "./dns-config.ts";
import {
  allContainers,
  containersOf,
  initContainersOf,
  isHostNetwork,
  isSidecar,
  podName,
  podNamespace,
  podUID,
} from "./pod.ts";
import { sandboxLabels } from "./runtime-labels.ts";
import { groupsPolicy, namespaceOptions, PROFILE, supplementalGroups } from "./security-context.ts";
import { sysctlName } from "./sysctls.ts";

const PROTOCOL: Readonly<Record<string, number>> = { TCP: 0, UDP: 1, SCTP: 2 };

export interface SandboxInput {
  pod: Pod;
  attempt: number;
  dns: ResolverConfig;
  clusterDomain: string;
  podLogsDir: string;
  cgroupParent: string;
  volumeGroups: readonly number[];
}

export const podLogsDirectory = (root: string, pod: Pod): string =>
  `${root}/${podNamespace(pod)}_${podName(pod)}_${podUID(pod)}`;

function portMappings(pod: Pod) {
  const kept = initContainersOf(pod.spec).filter(isSidecar);
  return [...kept, ...containersOf(pod.spec)].flatMap((container) =>
    (container.ports ?? []).map((port) => ({
      protocol: PROTOCOL[port.protocol ?? "TCP"] ?? 0,
      containerPort: port.containerPort ?? 0,
      hostPort: port.hostPort ?? 0,
      hostIp: port.hostIP ?? "",
    })),
  );
}

function sysctls(pod: Pod): Record<string, string> {
  const all = pod.spec?.securityContext?.sysctls ?? [];
  return Object.fromEntries(all.map(({ name = "", value = "" }) => [sysctlName(name), value]));
}

export function sandboxConfig(input: SandboxInput) {
  const { pod } = input;
  const context = pod.spec?.securityContext;
  const privileged = allContainers(pod).some((c) => c.securityContext?.privileged === true);
  return {
    metadata: {
      name: podName(pod),
      namespace: podNamespace(pod),
      uid: podUID(pod),
      attempt: input.attempt,
    },
    hostname: isHostNetwork(pod) ? "" : kernelHostname(pod, input.clusterDomain),
    logDirectory: podLogsDirectory(input.podLogsDir, pod),
    dnsConfig: input.dns,
    portMappings: portMappings(pod),
    labels: sandboxLabels(pod),
    annotations: { ...pod.metadata?.annotations },
    linux: {
      cgroupParent: input.cgroupParent,
      sysctls: sysctls(pod),
      securityContext: {
        privileged,
        namespaceOptions: namespaceOptions(pod),
        seccomp: { profileType: PROFILE.RuntimeDefault },
        supplementalGroups: supplementalGroups(pod, input.volumeGroups),
        supplementalGroupsPolicy: groupsPolicy(pod),
        ...(context?.runAsUser === undefined ? {} : { runAsUser: { value: context.runAsUser } }),
        ...(context?.runAsGroup === undefined ? {} : { runAsGroup: { value: context.runAsGroup } }),
      },
    },
  };
}

export type SandboxConfig = ReturnType<typeof sandboxConfig>;
