/**
 * The Kubernetes scheduler: one pure cycle, one file a plugin, and the loop that feeds it.
 *
 * `schedule(pod, snapshot, options)` decides without any I/O, for simulations and labs;
 * `createScheduler(deps)` runs it against an API server.
 *
 * @packageDocumentation
 */
export { type Diagnosis, describe } from "./core/diagnosis.ts";
export type { Cycle, Plugin, PreFilterResult } from "./core/framework.ts";
export { NodeInfo, type PodInfo, podInfo, podKey } from "./core/node-info.ts";
export { defaultPlugins } from "./core/plugins/registry.ts";
export type { VolumePlan } from "./core/plugins/volume-binding.ts";
export type { Preemption } from "./core/preemption.ts";
export { SchedulingQueue } from "./core/queue.ts";
export { podRequests, type Resources } from "./core/resources.ts";
export {
  type Decision,
  feasibleNodesToFind,
  type NodeScore,
  type ScheduleOptions,
  schedule,
} from "./core/schedule.ts";
export type { DisruptionBudget, Snapshot } from "./core/snapshot.ts";
export type { Status, StatusCode } from "./core/status.ts";
export { createScheduler, type Scheduler, type SchedulerDeps } from "./io/scheduler.ts";
