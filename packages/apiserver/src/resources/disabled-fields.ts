/**
 * Fields behind a feature gate that is off: dropped, unless the object had them already.
 *
 * Source  pkg/features/kube_features.go (defaults of 1.36); dropDisabledFields of every strategy
 */
import { jsonFields } from "@nanokube/api";
import { isPlainObject, type KubeObject } from "@nanokube/machinery";
import type { FeatureGates } from "../core/feature-gates.ts";

/** Gates that guard fields and nothing else of what is written. */
const guarding: ReadonlySet<string> = new Set([
  "ClusterTrustBundleProjection",
  "ContainerStopSignals",
  "CoordinatedLeaderElection",
  "DRADeviceTaints",
  "DRAListTypeAttributes",
  "DRANodeAllocatableResources",
  "GenericWorkload",
  "HPAConfigurableTolerance",
  "HostnameOverride",
  "ImageVolumeWithDigest",
  "MaxUnavailableStatefulSet",
  "PodCertificateProjection",
  "VolumeLimitScaling",
]);

/** The table calls it by the field's name. */
const otherNames: Readonly<Record<string, string>> = {
  PodCertificateProjection: "PodCertificateRequest",
};

/** Fields that the table does not know to be guarded, by their type. */
const untold: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "io.k8s.api.core.v1.Lifecycle": { stopSignal: ["ContainerStopSignals"] },
};

type Step = { name: string; inner: Plan } | { name: string; inner: "drop" };
/** Where in a type's objects such fields may be. */
type Plan = readonly Step[];

export class DisabledFields {
  readonly #off: ReadonlySet<string>;
  readonly #plans = new Map<string, Plan>();

  constructor(gates: FeatureGates) {
    const off = [...guarding].filter((gate) => !gates.isOn(otherNames[gate] ?? gate));
    this.#off = new Set(off);
  }

  drop(typeName: string, object: KubeObject, old?: KubeObject): void {
    const plan = this.#planOf(typeName);
    if (plan.length > 0) drop(plan, object, old === undefined ? [] : [old]);
  }

  #planOf(typeName: string): Plan {
    let plan = this.#plans.get(typeName);
    if (plan === undefined) {
      this.#plans.set(typeName, []); // A type within itself has nothing more to say.
      plan = this.#buildPlan(typeName);
      this.#plans.set(typeName, plan);
    }
    return plan;
  }

  #buildPlan(typeName: string): Plan {
    const steps: Step[] = [];
    for (const [name, field] of Object.entries(jsonFields(typeName) ?? {})) {
      if (this.#isOff(typeName, name, field.gates)) {
        steps.push({ name, inner: "drop" });
        continue;
      }
      const type = field.type.replace(/^(\[\]|map )+/, "");
      if (!type.startsWith("ref ") || name === "metadata") continue;
      const inner = this.#planOf(type.slice("ref ".length));
      if (inner.length > 0) steps.push({ name, inner });
    }
    return steps;
  }

  #isOff(typeName: string, name: string, gates: readonly string[] = []): boolean {
    const untoldGates = untold[typeName]?.[name] ?? [];
    return [...gates, ...untoldGates].some((gate) => this.#off.has(gate));
  }
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
