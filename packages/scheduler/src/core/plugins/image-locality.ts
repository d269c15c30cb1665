/**
 * Nodes that hold a pod's images already, in proportion to size and to how many nodes hold them.
 *
 * Units   bytes
 * Source  pkg/scheduler/framework/plugins/imagelocality
 */
import { type Cycle, type Plugin, scoreMax } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";

const bytesMin = 23 * 1024 * 1024;
const bytesMaxPerContainer = 1000 * 1024 * 1024;

/** `name` with the tag that is meant when none is written. */
function withTag(name: string): string {
  return name.lastIndexOf(":") <= name.lastIndexOf("/") ? `${name}:latest` : name;
}

/** How many nodes hold each image, counted once a cycle. */
function holders({ state, snapshot }: Cycle): Map<string, number> {
  const known = state.get("ImageLocality") as Map<string, number> | undefined;
  if (known !== undefined) return known;
  const counts = new Map<string, number>();
  for (const node of snapshot.nodes) {
    for (const image of node.images.keys()) counts.set(image, (counts.get(image) ?? 0) + 1);
  }
  state.set("ImageLocality", counts);
  return counts;
}

export const imageLocality: Plugin = {
  name: "ImageLocality",
  weight: 1,
  score(cycle: Cycle, node: NodeInfo) {
    const { pod, snapshot } = cycle;
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    const images = containers.map((container) => container.image ?? "");
    for (const volume of pod.spec?.volumes ?? []) {
      if (volume.image?.reference) images.push(volume.image.reference);
    }
    let sum = 0;
    for (const image of images) {
      const name = withTag(image);
      const held = node.images.get(name);
      if (held === undefined) continue;
      const spread = (holders(cycle).get(name) ?? 0) / snapshot.nodes.length;
      sum += Math.trunc(held.sizeBytes * spread);
    }
    const max = bytesMaxPerContainer * containers.length;
    const bounded = Math.min(Math.max(sum, bytesMin), max);
    return Math.trunc((scoreMax * (bounded - bytesMin)) / (max - bytesMin));
  },
};
