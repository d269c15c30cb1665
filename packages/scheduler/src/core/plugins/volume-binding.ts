/**
 * Volumes: every claim of the pod must be usable on the node.
 *
 * A bound claim is, where its volume's node affinity allows. An unbound one with delayed binding
 * takes the smallest free volume that fits, or is provisioned for the node when its class can.
 * What was found becomes part of the decision; the edge writes it and waits for the binder.
 *
 * Source  pkg/scheduler/framework/plugins/volumebinding/{volume_binding,binder}.go;
 *         pkg/controller/volume/persistentvolume/util FindMatchingVolume
 */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "@nanokube/api/core/v1";
import {
  labelSelectorToSelector,
  matchesNodeSelector,
  matchesNodeSelectorRequirement,
  parseQuantity,
} from "@nanokube/machinery";
import type { Cycle, Plugin } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { type Status, skip, unresolvable } from "../status.ts";

const name = "VolumeBinding";
const noProvisioner = "kubernetes.io/no-provisioner";
const selectedNode = "volume.kubernetes.io/selected-node";

/** How the claims of a pod come to be bound on one node. */
export interface VolumePlan {
  bindings: readonly { claim: PersistentVolumeClaim; volume: PersistentVolume }[];
  provision: readonly PersistentVolumeClaim[];
}

interface BindingState {
  bound: PersistentVolumeClaim[];
  delayed: PersistentVolumeClaim[];
  plans: Map<string, VolumePlan>;
}

export function claimNames(pod: Pod): { name: string; ephemeral: boolean }[] {
  return (pod.spec?.volumes ?? []).flatMap((volume): { name: string; ephemeral: boolean }[] => {
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined) return [{ name: claim, ephemeral: false }];
    if (volume.ephemeral === undefined) return [];
    return [{ name: `${pod.metadata?.name}-${volume.name}`, ephemeral: true }];
  });
}

const isBound = (claim: PersistentVolumeClaim) =>
  (claim.spec?.volumeName ?? "") !== "" &&
  claim.metadata?.annotations?.["pv.kubernetes.io/bind-completed"] !== undefined;

function problemOf(claim: PersistentVolumeClaim): string | undefined {
  const claimName = claim.metadata?.name;
  if (claim.status?.phase === "Lost") {
    const volume = claim.spec?.volumeName;
    return `persistentvolumeclaim "${claimName}" bound to non-existent persistentvolume "${volume}"`;
  }
  if (claim.metadata?.deletionTimestamp === undefined) return undefined;
  return `persistentvolumeclaim "${claimName}" is being deleted`;
}

function isDelayed(claim: PersistentVolumeClaim, { snapshot }: Cycle): boolean {
  const mode = snapshot.storageClass(claim.spec?.storageClassName ?? "")?.volumeBindingMode;
  return mode === "WaitForFirstConsumer";
}

function sortClaims(cycle: Cycle): BindingState | Status {
  const state: BindingState = { bound: [], delayed: [], plans: new Map() };
  for (const { name: claimName, ephemeral } of claimNames(cycle.pod)) {
    const claim = cycle.snapshot.claim(cycle.pod.metadata?.namespace ?? "", claimName);
    if (claim === undefined) {
      return unresolvable(
        ephemeral
          ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${claimName}"`
          : `persistentvolumeclaim "${claimName}" not found`,
      );
    }
    const problem = problemOf(claim);
    if (problem !== undefined) return unresolvable(problem);
    if (isBound(claim)) state.bound.push(claim);
    // A volume chosen for a claim by hand is bound by the binder, not by us.
    else if (isDelayed(claim, cycle) && !claim.spec?.volumeName) state.delayed.push(claim);
    else return unresolvable("pod has unbound immediate PersistentVolumeClaims");
  }
  return state;
}

function affinityAllows(volume: PersistentVolume, { node }: NodeInfo): boolean {
  const required = volume.spec?.nodeAffinity?.required;
  return required === undefined || matchesNodeSelector(required, node);
}

const capacityOf = (volume: PersistentVolume) =>
  parseQuantity(volume.spec?.capacity?.["storage"] ?? "0");

