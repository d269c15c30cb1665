/**
 * HorizontalPodAutoscaler v1 ↔ v2. What v1 cannot say travels in annotations.
 *
 * Source  pkg/apis/autoscaling/v1/conversion.go, pkg/apis/autoscaling/annotations.go
 */
import { internalTree, type KubeObject, marshalGo } from "@nanokube/machinery";
import { metricToV1, metricToV2 } from "./metric-spec.ts";

interface Metric {
  type?: string;
  resource?: {
    name?: string;
    target?: { type?: string; averageUtilization?: number };
    current?: { averageUtilization?: number; averageValue?: string };
  };
}

const annotations = {
  metrics: "autoscaling.alpha.kubernetes.io/metrics",
  currentMetrics: "autoscaling.alpha.kubernetes.io/current-metrics",
  conditions: "autoscaling.alpha.kubernetes.io/conditions",
  behavior: "autoscaling.alpha.kubernetes.io/behavior",
} as const;

const behaviorType = "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior";

/** The annotation holds upstream's internal type, whose members have no names in JSON. */
const behaviorText = (behavior: object): string => marshalGo(internalTree(behaviorType, behavior));

/** Go reads members whatever their case; null says nothing. */
function inSmallLetters(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSmallLetters);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(
    members.map(([name, member]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      inSmallLetters(member),
    ]),
  );
}

function isCPUUtilization({ type, resource }: Metric): boolean {
  return type === "Resource" && resource?.name === "cpu" && isUtilization(resource.target);
}

function isUtilization(target: { averageUtilization?: number } | undefined): boolean {
  return target?.averageUtilization !== undefined;
}

export function autoscalerToV1(object: KubeObject): KubeObject {
  const { metrics, behavior, ...spec } = (object.spec ?? {}) as Record<string, unknown>;
  const status = (object.status ?? {}) as Record<string, unknown>;
  const { currentMetrics, conditions, ...oldStatus } = status;
  const notes: Record<string, string> = { ...object.metadata?.annotations };
  const list = (metrics as Metric[] | undefined) ?? [];
  const cpu = list.find(isCPUUtilization);
  const others = list.filter((metric) => metric !== cpu);
  if (others.length > 0) {
    notes[annotations.metrics] = JSON.stringify(others.map((one) => metricToV1({ ...one })));
  }
  if (behavior !== undefined) notes[annotations.behavior] = behaviorText(behavior as object);
  if (conditions !== undefined) notes[annotations.conditions] = JSON.stringify(conditions);
  const current = (currentMetrics as Metric[] | undefined) ?? [];
  const currentCPU = current.find(
    (metric) => metric.type === "Resource" && metric.resource?.name === "cpu",
  );
  const otherCurrent = current.filter((metric) => metric !== currentCPU);
  if (otherCurrent.length > 0) notes[annotations.currentMetrics] = JSON.stringify(otherCurrent);
  const utilization = currentCPU?.resource?.current?.averageUtilization;
  return withAnnotations(object, "autoscaling/v1", notes, {
    spec: {
      ...spec,
      ...(cpu ? { targetCPUUtilizationPercentage: cpu.resource?.target?.averageUtilization } : {}),
    },
    status: {
      currentReplicas: 0,
      desiredReplicas: 0,
      ...oldStatus,
      ...(utilization === undefined ? {} : { currentCPUUtilizationPercentage: utilization }),
    },
  });
}

export function autoscalerToV2(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage, ...spec } = (object.spec ?? {}) as Record<
    string,
    unknown
  >;
  const { currentCPUUtilizationPercentage, ...status } = (object.status ?? {}) as Record<
    string,
    unknown
  >;
  const notes: Record<string, string> = { ...object.metadata?.annotations };
  const read = (name: keyof typeof annotations): unknown => {
    const text = notes[annotations[name]];
    delete notes[annotations[name]];
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  };
  const kept = (read("metrics") as Record<string, unknown>[] | undefined) ?? [];
  const metrics: unknown[] = kept.map(metricToV2);
  if (typeof targetCPUUtilizationPercentage === "number") {
    metrics.push(cpuMetric("target", { type: "Utilization" }, targetCPUUtilizationPercentage));
  }
  const current: unknown[] = [...((read("currentMetrics") as unknown[] | undefined) ?? [])];
  if (typeof currentCPUUtilizationPercentage === "number") {
    current.push(cpuMetric("current", {}, currentCPUUtilizationPercentage));
  }
  const behavior = inSmallLetters(read("behavior"));
  const conditions = read("conditions");
  return withAnnotations(object, "autoscaling/v2", notes, {
    spec: {
      ...spec,
      ...(metrics.length > 0 ? { metrics } : {}),
      ...(behavior === undefined ? {} : { behavior }),
    },
    status: {
      ...status,
      ...(current.length > 0 ? { currentMetrics: current } : {}),
      ...(conditions === undefined ? {} : { conditions }),
    },
  });
}

function cpuMetric(field: string, more: object, averageUtilization: number): object {
  return { type: "Resource", resource: { name: "cpu", [field]: { ...more, averageUtilization } } };
}

function withAnnotations(
  object: KubeObject,
  apiVersion: string,
  notes: Record<string, string>,
  parts: { spec: object; status: object },
): KubeObject {
  const metadata = { ...object.metadata };
  delete metadata.annotations;
  if (Object.keys(notes).length > 0) metadata.annotations = notes;
  return { ...object, apiVersion, metadata, ...parts };
}
