/**
 * DefaultIngressClass and RuntimeClass: what a class says goes into the object.
 *
 * Source  plugin/pkg/admission/{network/defaultingressclass,runtimeclass}/admission.go
 */
import type { Pod, Toleration } from "@nanokube/api/core/v1";
import type { Ingress, IngressClass } from "@nanokube/api/networking/v1";
import type { RuntimeClass } from "@nanokube/api/node/v1";
import { semanticEqual } from "../../resources/semantic-equal.ts";
import type { ObjectReader } from "../object-reader.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";
import { newestDefault } from "./storage.ts";

const networking = "networking.k8s.io";

export const defaultIngressClass: AdmissionPlugin = {
  name: "DefaultIngressClass",
  handles: (attributes) =>
    attributes.operation === "CREATE" && isFor(attributes, networking, "ingresses"),
  async admit({ object }, reader) {
    const ingress = object as Ingress;
    const annotated = ingress.metadata?.annotations?.["kubernetes.io/ingress.class"] !== undefined;
    if (ingress.spec?.ingressClassName !== undefined || annotated) return;
    const classes = (await reader.list(networking, "ingressclasses")) as readonly IngressClass[];
    const key = "ingressclass.kubernetes.io/is-default-class";
    const chosen = newestDefault(classes, [key])?.metadata?.name;
    if (chosen !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: chosen };
  },
};

async function classOf(attributes: AdmissionAttributes, reader: ObjectReader) {
  const name = (attributes.object as Pod).spec?.runtimeClassName;
  if (!name) return undefined;
  const found = await reader.get("node.k8s.io", "runtimeclasses", "", name);
  if (found !== undefined) return found as RuntimeClass;
  throw refuse(attributes, `pod rejected: RuntimeClass "${name}" not found`);
}

function addScheduling(
  attributes: AdmissionAttributes,
  pod: Pod,
  runtimeClass: RuntimeClass,
): void {
  const { nodeSelector, tolerations } = runtimeClass.scheduling ?? {};
  pod.spec ??= {};
  const own = pod.spec.nodeSelector ?? {};
  for (const [key, value] of Object.entries(nodeSelector ?? {})) {
    if (own[key] === undefined || own[key] === value) continue;
    const why = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own[key]}`;
    throw refuse(attributes, why);
  }
  if (nodeSelector !== undefined) pod.spec.nodeSelector = { ...own, ...nodeSelector };
  const given: Toleration[] = pod.spec.tolerations ?? [];
  const added = (tolerations ?? []).filter(
    (one) => !given.some((mine) => semanticEqual(mine, one)),
  );
  if (added.length > 0) pod.spec.tolerations = [...given, ...added];
}

export const runtimeClass: AdmissionPlugin = {
  name: "RuntimeClass",
  handles: (attributes) => attributes.operation === "CREATE" && isFor(attributes, "", "pods"),
  async admit(attributes, reader) {
    const pod = attributes.object as Pod;
    const found = await classOf(attributes, reader);
    const fixed = found?.overhead?.podFixed;
    if (found === undefined) return;
    if (fixed !== undefined) {
      if (pod.spec?.overhead !== undefined && !semanticEqual(pod.spec.overhead, fixed)) {
        const why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
        throw refuse(attributes, why);
      }
      pod.spec = { ...pod.spec, overhead: { ...fixed } };
    }
    addScheduling(attributes, pod, found);
  },
  async validate(attributes, reader) {
    const pod = attributes.object as Pod;
    const found = await classOf(attributes, reader);
    if (pod.spec?.overhead === undefined || found?.overhead?.podFixed !== undefined) return;
    const why =
      "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";
    throw refuse(attributes, why);
  },
};
