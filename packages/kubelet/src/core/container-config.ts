/**
 * The CRI ContainerConfig of one container.
 *
 * Pure: environment, mounts and the image's user are found out before.
 * Source  pkg/kubelet/kuberuntime/kuberuntime_container.go generateContainerConfig
 */
import type { Container, Pod } from "@nanokube/api/core/v1";
import { cri } from "@nanokube/rpc";
import { expandCommand } from "./environment.ts";
import { oomScoreAdj } from "./qos.ts";
import { containerResources } from "./resources.ts";
import { containerAnnotations, containerLabels } from "./runtime-labels.ts";
import { containerSecurityContext, type ImageUser } from "./security-context.ts";

/** A mount as CRI takes it. */
export interface ContainerMount {
  containerPath: string;
  hostPath: string;
  readonly: boolean;
  propagation: number;
  recursiveReadOnly?: boolean;
  image?: { image: string };
  imageSubPath?: string;
}

/** A device of the node as CRI takes it; permissions are of m(knod), r(ead), w(rite). */
export interface ContainerDevice {
  containerPath: string;
  hostPath: string;
  permissions: string;
}

export interface ContainerInput {
  pod: Pod;
  container: Container;
  restartCount: number;
  imageRef: string;
  imageUser: ImageUser;
  environment: ReadonlyMap<string, string>;
  mounts: readonly ContainerMount[];
  devices: readonly ContainerDevice[];
  seccompRoot: string;
  volumeGroups: readonly number[];
  targetID: string;
  memoryCapacityBytes: number;
  /** Nobody may lower oom_score_adj below this without CAP_SYS_RESOURCE. */
  oomScoreAdjMin: number;
}

/** CRI's number of a stop signal; 0 leaves it to the image. */
const stopSignal = (name: string | undefined): number =>
  (cri.Signal as Readonly<Record<string, number>>)[name ?? ""] ?? 0;

export function containerConfig(input: ContainerInput) {
  const { pod, container } = input;
  const name = container.name ?? "";
  const kernel = containerResources(pod, container);
  const adj = oomScoreAdj(pod, container, input.memoryCapacityBytes);
  const encoder = new TextEncoder();
  return {
    metadata: { name, attempt: input.restartCount },
    image: { image: input.imageRef, userSpecifiedImage: container.image ?? "" },
    ...expandCommand(container, input.environment),
    workingDir: container.workingDir ?? "",
    envs: [...input.environment].map(([key, value]) => ({ key, value: encoder.encode(value) })),
    mounts: input.mounts.map((mount) => ({ ...mount })),
    devices: input.devices.map((device) => ({ ...device })),
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, input.restartCount),
    logPath: `${name}/${input.restartCount}.log`,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    stopSignal: stopSignal(container.lifecycle?.stopSignal),
    linux: {
      resources: {
        cpuPeriod: kernel.cpuPeriodUs,
        cpuQuota: kernel.cpuQuotaUs,
        cpuShares: kernel.cpuShares,
        memoryLimitInBytes: kernel.memoryLimitBytes,
        oomScoreAdj: Math.max(adj, input.oomScoreAdjMin),
      },
      securityContext: containerSecurityContext({ ...input, image: input.imageUser }),
    },
  };
}

export type ContainerConfig = ReturnType<typeof containerConfig>;
