/**
 * NodeDeclaredFeatureValidator: a change of a running pod that only some kubelets can make is
 * refused where the node does not say that its kubelet can.
 *
 * Source  plugin/pkg/admission/nodedeclaredfeatures/admission.go;
 *         component-helpers nodedeclaredfeatures/features/inplacepodresize
 */
import type { Container, Node, Pod } from "@nanokube/api/core/v1";
import { deepEqual } from "@nanokube/machinery";
import { semanticEqual } from "../../resources/semantic-equal.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";

export const nodeDeclaredFeatures: AdmissionPlugin = {
  name: "NodeDeclaredFeatureValidator",
  handles: (attributes) =>
    attributes.operation === "UPDATE" &&
    (isFor(attributes, "", "pods") || isFor(attributes, "", "pods", "resize")),
  async validate(attributes, reader) {
    const pod = attributes.object as Pod;
    const old = attributes.oldObject as Pod;
    const nodeName = pod.spec?.nodeName ?? "";
    if (nodeName === "" || old.metadata?.generation === pod.metadata?.generation) return;
    const needed = neededFor(old, pod);
    if (needed.length === 0) return;
    const quoted = JSON.stringify(nodeName);
    const node = (await reader.get("", "nodes", "", nodeName)) as Node | undefined;
    if (node === undefined) throw refuse(attributes, `node ${quoted} not found`);
    const declared = node.status?.declaredFeatures ?? [];
    const absent = needed.filter((feature) => !declared.includes(feature));
    if (absent.length === 0) return;
    const what = `pod update requires features ${absent.join(", ")}`;
    throw refuse(attributes, `${what} which are not available on node ${quoted}`);
  },
};

/** By name, as the nodes list them. */
function neededFor(old: Pod, pod: Pod): string[] {
  const needed: string[] = [];
  if (!semanticEqual(old.spec?.resources, pod.spec?.resources)) {
    needed.push("InPlacePodLevelResourcesVerticalScaling");
  }
  const resized = (old.spec?.initContainers ?? []).some((container, i) => {
    const now: Container | undefined = pod.spec?.initContainers?.[i];
    return container.restartPolicy !== "Always" && !deepEqual(container.resources, now?.resources);
  });
  if (resized) needed.push("InPlacePodVerticalScalingInitContainers");
  return needed;
}
