/**
 * Priority: a pod's class becomes its number.
 *
 * Source  plugin/pkg/admission/priority/admission.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import type { PriorityClass } from "@nanokube/api/scheduling/v1";
import type { ObjectReader } from "../object-reader.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";

const group = "scheduling.k8s.io";

async function defaultClass(reader: ObjectReader): Promise<PriorityClass | undefined> {
  const classes = (await reader.list(group, "priorityclasses")) as readonly PriorityClass[];
  return classes
    .filter((one) => one.globalDefault)
    .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
}

async function classOf(
  attributes: AdmissionAttributes,
  reader: ObjectReader,
  name: string | undefined,
): Promise<PriorityClass> {
  if (!name)
    return (await defaultClass(reader)) ?? { value: 0, preemptionPolicy: "PreemptLowerPriority" };
  const found = await reader.get(group, "priorityclasses", "", name);
  if (found === undefined) throw refuse(attributes, `no PriorityClass with name ${name} was found`);
  return found as PriorityClass;
}

async function admitPod(attributes: AdmissionAttributes, reader: ObjectReader): Promise<void> {
  const pod = attributes.object as Pod;
  pod.spec ??= {};
  const { spec } = pod;
  if (attributes.operation === "UPDATE") {
    const old = (attributes.oldObject as Pod | undefined)?.spec;
    spec.priority ??= old?.priority;
    spec.preemptionPolicy ??= old?.preemptionPolicy;
    return;
  }
  const found = await classOf(attributes, reader, spec.priorityClassName);
  const { value = 0, preemptionPolicy } = found;
  if (found.metadata?.name) spec.priorityClassName = found.metadata.name;
  if (spec.priority !== undefined && spec.priority !== value) {
    const why =
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; ` +
      `priority admission controller computed ${value} from the given PriorityClass name`;
    throw refuse(attributes, why);
  }
  spec.priority = value;
  if (preemptionPolicy === undefined) return;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    const why =
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in ` +
      `pod spec; priority admission controller computed ${preemptionPolicy} from the given ` +
      "PriorityClass name";
    throw refuse(attributes, why);
  }
  spec.preemptionPolicy = preemptionPolicy;
}

export const priority: AdmissionPlugin = {
  name: "Priority",
  handles: (attributes) =>
    ["CREATE", "UPDATE"].includes(attributes.operation) &&
    (isFor(attributes, "", "pods") || isFor(attributes, group, "priorityclasses")),
  async admit(attributes, reader) {
    if (isFor(attributes, "", "pods")) await admitPod(attributes, reader);
  },
  async validate(attributes, reader) {
    if (!isFor(attributes, group, "priorityclasses")) return;
    const own = attributes.object as PriorityClass;
    if (!own.globalDefault) return;
    const known = await defaultClass(reader);
    if (known === undefined) return;
    const name = known.metadata?.name;
    if (attributes.operation === "UPDATE" && name === own.metadata?.name) return;
    const why = `PriorityClass ${name} is already marked as default. Only one default can exist`;
    throw refuse(attributes, why);
  },
};
