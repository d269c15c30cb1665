/**
 * Grants a pod other resources, or lets the wish wait, and makes the runtime and the kernel follow.
 *
 * What grows, grows from the outside in (the pod's group, then its containers); what shrinks, from
 * the inside out, so that a container never has more than its pod. Memory before cpu.
 * Events  ResizeStarted, ResizeDeferred, ResizeCompleted, ResizeError, in upstream's words
 * Source  pkg/kubelet/allocation/allocation_manager.go handlePodResourcesResize,
 *         pkg/kubelet/kuberuntime/kuberuntime_manager.go doPodResizeAction
 */
import type {
  Container,
  Node,
  Pod,
  PodCondition,
  ResourceRequirements,
} from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import { type Clock, formatTime, type Log } from "@nanokube/machinery";
import { admitPod } from "../core/node-admission.ts";
import { podKey, podReference, podUID } from "../core/pod.ts";
import {
  type ContainerUpdate,
  describeResize,
  isResizing,
  type ResizePlan,
} from "../core/resize.ts";
import { containerResources, podCgroupLimits } from "../core/resources.ts";
import { type PodRuntimeStatus, runningContainers } from "../core/runtime-status.ts";
import type { Cgroups, PodGroup } from "./cgroups.ts";
import { describeRpcError, type RuntimeClient } from "./cri-runtime.ts";
import type { ResizeConditions, ResourceLedger } from "./resource-ledger.ts";

export interface PodResizerOptions {
  runtime: RuntimeClient;
  cgroups: Cgroups;
  ledger: ResourceLedger;
  recorder: EventRecorder;
  clock: Clock;
  log: Log;
  node(): Node;
  /** Pods that hold resources of this node, but for this one. */
  others(uid: string): Pod[];
}

export class PodResizer {
  readonly #options: PodResizerOptions;

  constructor(options: PodResizerOptions) {
    this.#options = options;
  }

