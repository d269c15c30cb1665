/**
 * Node IPAM: every node gets a range of pod addresses out of the cluster's, the lowest that is
 * free.
 *
 * One key for all nodes: two ranges are never chosen on the same view.
 *
 * Source  pkg/controller/nodeipam/ipam/range_allocator.go
 */
import type { Node } from "@nanokube/api/core/v1";
import { isReason, nodes } from "@nanokube/client";
import { type Context, type Controller, watch } from "../controller.ts";
import { attempt, note, type Steps } from "../steps.ts";

export interface NodeIPAMOptions {
  /** IPv4: "10.244.0.0/16". */
  clusterCIDR: string;
  nodeCIDRMaskSize: number;
}

export function createNodeIPAMController(options: NodeIPAMOptions): Controller {
  const range = parseRange(options);
  return {
    name: "node-ipam-controller",
    component: "cidrAllocator",
    workers: 1,
    watches: [watch(nodes, () => ["all"])],
    reconcile: (_, context) => reconcileNodeIPAM(context, range),
  };
}

interface Range {
  base: number;
  /** Of a node. */
  mask: number;
  count: number;
}

function parseRange({ clusterCIDR, nodeCIDRMaskSize }: NodeIPAMOptions): Range {
  const match = /^([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)\/([0-9]+)$/.exec(clusterCIDR);
  if (match === null) throw new Error(`invalid CIDR address: ${clusterCIDR}`);
  const bytes = match.slice(1, 5).map(Number);
  const bits = Number(match[5]);
  if (bytes.some((byte) => byte > 255) || bits > 32) {
    throw new Error(`invalid CIDR address: ${clusterCIDR}`);
  }
  if (nodeCIDRMaskSize < bits || nodeCIDRMaskSize > 32) {
    throw new Error(
      `Controller: Invalid --cluster-cidr, mask size of cluster CIDR must be less than or equal to --node-cidr-mask-size configured for CIDR family`,
    );
  }
  const address = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const size = 2 ** (32 - bits);
  return {
    base: address - (address % size),
    mask: nodeCIDRMaskSize,
    count: 2 ** (nodeCIDRMaskSize - bits),
  };
}

function formatCIDR({ base, mask }: Range, index: number): string {
  const address = base + index * 2 ** (32 - mask);
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
  return `${bytes.join(".")}/${mask}`;
}

export function* reconcileNodeIPAM({ caches }: Context, range: Range): Steps<undefined> {
  const all = caches.of(nodes).list();
  const used = new Set(all.flatMap((node) => node.spec?.podCIDRs ?? node.spec?.podCIDR ?? []));
  const byAge = (a: Node, b: Node) =>
    (a.metadata?.creationTimestamp ?? "") < (b.metadata?.creationTimestamp ?? "") ? -1 : 1;
  let next = 0;
  for (const node of all.filter(({ spec }) => !spec?.podCIDR).sort(byAge)) {
    while (next < range.count && used.has(formatCIDR(range, next))) next++;
    if (next >= range.count) {
      const name = node.metadata?.name;
      yield* note(
        node,
        "Normal",
        "CIDRNotAvailable",
        `Node ${name} status is now: CIDRNotAvailable`,
      );
      continue;
    }
    const podCIDR = formatCIDR(range, next++);
    const { error } = yield* attempt({
      do: "patch",
      resource: nodes,
      namespace: "",
      name: node.metadata?.name ?? "",
      type: "strategic",
      patch: { spec: { podCIDR, podCIDRs: [podCIDR] } },
    });
    if (error !== undefined && !isReason(error, "NotFound")) throw error;
  }
  return undefined;
}
