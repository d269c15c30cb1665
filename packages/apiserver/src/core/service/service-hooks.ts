/**
 * What a Service gets when it is written: families, cluster IPs, node ports; and gives back.
 *
 * Errors  422 with the allocator's text, 500 when a range is full
 * Source  pkg/registry/core/service/storage/{alloc,storage}.go
 */
import type { Service, ServiceSpec } from "@nanokube/api/core/v1";
import type { KubeObject } from "@nanokube/machinery";
import { normalizeClusterIPs } from "../../resources/core/service/strategy.ts";
import type { Reservation, WriteHooks } from "../rest/context.ts";
import type { ClusterIPs } from "./cluster-ips.ts";
import { IPAllocation } from "./ip-allocation.ts";
import { completeFamilies } from "./ip-families.ts";
import { type NodePorts, portsOf } from "./node-ports.ts";
import { allocatePorts, keepNodePorts } from "./port-allocation.ts";
import { runAll, type Steps } from "./steps.ts";

export interface ServiceAllocators {
  ips: ClusterIPs;
  ports: NodePorts;
}

export function createServiceHooks({ ips, ports }: ServiceAllocators): WriteHooks {
  const addresses = new IPAllocation(ips);
  return {
    beginCreate: (object, dryRun) =>
      reserving(async ({ undo }) => {
        const service = object as Service;
        normalizeClusterIPs(service);
        completeFamilies(service, undefined, ips.ranges);
        await addresses.create(service, dryRun, undo);
        allocatePorts(ports, service, new Set(), undo);
      }),
    beginUpdate: (object, before, dryRun) =>
      reserving(async (steps) => {
        const [service, old] = [object as Service, before as Service];
        service.spec ??= {};
        keepAllocations(service.spec, old.spec ?? {});
        normalizeClusterIPs(service, old);
        completeFamilies(service, old, ips.ranges);
        await addresses.update(service, old, dryRun, steps);
        allocatePorts(ports, service, portsOf(old as KubeObject), steps.undo);
      }),
    afterDelete: (object) => addresses.releaseAll(object as Service),
  };
}

/** What was taken is given back when a later part fails, or the write itself. */
async function reserving(
  take: (steps: { undo: Steps; done: Steps }) => Promise<void>,
): Promise<Reservation> {
  const steps = { undo: [], done: [] };
  try {
    await take(steps);
  } catch (error) {
    await runAll(steps.undo);
    throw error;
  }
  return { done: () => runAll(steps.done), undo: () => runAll(steps.undo) };
}

/** An update that does not say what was allocated keeps it. */
function keepAllocations(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.type !== "ExternalName" && old.type !== "ExternalName") {
    if (!spec.clusterIP && old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    if (!spec.clusterIPs?.length && old.clusterIPs?.length) spec.clusterIPs = [...old.clusterIPs];
  }
  keepNodePorts(spec, old);
}
