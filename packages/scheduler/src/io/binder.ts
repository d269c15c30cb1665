/**
 * Carries a decision out: volumes first, then the Binding; or the victims, when it preempts.
 *
 * @hop scheduler.bind: writes the Pod's node through the binding subresource
 * Source  pkg/scheduler/schedule_one.go bindingCycle; framework/plugins/volumebinding PreBind;
 *         framework/preemption/executor.go
 */
import type { PersistentVolumeClaim, Pod, PodCondition } from "@nanokube/api/core/v1";
import {
  type Client,
  type EventRecorder,
  isNotFound,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
} from "@nanokube/client";
import { type Clock, sleep } from "@nanokube/machinery";
import type { VolumePlan } from "../core/plugins/volume-binding.ts";

const selectedNode = "volume.kubernetes.io/selected-node";
const bindTimeoutMs = 600_000;
const pollMs = 50;

export interface BinderDeps {
  client: Client;
  clock: Clock;
  recorder: EventRecorder;
  /** The claim as the informer last saw it. */
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
}

const timestamp = (clock: Clock) => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;

export class Binder {
  readonly #deps: BinderDeps;

  constructor(deps: BinderDeps) {
    this.#deps = deps;
  }

  async bind(pod: Pod, node: string, volumes: VolumePlan | undefined, signal: AbortSignal) {
    const { client, recorder } = this.#deps;
    if (volumes !== undefined) await this.#bindVolumes(volumes, node, signal);
    const { namespace = "", name = "", uid } = pod.metadata ?? {};
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { namespace, name, uid },
      target: { apiVersion: "v1", kind: "Node", name: node },
    };
    const target = client.resource(pods).namespace(namespace);
    await target.createSubresource(name, "binding", binding, { signal });
    const text = `Successfully assigned ${namespace}/${name} to ${node}`;
    recorder.event(pod, "Normal", "Scheduled", text);
  }

  async evict(preemptor: Pod, victim: Pod, node: string): Promise<void> {
    const { client, clock, recorder } = this.#deps;
    const { namespace = "", name = "", uid } = victim.metadata ?? {};
    const message = `default-scheduler: preempting to accommodate a higher priority pod`;
    const condition: PodCondition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "PreemptionByScheduler",
      message,
      lastTransitionTime: timestamp(clock),
    };
    const target = client.resource(pods).namespace(namespace);
    try {
      const status = { conditions: [condition] };
      await target.patch(name, { status }, { subresource: "status" });
      await target.delete(name, { preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return;
    }
    const by = `Preempted by pod ${preemptor.metadata?.uid} on node ${node}`;
    recorder.event(victim, "Normal", "Preempted", by);
  }

  /** PodScheduled=False with the reason, and the node that preemption is making room on. */
  async reportFailure(
    pod: Pod,
    reason: "Unschedulable" | "SchedulerError" | "SchedulingGated",
    message: string,
    nominatedNodeName: string | undefined,
  ): Promise<void> {
    const { namespace = "", name = "" } = pod.metadata ?? {};
    const known = pod.status?.conditions?.find((c) => c.type === "PodScheduled");
    const same = known?.status === "False" && known.reason === reason && known.message === message;
    if (same && nominatedNodeName === undefined) return;
    const lastTransitionTime =
      known?.status === "False" ? known.lastTransitionTime : timestamp(this.#deps.clock);
    const condition = {
      type: "PodScheduled",
      status: "False",
      reason,
      message,
      lastTransitionTime,
    };
    const status: Record<string, unknown> = { conditions: [condition] };
    if (nominatedNodeName !== undefined) status["nominatedNodeName"] = nominatedNodeName;
    const target = this.#deps.client.resource(pods).namespace(namespace);
    try {
      await target.patch(name, { status }, { subresource: "status" });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #bindVolumes(plan: VolumePlan, node: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    for (const { claim, volume } of plan.bindings) {
      const { namespace, name, uid } = claim.metadata ?? {};
      const claimRef = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid };
      const annotations = { "pv.kubernetes.io/bound-by-controller": "yes" };
      const patch = { metadata: { annotations }, spec: { claimRef } };
      await client
        .resource(persistentVolumes)
        .patch(volume.metadata?.name ?? "", patch, { signal });
    }
    for (const { metadata } of plan.provision) {
      if (metadata?.annotations?.[selectedNode] === node) continue;
      const patch = { metadata: { annotations: { [selectedNode]: node } } };
      const target = client.resource(persistentVolumeClaims).namespace(metadata?.namespace ?? "");
      await target.patch(metadata?.name ?? "", patch, { signal });
    }
    await this.#waitBound([...plan.bindings.map((b) => b.claim), ...plan.provision], node, signal);
  }

  async #waitBound(
    claims: readonly PersistentVolumeClaim[],
    node: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#deps;
    const deadline = clock.monotonic() + bindTimeoutMs;
    for (const { metadata } of claims) {
      for (;;) {
        const claim = this.#deps.claim(metadata?.namespace ?? "", metadata?.name ?? "");
        const annotations = claim?.metadata?.annotations ?? {};
        if (annotations["pv.kubernetes.io/bind-completed"] !== undefined) break;
        // The provisioner takes the annotation away when it cannot make a volume on this node.
        const chosen = annotations[selectedNode];
        if (claim === undefined)
          throw new Error(`persistentvolumeclaim "${metadata?.name}" not found`);
        if (chosen !== undefined && chosen !== node) {
          throw new Error(
            `selectedNode annotation value "${chosen}" not set to scheduled node "${node}"`,
          );
        }
        if (clock.monotonic() > deadline) {
          throw new Error("binding volumes: context deadline exceeded");
        }
        await sleep(clock, pollMs, signal);
      }
    }
  }
}
