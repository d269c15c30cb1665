/**
 * Which addresses a cluster on this machine uses.
 *
 * Several clusters may run side by side, so everything that is visible outside the nodes' own
 * namespaces (bridge, node addresses, pod routes) is numbered by the cluster's slot. Services live
 * only inside the nodes and are the same everywhere.
 *
 * Shapes  slot    0 … 7, one for each cluster on the machine
 *         index   1 … 200, one for each node of a cluster
 */
export const slotsMax = 8;
export const nodesMax = 200;

export interface Network {
  slot: number;
  bridge: string;
  /** The machine's own address on the bridge; API server and DNS listen there. */
  gateway: string;
  nodeCIDR: string;
  podCIDR: string;
  serviceCIDR: string;
  clusterDNS: string;
  clusterDomain: string;
}

export interface NodePlan {
  name: string;
  index: number;
  address: string;
  /** The machine's end of the node's veth pair; at most 15 bytes, as the kernel asks. */
  link: string;
}

export function planNetwork(slot: number): Network {
  if (!Number.isInteger(slot) || slot < 0 || slot >= slotsMax) {
    throw new RangeError(`no free network slot: at most ${slotsMax} clusters run on one machine`);
  }
  return {
    slot,
    bridge: `nanokube${slot}`,
    gateway: `10.${90 + slot}.0.1`,
    nodeCIDR: `10.${90 + slot}.0.0/24`,
    podCIDR: `10.${200 + slot}.0.0/16`,
    serviceCIDR: "10.96.0.0/16",
    clusterDNS: "10.96.0.10",
    clusterDomain: "cluster.local",
  };
}

export function planNode(network: Network, index: number): NodePlan {
  if (!Number.isInteger(index) || index < 1 || index > nodesMax) {
    throw new RangeError(`nodes: ${index} is not between 1 and ${nodesMax}`);
  }
  return {
    name: `n${index}`,
    index,
    address: `10.${90 + network.slot}.0.${10 + index}`,
    link: `nk${network.slot}n${index}`,
  };
}
