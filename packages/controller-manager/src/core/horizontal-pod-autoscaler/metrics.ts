/**
 * Each metric of an autoscaler: asked of the metrics API, and what it proposes.
 *
 * Errors  custom and external metrics are refused by name, as a metric that cannot be had
 * Source  pkg/controller/podautoscaler/horizontal.go computeReplicasForMetric…, metrics/client.go
 */
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from "@nanokube/api/autoscaling/v2";
import type { Pod } from "@nanokube/api/core/v1";
import { type ApiObject, isNotFound, type ResourceRef } from "@nanokube/client";
import { milliQuantityOf, parseQuantity } from "@nanokube/machinery";
import { attempt, type Steps } from "../steps.ts";
import { type PodUsage, replicasWanted } from "./usage.ts";

interface PodMetrics extends ApiObject {
  timestamp?: string;
  window?: string;
  containers?: { name?: string; usage?: Record<string, string> }[];
}

const podMetrics: ResourceRef<PodMetrics> = {
  group: "metrics.k8s.io",
  version: "v1beta1",
  plural: "pods",
  namespaced: true,
  kind: "PodMetrics",
};

export interface Target {
  hpa: HorizontalPodAutoscaler;
  pods: readonly Pod[];
  selector: string;
  current: number;
  nowMs: number;
}

export type Proposal =
  | { replicas: number; metric: string; status: MetricStatus }
  | { error: string; reason: string };

/** Go's duration, seconds and below: the API writes "30s". */
function windowMs(text: string | undefined): number {
  const match = /^(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(text ?? "");
  return match === null ? 0 : (Number(match[1] ?? 0) * 60 + Number(match[2] ?? 0)) * 1000;
}

function* fetchUsage(
  { hpa, selector }: Target,
  resource: string,
  container: string,
): Steps<Map<string, PodUsage>> {
  const namespace = hpa.metadata?.namespace ?? "";
  const { items, error } = yield* attempt({
    do: "list",
    resource: podMetrics,
    namespace,
    labelSelector: selector,
  });
  if (error !== undefined) {
    const why = isNotFound(error)
      ? "the server could not find the requested resource (get pods.metrics.k8s.io)"
      : error.message;
    throw new Error(`unable to fetch metrics from resource metrics API: ${why}`);
  }
  if ((items ?? []).length === 0) {
    throw new Error("no metrics returned from resource metrics API");
  }
  const usage = new Map<string, PodUsage>();
  for (const item of (items ?? []) as PodMetrics[]) {
    const all = item.containers ?? [];
    const asked = container === "" ? all : all.filter(({ name }) => name === container);
    const values = asked.map((one) => one.usage?.[resource]);
    if (values.length === 0 || values.includes(undefined)) continue;
    usage.set(item.metadata?.name ?? "", {
      timeMs: Date.parse(item.timestamp ?? ""),
      windowMs: windowMs(item.window),
      value: values.reduce((sum, text) => sum + parseQuantity(text!).milliValue(), 0),
    });
  }
  return usage;
}

const quantity = (resource: string, milli: number): string =>
  milliQuantityOf(milli, resource === "memory" ? "BinarySI" : "DecimalSI").toString();

const tolerance = ({ hpa }: Target) => ({
  up: Number(hpa.spec?.behavior?.scaleUp?.tolerance ?? 0.1),
  down: Number(hpa.spec?.behavior?.scaleDown?.tolerance ?? 0.1),
});

function* fromResource(
  target: Target,
  source: { name: string; container: string; target: MetricTarget },
): Steps<{ replicas: number; metric: string; current: object }> {
  const { name, container } = source;
  const { averageValue, averageUtilization } = source.target;
  const raw = averageValue !== undefined;
  const what = raw ? "usage" : "utilization";
  if (!raw && averageUtilization === undefined) {
    throw new Error(
      "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set",
    );
  }
  try {
    let usage: Map<string, PodUsage>;
    try {
      usage = yield* fetchUsage(target, name, container);
    } catch (error) {
      throw new Error(`unable to get metrics for resource ${name}: ${(error as Error).message}`);
    }
    const { pods, current, nowMs } = target;
    const answer = replicasWanted({
      pods,
      usage,
      resource: name,
      container,
      current,
      target: raw
        ? { value: parseQuantity(averageValue).milliValue() }
        : { utilization: averageUtilization! },
      tolerance: tolerance(target),
      nowMs,
    });
    const kind = container === "" ? "" : "container ";
    return {
      replicas: answer.replicas,
      metric: raw
        ? `${name} resource`
        : `${name} ${kind}resource utilization (percentage of request)`,
      current: {
        averageValue: quantity(name, answer.average),
        ...(raw ? {} : { averageUtilization: answer.utilization }),
      },
    };
  } catch (error) {
    throw new Error(`failed to get ${name} ${what}: ${(error as Error).message}`);
  }
}

/** What the metric proposes, or why it says nothing. */
export function* propose(target: Target, spec: MetricSpec): Steps<Proposal> {
  const type = spec.type ?? "";
  try {
    if (type === "Resource") {
      const { name = "", target: wanted = {} } = spec.resource ?? {};
      const found = yield* fromResource(target, { name, container: "", target: wanted });
      const { replicas, metric, current } = found;
      return { replicas, metric, status: { type, resource: { name, current } } };
    }
    if (type === "ContainerResource") {
      const { name = "", container = "", target: wanted = {} } = spec.containerResource ?? {};
      const found = yield* fromResource(target, { name, container, target: wanted });
      const { replicas, metric, current } = found;
      return {
        replicas,
        metric,
        status: { type, containerResource: { name, container, current } },
      };
    }
    throw new Error(`metrics of type ${type} are not implemented by nanokube`);
  } catch (error) {
    return { error: (error as Error).message, reason: `FailedGet${type}Metric` };
  }
}

/** The metric's name in the error that the event tells. */
export function describeFailure(spec: MetricSpec, error: string): string {
  if (spec.type === "Resource") {
    return `failed to get ${spec.resource?.name} resource metric value: ${error}`;
  }
  if (spec.type === "ContainerResource") {
    return `failed to get ${spec.containerResource?.container} container metric value: ${error}`;
  }
  return `failed to get ${spec.type?.toLowerCase()} metric value: ${error}`;
}