function canServe(volume: PersistentVolume, claim: PersistentVolumeClaim, node: NodeInfo): boolean {
  const { spec } = volume;
  const { spec: wanted } = claim;
  if (volume.metadata?.deletionTimestamp !== undefined) return false;
  if (volume.status?.phase !== "Available" && spec?.claimRef === undefined) return false;
  if ((spec?.storageClassName ?? "") !== (wanted?.storageClassName ?? "")) return false;
  if ((spec?.volumeMode ?? "Filesystem") !== (wanted?.volumeMode ?? "Filesystem")) return false;
  if (!(wanted?.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode))) return false;
  if (wanted?.selector !== undefined) {
    const selector = labelSelectorToSelector(wanted.selector);
    if (!selector.matches(volume.metadata?.labels)) return false;
  }
  const request = parseQuantity(wanted?.resources?.requests?.["storage"] ?? "0");
  return capacityOf(volume).cmp(request) >= 0 && affinityAllows(volume, node);
}

function findVolume(
  claim: PersistentVolumeClaim,
  node: NodeInfo,
  cycle: Cycle,
  taken: ReadonlySet<string>,
): PersistentVolume | undefined {
  let best: PersistentVolume | undefined;
  for (const volume of cycle.snapshot.volumes()) {
    const ref = volume.spec?.claimRef;
    const isOurs =
      ref?.name === claim.metadata?.name && ref?.namespace === claim.metadata?.namespace;
    if (ref !== undefined && !isOurs) continue;
    if (taken.has(volume.metadata?.name ?? "") || !canServe(volume, claim, node)) continue;
    if (isOurs) return volume;
    if (best === undefined || capacityOf(volume).cmp(capacityOf(best)) < 0) best = volume;
  }
  return best;
}

function canProvision(claim: PersistentVolumeClaim, node: NodeInfo, cycle: Cycle): boolean {
  const storageClass = cycle.snapshot.storageClass(claim.spec?.storageClassName ?? "");
  const provisioner = storageClass?.provisioner ?? "";
  if (provisioner === "" || provisioner === noProvisioner) return false;
  const chosen = claim.metadata?.annotations?.[selectedNode];
  if (chosen !== undefined && chosen !== node.name) return false;
  const terms = storageClass?.allowedTopologies ?? [];
  const labels = node.node.metadata?.labels ?? {};
  return (
    terms.length === 0 ||
    terms.some((term) =>
      (term.matchLabelExpressions ?? []).every(({ key, values }) =>
        matchesNodeSelectorRequirement(
          { key: key ?? "", operator: "In", values: values ?? [] },
          labels[key ?? ""],
        ),
      ),
    )
  );
}

function boundConflict(state: BindingState, node: NodeInfo, cycle: Cycle): string | undefined {
  for (const claim of state.bound) {
    const volume = cycle.snapshot.volume(claim.spec?.volumeName ?? "");
    if (volume === undefined) {
      return "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
    }
    if (!affinityAllows(volume, node)) {
      return "node(s) didn't match PersistentVolume's node affinity";
    }
  }
  return undefined;
}

export const volumeBinding: Plugin = {
  name,
  preFilter(cycle) {
    if (claimNames(cycle.pod).length === 0) return { status: skip };
    const state = sortClaims(cycle);
    if ("code" in state) return { status: state };
    cycle.state.set(name, state);
    return undefined;
  },
  filter(cycle, node) {
    const state = cycle.state.get(name) as BindingState;
    const conflict = boundConflict(state, node, cycle);
    if (conflict !== undefined) return unresolvable(conflict);
    const taken = new Set<string>();
    const bindings: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
    const provision: PersistentVolumeClaim[] = [];
    for (const claim of state.delayed) {
      const volume = findVolume(claim, node, cycle, taken);
      if (volume !== undefined) {
        taken.add(volume.metadata?.name ?? "");
        bindings.push({ claim, volume });
      } else if (canProvision(claim, node, cycle)) {
        provision.push(claim);
      } else {
        return unresolvable("node(s) didn't find available persistent volumes to bind");
      }
    }
    state.plans.set(node.name, { bindings, provision });
    return undefined;
  },
};

/** The plan that filtering made for the node; undefined when nothing is left to bind. */
export function volumePlan({ state }: Cycle, nodeName: string): VolumePlan | undefined {
  const plan = (state.get(name) as BindingState | undefined)?.plans.get(nodeName);
  if (plan === undefined || plan.bindings.length + plan.provision.length === 0) return undefined;
  return plan;
}
