/**
 * PodTopologyLabels: a pod on a node has the zone and region of that node as labels; what binds a
 * pod brings them along.
 *
 * Source  plugin/pkg/admission/podtopologylabels/admission.go
 */
import type { Binding, Pod } from "@nanokube/api/core/v1";
import type { KubeObject } from "@nanokube/machinery";
import type { ObjectReader } from "../object-reader.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { isFor } from "./refuse.ts";

const copied = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

export const podTopologyLabels: AdmissionPlugin = {
  name: "PodTopologyLabels",
  handles: (attributes) =>
    attributes.operation === "CREATE" &&
    (isFor(attributes, "", "pods") || isFor(attributes, "", "pods", "binding")),
  async admit({ object, subresource }, reader) {
    const node =
      subresource === "binding" ? boundTo(object as Binding) : (object as Pod).spec?.nodeName;
    if (object === undefined || !node) return;
    const labels = await topologyOf(node, reader);
    if (Object.keys(labels).length === 0) return;
    object.metadata = { ...object.metadata, labels: { ...object.metadata?.labels, ...labels } };
  },
};

const boundTo = ({ target }: Binding): string | undefined =>
  target?.kind === "Node" ? target.name : undefined;

/** Of a node that nobody knows: none. */
async function topologyOf(node: string, reader: ObjectReader): Promise<Record<string, string>> {
  const found: KubeObject | undefined = await reader.get("", "nodes", "", node);
  const labels = found?.metadata?.labels ?? {};
  return Object.fromEntries(Object.entries(labels).filter(([key]) => copied.includes(key)));
}
