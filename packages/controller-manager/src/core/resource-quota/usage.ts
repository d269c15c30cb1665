/**
 * What objects count against a quota: pods by what they request, claims by their size, others by
 * their number.
 *
 * Source  pkg/quota/v1/evaluator/core: pods.go, persistent_volume_claims.go, services.go; apiserver
 *         quota/v1 resources.go
 */
import type {
  Container,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Service,
} from "@nanokube/api/core/v1";
import { parseQuantity, type Quantity } from "@nanokube/machinery";
import { isPodTerminal } from "../pod.ts";
import { parseTime } from "../time.ts";

export type Usage = Record<string, Quantity>;

const zero = () => parseQuantity("0");
const one = () => parseQuantity("1");

export function add(total: Usage, more: Usage): Usage {
  const sum = { ...total };
  for (const [name, amount] of Object.entries(more)) {
    sum[name] = (sum[name] ?? zero()).add(amount);
  }
  return sum;
}

type Lists = "requests" | "limits";

/**
 * The largest that runs at one time: all containers with their sidecars, or an init container with
 * the sidecars before it.
 */
function podResources(pod: Pod, which: Lists): Usage {
  const of = (container: Container): Usage =>
    Object.fromEntries(
      Object.entries(container.resources?.[which] ?? {}).map(([name, text]) => [
        name,
        parseQuantity(text),
      ]),
    );
  let sidecars: Usage = {};
  let starting: Usage = {};
  for (const container of pod.spec?.initContainers ?? []) {
    const isSidecar = container.restartPolicy === "Always";
    if (isSidecar) sidecars = add(sidecars, of(container));
    starting = larger(starting, isSidecar ? sidecars : add(sidecars, of(container)));
  }
  const running = (pod.spec?.containers ?? []).map(of).reduce(add, sidecars);
  const overhead = Object.fromEntries(
    Object.entries(pod.spec?.overhead ?? {}).map(([name, text]) => [name, parseQuantity(text)]),
  );
  const most = larger(running, starting);
  // What has no limit gets none by overhead.
  const counted = Object.entries(overhead).filter(([name]) => which === "requests" || name in most);
  return add(most, Object.fromEntries(counted));
}

function larger(a: Usage, b: Usage): Usage {
  const most = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    if (most[name] === undefined || amount.cmp(most[name]) > 0) most[name] = amount;
  }
  return most;
}

const prefixed = /^(hugepages-|[a-z0-9.-]+\/)/;

export function podUsage(pod: Pod, nowMs: number): Usage {
  const usage: Usage = { "count/pods": one() };
  if (!countsAsRunning(pod, nowMs)) return usage;
  usage.pods = one();
  for (const [name, amount] of Object.entries(podResources(pod, "requests"))) {
    usage[`requests.${name}`] = amount;
    if (!prefixed.test(name)) usage[name] = amount;
    else if (name.startsWith("hugepages-")) usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(podResources(pod, "limits"))) {
    if (!name.includes("/")) usage[`limits.${name}`] = amount;
  }
  return usage;
}

/** One that has ended, or should long be gone, holds nothing. */
function countsAsRunning(pod: Pod, nowMs: number): boolean {
  if (isPodTerminal(pod)) return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata ?? {};
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return nowMs <= parseTime(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

export function claimUsage(claim: PersistentVolumeClaim): Usage {
  const storage = parseQuantity(claim.spec?.resources?.requests?.storage ?? "0");
  const usage: Usage = {
    persistentvolumeclaims: one(),
    "count/persistentvolumeclaims": one(),
    "requests.storage": storage,
  };
  const storageClass = claim.spec?.storageClassName;
  if (storageClass) {
    const suffix = `${storageClass}.storageclass.storage.k8s.io`;
    usage[`${suffix}/requests.storage`] = storage;
    usage[`${suffix}/persistentvolumeclaims`] = one();
  }
  return usage;
}

export function serviceUsage(service: Service): Usage {
  const { type = "ClusterIP", ports = [], allocateLoadBalancerNodePorts } = service.spec ?? {};
  const balanced = type === "LoadBalancer";
  const onNodes = type === "NodePort" || balanced;
  const nodePorts =
    balanced && allocateLoadBalancerNodePorts === false
      ? ports.filter(({ nodePort }) => Boolean(nodePort)).length
      : ports.length;
  return {
    services: one(),
    "count/services": one(),
    "services.nodeports": onNodes ? parseQuantity(String(nodePorts)) : zero(),
    "services.loadbalancers": balanced ? one() : zero(),
  };
}

/** Do a quota's scopes speak of this pod? Without scopes they speak of everything. */
export function inScope(quota: ResourceQuota, pod: Pod): boolean {
  const { scopes = [], scopeSelector } = quota.spec ?? {};
  const terminating = pod.spec?.activeDeadlineSeconds !== undefined;
  const bestEffort = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].every(
    ({ resources }) =>
      Object.keys(resources?.requests ?? {}).length +
        Object.keys(resources?.limits ?? {}).length ===
      0,
  );
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const crossing = [podAffinity, podAntiAffinity].some((affinity) =>
    [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(
        ({ podAffinityTerm }) => podAffinityTerm ?? [],
      ),
    ].some(
      ({ namespaces, namespaceSelector }) =>
        Boolean(namespaces?.length) || namespaceSelector !== undefined,
    ),
  );
  const holds = (scope: string, operator = "Exists", values: readonly string[] = []): boolean => {
    const priority = pod.spec?.priorityClassName ?? "";
    switch (scope) {
      case "Terminating":
        return terminating;
      case "NotTerminating":
        return !terminating;
      case "BestEffort":
        return bestEffort;
      case "NotBestEffort":
        return !bestEffort;
      case "CrossNamespacePodAffinity":
        return crossing;
      case "PriorityClass":
        if (operator === "In") return values.includes(priority);
        if (operator === "NotIn") return !values.includes(priority);
        return (priority !== "") === (operator === "Exists");
      default:
        return false;
    }
  };
  return (
    scopes.every((scope) => holds(scope)) &&
    (scopeSelector?.matchExpressions ?? []).every(({ scopeName = "", operator, values }) =>
      holds(scopeName, operator, values),
    )
  );
}
