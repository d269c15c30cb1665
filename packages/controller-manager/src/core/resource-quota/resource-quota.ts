/**
 * ResourceQuota: recounts what a namespace uses, so that what is freed can be used again. Refusing
 * what is too much is the API server's affair; it adds to `used` itself.
 *
 * Source  pkg/controller/resourcequota/resource_quota_controller.go
 */
import type { ResourceQuota } from "@nanokube/api/core/v1";
import {
  type ApiObject,
  keyOf,
  persistentVolumeClaims,
  pods,
  resourceQuotas,
  services,
  splitKey,
} from "@nanokube/client";
import { deepEqual, parseQuantity } from "@nanokube/machinery";
import { type Caches, type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { isPodTerminal } from "../pod.ts";
import { attempt, type DiscoveredResource, type Steps, updateStatus } from "../steps.ts";
import { add, claimUsage, inScope, podUsage, serviceUsage, type Usage } from "./usage.ts";

/** What is not watched is counted this often. */
const everyMs = 300_000;
const coreCounts = ["configmaps", "secrets", "replicationcontrollers", "resourcequotas"];

export function createResourceQuotaController(): Controller {
  const ofNamespace = (object: ApiObject, caches: Caches) =>
    caches
      .of(resourceQuotas)
      .byNamespace(object.metadata?.namespace ?? "")
      .map(keyOf);
  return {
    name: "resourcequota-controller",
    watches: [
      watchOwn(resourceQuotas),
      watch(pods, (pod, caches) => {
        // Only what frees something: the API server counts what is added.
        const frees = isPodTerminal(pod) || pod.metadata?.deletionTimestamp !== undefined;
        return frees ? ofNamespace(pod, caches) : [];
      }),
      watch(services, ofNamespace),
      watch(persistentVolumeClaims, ofNamespace),
    ],
    reconcile: reconcileQuota,
  };
}

export function* reconcileQuota(key: string, context: Context): Steps<number | undefined> {
  const { caches, nowMs } = context;
  const { namespace, name } = splitKey(key);
  const quota = caches.of(resourceQuotas).get(namespace, name);
  if (quota === undefined) return undefined;
  const hard = quota.spec?.hard ?? {};
  let usage = watchedUsage(quota, namespace, caches, nowMs);
  usage = add(usage, yield* countOthers(Object.keys(hard), namespace));
  const used = Object.fromEntries(
    Object.keys(hard).map((resource) => [
      resource,
      (usage[resource] ?? parseQuantity("0")).toString(),
    ]),
  );
  const status = { hard, used };
  if (!deepEqual(status, quota.status ?? {}))
    yield* updateStatus(resourceQuotas, { ...quota, status });
  return everyMs;
}

function watchedUsage(
  quota: ResourceQuota,
  namespace: string,
  caches: Caches,
  nowMs: number,
): Usage {
  const scoped = (quota.spec?.scopes?.length ?? 0) > 0 || quota.spec?.scopeSelector !== undefined;
  let usage = caches
    .of(pods)
    .byNamespace(namespace)
    .filter((pod) => inScope(quota, pod))
    .map((pod) => podUsage(pod, nowMs))
    .reduce(add, {});
  // A scope speaks of pods: nothing else is in one.
  if (scoped) return usage;
  usage = caches
    .of(persistentVolumeClaims)
    .byNamespace(namespace)
    .map(claimUsage)
    .reduce(add, usage);
  return caches.of(services).byNamespace(namespace).map(serviceUsage).reduce(add, usage);
}

const watched: ReadonlySet<string> = new Set(["pods", "services", "persistentvolumeclaims"]);

/** "configmaps", "count/deployments.apps": listed from the server. */
function* countOthers(names: readonly string[], namespace: string): Steps<Usage> {
  const usage: Usage = {};
  const wanted = names.filter(
    (name) =>
      coreCounts.includes(name) || (name.startsWith("count/") && !watched.has(name.slice(6))),
  );
  if (wanted.length === 0) return usage;
  const { resources = [], error } = yield* attempt({ do: "discover" });
  if (error !== undefined) throw error;
  const find = (name: string): DiscoveredResource | undefined => {
    const [plural, ...group] = name.replace(/^count\//, "").split(".");
    return resources.find((r) => r.plural === plural && r.group === group.join("."));
  };
  for (const name of wanted) {
    const resource = find(name);
    if (resource === undefined || !resource.namespaced) continue;
    const { items = [], error } = yield* attempt({ do: "list", resource, namespace });
    if (error !== undefined) throw error;
    usage[name] = parseQuantity(String(items.length));
  }
  return usage;
}