  #note(pod: Pod, kind: keyof ResizeConditions, reason = "", message = ""): boolean {
    const { ledger, clock } = this.#options;
    const uid = podUID(pod);
    const old = ledger.conditions(uid)[kind];
    const now = formatTime(clock.now());
    const keep = kind === "inProgress" && reason === "" ? old : undefined;
    const generation = pod.metadata?.generation;
    const observed = kind === "inProgress" ? (old?.observedGeneration ?? generation) : generation;
    const condition: PodCondition = {
      type: kind === "pending" ? "PodResizePending" : "PodResizeInProgress",
      status: "True",
      lastProbeTime: old?.lastProbeTime ?? now,
      lastTransitionTime:
        old !== undefined && (old.reason ?? "") === reason ? old.lastTransitionTime! : now,
      ...(observed === undefined ? {} : { observedGeneration: observed }),
      ...(reason === "" ? {} : { reason }),
      ...(message === "" ? {} : { message }),
      ...(keep?.reason === undefined ? {} : { reason: keep.reason }),
      ...(keep?.message === undefined ? {} : { message: keep.message }),
    };
    ledger.set(uid, kind, condition);
    const same = old !== undefined && old.observedGeneration === observed;
    return !same || old.reason !== condition.reason || old.message !== condition.message;
  }

  /** The pod with what is granted to it, after its wish was looked at. */
  consider(pod: Pod): Pod {
    const { ledger, recorder, node, others } = this.#options;
    const uid = podUID(pod);
    if (ledger.allocatedPod(pod) === pod) {
      ledger.set(uid, "pending", undefined);
      return pod;
    }
    const refusal = admitPod(pod, node(), others(uid));
    if (refusal === undefined) {
      ledger.allocate(pod);
      ledger.set(uid, "pending", undefined);
      ledger.set(uid, "inProgress", undefined);
      this.#note(pod, "inProgress");
      const text = describeResize(pod, "Pod resize started");
      recorder.event(podReference(pod), "Normal", "ResizeStarted", text);
      return pod;
    }
    if (this.#note(pod, "pending", "Deferred", refusal.message)) {
      const text = describeResize(pod, `Pod resize ${refusal.reason}`, refusal.message);
      recorder.event(podReference(pod), "Warning", "ResizeDeferred", text);
    }
    return ledger.allocatedPod(pod);
  }

  /** Is everything as it was granted? Says so once. */
  settle(pod: Pod, status: PodRuntimeStatus): void {
    const { ledger, recorder } = this.#options;
    const uid = podUID(pod);
    if (isResizing(pod, runningContainers(status), ledger.actuated(uid))) {
      this.#note(pod, "inProgress");
      return;
    }
    const was = ledger.conditions(uid).inProgress;
    if (was === undefined) return;
    ledger.set(uid, "inProgress", undefined);
    const generation = was.observedGeneration ?? pod.metadata?.generation ?? 0;
    const about: Pod = { ...pod, metadata: { ...pod.metadata, generation } };
    const text = describeResize(about, "Pod resize completed");
    recorder.event(podReference(pod), "Normal", "ResizeCompleted", text);
  }

  async #update(pod: Pod, update: ContainerUpdate, kind: "cpu" | "memory"): Promise<void> {
    const { runtime, ledger } = this.#options;
    const uid = podUID(pod);
    const name = update.container.name ?? "";
    const had = ledger.actuated(uid)?.containers[name];
    const mixed = mix(had, update.container.resources, kind);
    const kernel = containerResources(pod, { ...update.container, resources: mixed } as Container);
    await runtime.updateContainerResources({
      containerId: update.id,
      linux: {
        cpuPeriod: kernel.cpuPeriodUs,
        cpuQuota: kernel.cpuQuotaUs,
        cpuShares: kernel.cpuShares,
        memoryLimitInBytes: kernel.memoryLimitBytes,
      },
    });
    ledger.actuate(uid, name, mixed);
  }

  async #checkMemory(pod: Pod, plan: ResizePlan, group: PodGroup | undefined): Promise<void> {
    const errors: string[] = [];
    const limit = podCgroupLimits(pod).memoryLimitBytes;
    const shrinks = (to: number, from: number) => to > 0 && (from <= 0 || to < from);
    if (limit !== undefined && group !== undefined && shrinks(limit, group.memoryLimitBytes)) {
      const usage = group.memoryUsageBytes;
      if (usage >= limit) {
        const what = `attempting to set pod memory limit (${limit})`;
        errors.push(`${what} below current usage (${usage})`);
      }
    }
    for (const { id, container, current, desired } of plan.memory) {
      if (!shrinks(desired.memoryLimit, current.memoryLimit)) continue;
      const { stats } = await this.#options.runtime.containerStats({ containerId: id });
      const usage = stats?.memory?.usageBytes?.value ?? stats?.memory?.workingSetBytes?.value ?? 0;
      if (usage < desired.memoryLimit) continue;
      const what = `attempting to set container "${container.name}" memory limit`;
      errors.push(`${what} (${desired.memoryLimit}) below current usage (${usage})`);
    }
    if (errors.length === 0) return;
    const list = errors.length === 1 ? errors[0] : `[${errors.join(", ")}]`;
    throw new Error(`cannot decrease memory limits: ${list}`);
  }

  async #resizeMemory(pod: Pod, plan: ResizePlan, group: PodGroup | undefined): Promise<void> {
    const { cgroups } = this.#options;
    const before = group?.memoryLimitBytes ?? -1;
    const after = podCgroupLimits(pod).memoryLimitBytes ?? before;
    const follow = () => cgroups.change(pod, { memoryLimitBytes: after });
    if (after > before) await follow();
    for (const update of plan.memory) await this.#update(pod, update, "memory");
    if (after < before) await follow();
  }

  async #resizeCPU(pod: Pod, plan: ResizePlan, group: PodGroup | undefined): Promise<void> {
    const { cgroups } = this.#options;
    const limits = podCgroupLimits(pod);
    const before = group?.cpuQuotaUs ?? -1;
    const after = limits.cpuQuotaUs ?? before;
    const shares = { before: group?.cpuShares ?? 0, after: limits.cpuShares };
    if (after > before) await cgroups.change(pod, { cpuQuotaUs: after });
    if (shares.after > shares.before) await cgroups.change(pod, { cpuShares: shares.after });
    for (const update of plan.cpu) await this.#update(pod, update, "cpu");
    if (shares.after < shares.before) await cgroups.change(pod, { cpuShares: shares.after });
    if (after < before) await cgroups.change(pod, { cpuQuotaUs: after });
  }

  /** Answers false when it could not be done now; the pod's condition says why. */
  async apply(pod: Pod, plan: ResizePlan): Promise<boolean> {
    const { cgroups, ledger, recorder, log } = this.#options;
    try {
      const group = await cgroups.read(pod);
      if (plan.memory.length > 0 || plan.pod) {
        await this.#checkMemory(pod, plan, group);
        await this.#resizeMemory(pod, plan, group);
      }
      if (plan.cpu.length > 0 || plan.pod) await this.#resizeCPU(pod, plan, group);
      ledger.actuatePod(pod);
      return true;
    } catch (error) {
      const text = describeRpcError(error);
      log.info({ pod: podKey(pod), err: text }, "pod resize failed");
      if (this.#note(pod, "inProgress", "Error", text)) {
        const event = describeResize(pod, "Pod resize error", text);
        recorder.event(podReference(pod), "Warning", "ResizeError", event);
      }
      return false;
    } finally {
      await ledger.save(podUID(pod));
    }
  }
}

/** The old resources with cpu, or memory, of the new ones. */
function mix(
  old: ResourceRequirements | undefined,
  wanted: ResourceRequirements | undefined,
  kind: "cpu" | "memory",
): ResourceRequirements {
  const one = (field: "requests" | "limits") => {
    const list: Record<string, string> = { ...wanted?.[field] };
    const other = kind === "cpu" ? "memory" : "cpu";
    const had = (old?.[field] as Record<string, string> | undefined)?.[other];
    if (had === undefined) delete list[other];
    else list[other] = had;
    return Object.keys(list).length === 0 ? {} : { [field]: list };
  };
  return { ...one("requests"), ...one("limits") };
}
