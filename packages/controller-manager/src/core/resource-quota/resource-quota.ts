/**
 * ResourceQuota: recounts what a namespace uses, so that what is freed can be used again. Refusing
 * what is too much is the API server's affair; it adds to `used` itself.
 *
 * Source  pkg/controller/resourcequota/resource_quota_controller.go
 */
import type { Pod, ResourceQuota } from "@nanokube/api/core/v1";
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

/** A pod that should long be gone frees its share without an event. */
const everyMs = 300_000;
const coreCounts = ["configmaps", "secrets", "replicationcontrollers", "resourcequotas"];

/** Resources by the names that quotas give them; the server's list of them is asked for new names. */
type KnownResources = Map<string, DiscoveredResource>;

export function createResourceQuotaController(): Controller {
  const known: KnownResources = new Map();
  const ofNamespace = (object: ApiObject, caches: Caches) =>
    caches
      .of(resourceQuotas)
      .byNamespace(object.metadata?.namespace ?? "")
      .map(keyOf);
  return {
    name: "resourcequota-controller",
    watches: [
      // Not of what the API server adds to `used`: the object it counted may not be seen here yet.
      { ...watchOwn(resourceQuotas), isNews: hasOtherLimits },
      watch(pods, (pod, caches) => (mayFree(pod) ? ofNamespace(pod, caches) : [])),
      watch(services, ofNamespace),
      watch(persistentVolumeClaims, ofNamespace),
    ],
    followed: ofNamespace,
    reconcile: (key, context) => reconcileQuota(key, context, known),
  };
}

/** Of the quota, or in a status that somebody wrote. */
const hasOtherLimits = (old: ResourceQuota, quota: ResourceQuota): boolean =>
  !deepEqual(old.spec?.hard, quota.spec?.hard) || !deepEqual(quota.status?.hard, quota.spec?.hard);

/** Only what frees something: the API server counts what is added. */
function mayFree(pod: Pod): boolean {
  if (isPodTerminal(pod) || pod.metadata?.deletionTimestamp !== undefined) return true;
  return pod.status?.conditions?.some(({ type }) => type === "PodResizeInProgress") === true;
}

export function* reconcileQuota(
  key: string,
  context: Context,
  known: KnownResources = new Map(),
): Steps<number | undefined> {
  const { caches, nowMs } = context;
  const { namespace, name } = splitKey(key);
  const quota = caches.of(resourceQuotas).get(namespace, name);
  if (quota === undefined) return undefined;
  const hard = quota.spec?.hard ?? {};
  let usage = watchedUsage(quota, namespace, caches, nowMs);
  usage = add(usage, yield* countOthers(Object.keys(hard), namespace, caches, known));
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

/** "configmaps", "count/deployments.apps": followed from the first quota on that names them. */
function* countOthers(
  names: readonly string[],
  namespace: string,
  caches: Caches,
  known: KnownResources,
): Steps<Usage> {
  const usage: Usage = {};
  const wanted = names.filter(
    (name) =>
      coreCounts.includes(name) || (name.startsWith("count/") && !watched.has(name.slice(6))),
  );
  if (wanted.some((name) => !known.has(name))) yield* learn(wanted, known);
  const found = wanted.flatMap((name) => {
    const resource = known.get(name);
    return resource === undefined ? [] : [{ name, resource }];
  });
  if (found.length === 0) return usage;
  const resources = found.map(({ resource }) => resource);
  const { error } = yield* attempt({ do: "follow", resources });
  if (error !== undefined) throw error;
  for (const { name, resource } of found) {
    const count = caches.of(resource).byNamespace(namespace).length;
    usage[name] = parseQuantity(String(count));
  }
  return usage;
}

function* learn(names: readonly string[], known: KnownResources): Steps {
  const { resources = [], error } = yield* attempt({ do: "discover" });
  if (error !== undefined) throw error;
  for (const name of names) {
    const [plural, ...group] = name.replace(/^count\//, "").split(".");
    const resource = resources.find((r) => r.plural === plural && r.group === group.join("."));
    if (resource?.namespaced === true && resource.verbs.includes("watch")) {
      known.set(name, resource);
    }
  }
}
