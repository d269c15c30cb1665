/**
 * The names of the Secrets that a pod uses.
 *
 * Source  pkg/api/v1/pod/util.go VisitPodSecretNames
 */
import type { Pod, Volume } from "@nanokube/api/core/v1";

export function secretsOfPod({ spec = {} as NonNullable<Pod["spec"]> }: Pod): ReadonlySet<string> {
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  const names = [
    ...(spec.imagePullSecrets ?? []).map(({ name }) => name),
    ...containers.flatMap(({ env = [], envFrom = [] }) => [
      ...envFrom.map(({ secretRef }) => secretRef?.name),
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ]),
    ...(spec.volumes ?? []).flatMap(secretsOfVolume),
  ];
  return new Set(names.filter((name): name is string => name !== undefined && name !== ""));
}

function secretsOfVolume(volume: Volume): (string | undefined)[] {
  const projected = volume.projected?.sources ?? [];
  return [
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.flexVolume?.secretRef?.name,
    ...projected.map(({ secret }) => secret?.name),
    volume.rbd?.secretRef?.name,
    volume.secret?.secretName,
    volume.scaleIO?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.storageos?.secretRef?.name,
    volume.csi?.nodePublishSecretRef?.name,
  ];
}
