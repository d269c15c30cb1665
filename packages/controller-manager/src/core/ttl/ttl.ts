/**
 * Tells every kubelet how long it may keep Secrets and ConfigMaps: longer in a larger cluster.
 *
 * Source  pkg/controller/ttl/ttl_controller.go
 */
import { nodes } from "@nanokube/client";
import { type Context, type Controller, watchOwn } from "../controller.ts";
import { mergePatch, type Steps } from "../steps.ts";

const annotation = "node.alpha.kubernetes.io/ttl";
/** The steps overlap, so that a node more or less does not move them all. */
const steps = [
  { min: 0, max: 100, seconds: 0 },
  { min: 90, max: 500, seconds: 15 },
  { min: 450, max: 1000, seconds: 30 },
  { min: 900, max: 2000, seconds: 60 },
  { min: 1800, max: Number.POSITIVE_INFINITY, seconds: 300 },
];

export function createTTLController(): Controller {
  let at = 0;
  return {
    name: "ttl-controller",
    watches: [watchOwn(nodes)],
    *reconcile(key, { caches }: Context): Steps<undefined> {
      const count = caches.of(nodes).list().length;
      while (count > steps[at]!.max) at += 1;
      while (count < steps[at]!.min) at -= 1;
      const node = caches.of(nodes).getByKey(key);
      const wanted = String(steps[at]!.seconds);
      if (node === undefined || node.metadata?.annotations?.[annotation] === wanted) return;
      yield* mergePatch(nodes, node, { metadata: { annotations: { [annotation]: wanted } } });
    },
  };
}
