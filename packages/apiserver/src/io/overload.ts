/** Limits on what is at work at once, by the objects that the store has of them. */
import type { FlowSchema, PriorityLevelConfiguration } from "@nanokube/api/flowcontrol/v1";
import { type KubeObject, sleep } from "@nanokube/machinery";
import type { ResourceCache } from "../core/cache/resource-cache.ts";
import { followDangling } from "../core/flow-control/dangling.ts";
import { createFlowControl, type FlowControl } from "../core/flow-control/flow-control.ts";
import type { ResourceLoad } from "../core/flow-control/work-estimate.ts";
import type { LocalClient } from "../core/local-client.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import type { ApiServerOptions } from "./api-server.ts";

const group = "flowcontrol.apiserver.k8s.io";

export function overloadControl(
  options: ApiServerOptions,
  registry: ResourceRegistry,
): FlowControl {
  const { readOnlyMax = 400, mutatingMax = 200, fairness = true } = options.overload ?? {};
  const cache = (plural: string) => registry.find(group, plural)?.cache;
  const all = (plural: string): KubeObject[] =>
    [...(cache(plural)?.scan() ?? [])].map((object) => object.shared());
  return createFlowControl({
    readOnlyMax,
    mutatingMax,
    fairness,
    clock: options.clock,
    loadOf: ({ apiGroup, resource }) => loadOf(registry.find(apiGroup, resource)?.cache),
    schemas: () => all("flowschemas") as FlowSchema[],
    levels: () => all("prioritylevelconfigurations") as PriorityLevelConfiguration[],
    generation: () =>
      Math.max(
        cache("flowschemas")?.changedAt ?? 0,
        cache("prioritylevelconfigurations")?.changedAt ?? 0,
      ),
  });
}

function loadOf(of: ResourceCache | undefined): ResourceLoad | undefined {
  if (of === undefined) return undefined;
  return {
    objects: of.size,
    get averageBytes() {
      return of.averageBytes();
    },
    watchersOf: ({ namespace, name }) => of.watchersOf(namespace, name),
  };
}

/** What starts is not kept waiting by conditions that nobody reads yet. */
const conditionsAfterMs = 2_000;

/** Says of every FlowSchema whether its level is there, as upstream's does when fairness is on. */
export async function followFlowSchemas(
  { clock, log, overload }: ApiServerOptions,
  { registry, local }: { registry: ResourceRegistry; local: LocalClient },
  signal: AbortSignal,
): Promise<void> {
  const schemas = registry.find(group, "flowschemas")?.cache;
  const levels = registry.find(group, "prioritylevelconfigurations")?.cache;
  if (overload?.fairness === false || schemas === undefined || levels === undefined) return;
  await sleep(clock, conditionsAfterMs, signal);
  followDangling({ schemas, levels, local, now: () => clock.now(), log }, signal);
}
