/**
 * The kinds of group apps.
 *
 * Source  pkg/registry/apps
 */
import type { ResourceStrategy } from "../../core/strategy.ts";
import { controllerRevisionStrategy } from "./controller-revision.ts";
import { daemonSetStrategy } from "./daemon-set.ts";
import { deploymentStrategy } from "./deployment.ts";
import { replicaSetStrategy } from "./replica-set.ts";
import { statefulSetStrategy } from "./stateful-set.ts";

export const appsStrategies: readonly [string, ResourceStrategy][] = [
  ["apps/Deployment", deploymentStrategy],
  ["apps/ReplicaSet", replicaSetStrategy],
  ["apps/StatefulSet", statefulSetStrategy],
  ["apps/DaemonSet", daemonSetStrategy],
  ["apps/ControllerRevision", controllerRevisionStrategy],
];
