/**
 * What one object uses of a quota's resources.
 *
 * Source  pkg/quota/v1/evaluator/core/{pods,services,persistent_volume_claims}.go,
 *         staging/src/k8s.io/apiserver/pkg/quota/v1/resources.go
 */
import type { Container, PersistentVolumeClaim, Pod, Service } from "@nanokube/api/core/v1";
import { type KubeObject, parseQuantity, type Quantity } from "@nanokube/machinery";
import { podRequests } from "../../../resources/core/pod/resources.ts";
import type { ResourceList } from "../../../resources/resource-list.ts";
import { isExtendedResource, isHugePages } from "../../../resources/resource-names.ts";

export type Usage = Record<string, Quantity>;

const one = parseQuantity("1");
const zero = parseQuantity("0");

export function add(sum: Usage, more: Usage): void {
  for (const [name, amount] of Object.entries(more)) {
    const before = sum[name];
    sum[name] = before === undefined ? amount : before.add(amount);
  }
}

/** What rises from `before` to `after`. */
export function increase(after: Usage, before: Usage): Usage {
  const risen: Usage = {};
  for (const [name, amount] of Object.entries(after)) {
    const delta = amount.sub(before[name] ?? zero);
    if (delta.cmp(zero) > 0) risen[name] = delta;
  }
  return risen;
}

/** "requests.cpu=1,requests.memory=2Gi" */
export function usageText(usage: Usage): string {
  return Object.keys(usage)
    .sort()
    .map((name) => `${name}=${usage[name]}`)
    .join(",");
}

const computed = new Set(["cpu", "memory", "ephemeral-storage"]);

function computeUsage(requests: ResourceList, limits: ResourceList): Usage {
  const usage: Usage = { pods: one };
  for (const [name, text] of Object.entries(requests)) {
    const amount = parseQuantity(text);
    if (computed.has(name) || isHugePages(name)) usage[name] = amount;
    else if (!isExtendedResource(name)) continue;
    usage[`requests.${name}`] = amount;
  }
  for (const [name, text] of Object.entries(limits)) {
    if (computed.has(name)) usage[`limits.${name}`] = parseQuantity(text);
  }
  return usage;
}

/** Ended pods use nothing, nor do those that should long be gone. */
function isCharged({ metadata, status }: Pod, now: number): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
  const { deletionTimestamp, deletionGracePeriodSeconds: grace } = metadata ?? {};
  if (deletionTimestamp === undefined || grace === undefined) return true;
  return now <= Date.parse(deletionTimestamp) + grace * 1000;
}

function podUsage(pod: Pod, now: number): Usage {
  const usage: Usage = { "count/pods": one };
  if (!isCharged(pod, now)) return usage;
  const spec = pod.spec ?? {};
  return { ...usage, ...computeUsage(podRequests(spec), podRequests(spec, "limits")) };
}

function serviceUsage({ spec }: Service): Usage {
  const ports = spec?.ports ?? [];
  const isBalanced = spec?.type === "LoadBalancer";
  const explicit = isBalanced && spec?.allocateLoadBalancerNodePorts === false;
  const counted = explicit ? ports.filter((port) => port.nodePort) : ports;
  const onNodes = isBalanced || spec?.type === "NodePort";
  return {
    "count/services": one,
    services: one,
    "services.loadbalancers": isBalanced ? one : zero,
    "services.nodeports": onNodes ? parseQuantity(String(counted.length)) : zero,
  };
}

const byClass = ".storageclass.storage.k8s.io/";
const betaClass = "volume.beta.kubernetes.io/storage-class";

function claimUsage({ metadata, spec, status }: PersistentVolumeClaim): Usage {
  const usage: Usage = { "count/persistentvolumeclaims": one, persistentvolumeclaims: one };
  const storageClass = metadata?.annotations?.[betaClass] ?? spec?.storageClassName ?? "";
  if (storageClass) usage[`${storageClass}${byClass}persistentvolumeclaims`] = one;
  const requested = spec?.resources?.requests?.storage;
  if (requested === undefined) return usage;
  const allocated = parseQuantity(String(status?.allocatedResources?.storage ?? "0"));
  const asked = parseQuantity(String(requested));
  const storage = allocated.cmp(asked) > 0 ? allocated : asked;
  usage["requests.storage"] = storage;
  if (storageClass) usage[`${storageClass}${byClass}requests.storage`] = storage;
  return usage;
}

/** Objects that quotas counted before there was count/… for all. */
const shortNames = new Set(["configmaps", "resourcequotas", "replicationcontrollers", "secrets"]);

export const countName = (group: string, plural: string): string =>
  `count/${group === "" ? plural : `${plural}.${group}`}`;

export function usageOf(group: string, plural: string, object: KubeObject, now: number): Usage {
  if (group !== "") return { [countName(group, plural)]: one };
  switch (plural) {
    case "pods":
      return podUsage(object as Pod, now);
    case "services":
      return serviceUsage(object as Service);
    case "persistentvolumeclaims":
      return claimUsage(object as PersistentVolumeClaim);
  }
  return { [countName("", plural)]: one, ...(shortNames.has(plural) ? { [plural]: one } : {}) };
}

const podNames = /^(cpu|memory|ephemeral-storage|pods|count\/pods|(requests\.)?hugepages-.*)$/;
const podSides = /^(requests|limits)\.(cpu|memory|ephemeral-storage)$/;
const claimNames = /^(count\/)?persistentvolumeclaims$|^requests\.storage$/;
const claimByClass =
  /\.storageclass\.storage\.k8s\.io\/(persistentvolumeclaims|requests\.storage)$/;
const serviceNames = /^((count\/)?services|services\.(loadbalancers|nodeports))$/;

/** Does this resource of a quota concern objects of the kind? */
export function concerns(name: string, group: string, plural: string): boolean {
  if (group !== "") return name === countName(group, plural);
  switch (plural) {
    case "pods": {
      if (podNames.test(name) || podSides.test(name)) return true;
      return name.startsWith("requests.") && isExtendedResource(name.slice("requests.".length));
    }
    case "services":
      return serviceNames.test(name);
    case "persistentvolumeclaims":
      return claimNames.test(name) || claimByClass.test(name);
  }
  return name === countName("", plural) || (name === plural && shortNames.has(plural));
}

/** A quota on these makes every container say what it needs; others do not (upstream regrets it). */
const mustBeSaid = /^((requests\.|limits\.)?(cpu|memory))$/;

/** What the pod's containers leave out though the quota is about it, as text. */
export function missingResources({ spec }: Pod, hard: readonly string[]): string | undefined {
  const own = spec?.resources;
  if (Object.keys({ ...own?.requests, ...own?.limits }).length > 0) return undefined;
  const required = hard.filter((name) => mustBeSaid.test(name)).sort();
  const containers: Container[] = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const lacks = (container: Container, name: string) => {
    const { requests, limits } = container.resources ?? {};
    const said = computeUsage((requests ?? {}) as ResourceList, (limits ?? {}) as ResourceList);
    return said[name] === undefined;
  };
  const missing = required.flatMap((name) => {
    const names = containers.filter((c) => lacks(c, name)).map((c) => c.name ?? "");
    return names.length === 0 ? [] : [`${name} for: ${[...new Set(names)].sort().join(",")}`];
  });
  return missing.length === 0 ? undefined : `must specify ${missing.join("; ")}`;
}
