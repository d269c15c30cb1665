/**
 * Fields behind a feature gate that is off by default: dropped, unless the object had them already.
 *
 * Source  pkg/features/kube_features.go (defaults of 1.36); dropDisabledFields of every strategy
 */
import { jsonFields } from "@nanokube/api";
import { isPlainObject, type KubeObject } from "@nanokube/machinery";

/** Of the gates that guard a field of the table, those that are off. */
const off: ReadonlySet<string> = new Set([
  "ClusterTrustBundleProjection",
  "ContainerStopSignals",
  "CoordinatedLeaderElection",
  "DRAListTypeAttributes",
  "DRANodeAllocatableResources",
  "GenericWorkload",
  "ImageVolumeWithDigest",
  "MaxUnavailableStatefulSet",
  "PodCertificateProjection",
  "VolumeLimitScaling",
]);

/** Fields that the table does not know to be guarded, by their type. */
const untold: Readonly<Record<string, readonly string[]>> = {
  "io.k8s.api.core.v1.Lifecycle": ["stopSignal"],
};

type Step = { name: string; inner: Plan } | { name: string; inner: "drop" };
/** Where in a type's objects such fields may be. */
type Plan = readonly Step[];

const plans = new Map<string, Plan>();

function planOf(typeName: string): Plan {
  let plan = plans.get(typeName);
  if (plan === undefined) {
    plans.set(typeName, []); // A type within itself has nothing more to say.
    plan = buildPlan(typeName);
    plans.set(typeName, plan);
  }
  return plan;
}

function buildPlan(typeName: string): Plan {
  const steps: Step[] = [];
  for (const [name, field] of Object.entries(jsonFields(typeName) ?? {})) {
    if (field.gates?.some((gate) => off.has(gate)) || untold[typeName]?.includes(name)) {
      steps.push({ name, inner: "drop" });
      continue;
    }
    const type = field.type.replace(/^(\[\]|map )+/, "");
    if (!type.startsWith("ref ") || name === "metadata") continue;
    const inner = planOf(type.slice("ref ".length));
    if (inner.length > 0) steps.push({ name, inner });
  }
  return steps;
}

export function dropDisabledFields(typeName: string, object: KubeObject, old?: KubeObject): void {
  const plan = planOf(typeName);
  if (plan.length > 0) drop(plan, object, old === undefined ? [] : [old]);
}

const itemsOf = (value: unknown): unknown[] =>
  Array.isArray(value) ? (value as unknown[]) : [value];

/** `olds`: everything that stood in this place before, whatever its index. */
function drop(plan: Plan, value: unknown, olds: readonly unknown[]): void {
  if (!isPlainObject(value)) return;
  for (const { name, inner } of plan) {
    if (value[name] === undefined) continue;
    const before = olds.flatMap((old) => (isPlainObject(old) ? itemsOf(old[name]) : []));
    if (inner === "drop") {
      if (before.every((each) => each === undefined)) delete value[name];
      continue;
    }
    for (const item of itemsOf(value[name])) drop(inner, item, before);
  }
}
