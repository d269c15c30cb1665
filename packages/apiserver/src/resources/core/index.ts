/**
 * The core group's kinds.
 *
 * Source  pkg/registry/core
 */
import type { ResourceStrategy } from "../../core/strategy.ts";
import { configMapStrategy } from "./config-map.ts";
import { endpointsStrategy } from "./endpoints.ts";
import { eventStrategy } from "./event.ts";
import { limitRangeStrategy } from "./limit-range.ts";
import { namespaceStrategy } from "./namespace.ts";
import { nodeStrategy } from "./node.ts";
import { persistentVolumeStrategy } from "./persistent-volume.ts";
import { persistentVolumeClaimStrategy } from "./persistent-volume-claim.ts";
import { podStrategy } from "./pod/strategy.ts";
import { podTemplateStrategy, replicationControllerStrategy } from "./replication-controller.ts";
import { resourceQuotaStrategy } from "./resource-quota.ts";
import { secretStrategy } from "./secret.ts";
import { serviceStrategy } from "./service/strategy.ts";
import { serviceAccountStrategy } from "./service-account.ts";

export const coreStrategies: readonly [string, ResourceStrategy][] = [
  ["/Pod", podStrategy],
  ["/Node", nodeStrategy],
  ["/Namespace", namespaceStrategy],
  ["/Service", serviceStrategy],
  ["/Endpoints", endpointsStrategy],
  ["/Secret", secretStrategy],
  ["/ConfigMap", configMapStrategy],
  ["/ServiceAccount", serviceAccountStrategy],
  ["/Event", eventStrategy],
  ["events.k8s.io/Event", eventStrategy],
  ["/PersistentVolume", persistentVolumeStrategy],
  ["/PersistentVolumeClaim", persistentVolumeClaimStrategy],
  ["/LimitRange", limitRangeStrategy],
  ["/ResourceQuota", resourceQuotaStrategy],
  ["/ReplicationController", replicationControllerStrategy],
  ["/PodTemplate", podTemplateStrategy],
];
