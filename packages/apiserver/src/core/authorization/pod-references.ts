/**
 * The names that a pod refers to in its own namespace.
 *
 * Source  pkg/api/v1/pod/util.go VisitPodSecretNames, VisitPodConfigmapNames
 */
import type { Container, Pod, Volume } from "@nanokube/api/core/v1";

export interface PodReferences {
  secrets: Set<string>;
  configmaps: Set<string>;
  persistentvolumeclaims: Set<string>;
  serviceaccounts: Set<string>;
}

function visitContainer(container: Container, found: PodReferences): void {
  for (const source of container.envFrom ?? []) {
    if (source.secretRef?.name) found.secrets.add(source.secretRef.name);
    if (source.configMapRef?.name) found.configmaps.add(source.configMapRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.secretKeyRef?.name) found.secrets.add(valueFrom.secretKeyRef.name);
    if (valueFrom?.configMapKeyRef?.name) found.configmaps.add(valueFrom.configMapKeyRef.name);
  }
}

function visitVolume(volume: Volume, podName: string, found: PodReferences): void {
  const secrets = [
    volume.secret?.secretName,
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.storageos?.secretRef?.name,
    volume.csi?.nodePublishSecretRef?.name,
  ];
  for (const name of secrets) if (name) found.secrets.add(name);
  if (volume.configMap?.name) found.configmaps.add(volume.configMap.name);
  for (const source of volume.projected?.sources ?? []) {
    if (source.secret?.name) found.secrets.add(source.secret.name);
    if (source.configMap?.name) found.configmaps.add(source.configMap.name);
  }
  if (volume.persistentVolumeClaim?.claimName) {
    found.persistentvolumeclaims.add(volume.persistentVolumeClaim.claimName);
  }
  if (volume.ephemeral !== undefined) {
    found.persistentvolumeclaims.add(`${podName}-${volume.name}`);
  }
}

export function podReferences(pod: Pod): PodReferences {
  const found: PodReferences = {
    secrets: new Set(),
    configmaps: new Set(),
    persistentvolumeclaims: new Set(),
    serviceaccounts: new Set(),
  };
  const spec = pod.spec ?? {};
  for (const reference of spec.imagePullSecrets ?? []) {
    if (reference.name) found.secrets.add(reference.name);
  }
  const containers = [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  for (const container of containers) visitContainer(container, found);
  for (const volume of spec.volumes ?? []) visitVolume(volume, pod.metadata?.name ?? "", found);
  if (spec.serviceAccountName) found.serviceaccounts.add(spec.serviceAccountName);
  return found;
}
