/**
 * PodNodeSelector, on request: pods of a namespace go to the nodes that the namespace says.
 *
 * Shapes  annotation scheduler.alpha.kubernetes.io/node-selector "a=b,c=d" of the namespace; the
 *         configuration's clusterDefaultNodeSelector where it has none, and by the namespace's name
 *         the labels that its pods may select by
 * Source  plugin/pkg/admission/podnodeselector/admission.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import { forbidden, internalError, notFound } from "@nanokube/machinery";
import type { ObjectReader } from "../object-reader.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor } from "./refuse.ts";

type Labels = Record<string, string>;

const annotation = "scheduler.alpha.kubernetes.io/node-selector";

export function createPodNodeSelector(configuration: unknown): AdmissionPlugin {
  const { podNodeSelectorPluginConfig: selectors = {} } = (configuration ?? {}) as {
    podNodeSelectorPluginConfig?: Labels;
  };
  const wantedIn = async (namespace: string, reader: ObjectReader): Promise<Labels> => {
    const found = await reader.get("", "namespaces", "", namespace);
    if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
    const own = found.metadata?.annotations?.[annotation];
    return labelsIn(own ?? selectors["clusterDefaultNodeSelector"] ?? "");
  };
  const check = (attributes: AdmissionAttributes, wanted: Labels): void => {
    const pod = attributes.object as Pod;
    const selector = pod.spec?.nodeSelector ?? {};
    const conflicts = Object.entries(wanted).some(
      ([key, value]) => selector[key] !== undefined && selector[key] !== value,
    );
    if (conflicts) {
      throw denied(pod, "pod node label selector conflicts with its namespace node label selector");
    }
    const allowed = Object.entries(labelsIn(selectors[attributes.namespace] ?? ""));
    const known = new Map(allowed);
    const isAllowed = Object.entries(selector).every(([key, value]) => known.get(key) === value);
    if (known.size > 0 && !isAllowed) {
      throw denied(pod, "pod node label selector labels conflict with its namespace whitelist");
    }
  };
  return {
    name: "PodNodeSelector",
    handles: (attributes) => attributes.operation === "CREATE" && isFor(attributes, "", "pods"),
    async admit(attributes, reader) {
      const wanted = await wantedIn(attributes.namespace, reader);
      check(attributes, wanted);
      const pod = attributes.object as Pod;
      const nodeSelector = { ...wanted, ...pod.spec?.nodeSelector };
      if (Object.keys(nodeSelector).length > 0) pod.spec = { ...pod.spec, nodeSelector };
      check(attributes, wanted);
    },
    async validate(attributes, reader) {
      check(attributes, await wantedIn(attributes.namespace, reader));
    },
  };
}

const denied = (pod: Pod, why: string) =>
  forbidden({ group: "", resource: "pods" }, pod.metadata?.name ?? "", why);

/** "a=b,c=d". */
function labelsIn(text: string): Labels {
  const labels: Labels = {};
  for (const part of text.split(",").filter((one) => one !== "")) {
    const [key, value, ...more] = part.split("=");
    if (value === undefined || more.length > 0) {
      throw internalError(new Error(`invalid selector: ${text}`));
    }
    labels[key!.trim()] = value.trim();
  }
  return labels;
}
