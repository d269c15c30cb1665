/**
 * How a packet's origin is known to be a pod of this cluster: the match that says so, and its
 * opposite.
 *
 * Traffic to a service address that is not local is masqueraded, so that the answer comes back
 * through this node.
 *
 * Shapes  undefined  nothing is known: nothing is masqueraded on that ground
 * Errors  DetectLocalError names a mode without what it needs
 * Source  kubernetes pkg/proxy/util/localdetector.go, cmd/kube-proxy/app/server_linux.go
 *         getLocalDetectors
 */
import { type Family, parseCIDR } from "./address.ts";

export interface LocalDetector {
  ifLocal: string;
  ifNotLocal: string;
}

export type DetectLocalMode =
  | ""
  | "ClusterCIDR"
  | "NodeCIDR"
  | "BridgeInterface"
  | "InterfaceNamePrefix";

export interface DetectLocal {
  mode: DetectLocalMode;
  clusterCIDRs: readonly string[];
  /** The node's own pod CIDRs. */
  nodeCIDRs: readonly string[];
  bridgeInterface: string;
  interfaceNamePrefix: string;
}

export function localDetector(detect: DetectLocal, family: Family): LocalDetector | undefined {
  switch (detect.mode) {
    case "BridgeInterface":
      return byInterface(detect.bridgeInterface);
    case "InterfaceNamePrefix":
      return byInterface(`${detect.interfaceNamePrefix}+`);
    case "NodeCIDR":
      return byCIDR(detect.nodeCIDRs, family);
    default:
      return byCIDR(detect.clusterCIDRs, family);
  }
}

const byInterface = (name: string): LocalDetector | undefined =>
  name === "" || name === "+" ? undefined : { ifLocal: `-i ${name}`, ifNotLocal: `! -i ${name}` };

function byCIDR(cidrs: readonly string[], family: Family): LocalDetector | undefined {
  const cidr = cidrs.map(parseCIDR).find((c) => c?.family === family);
  if (cidr === undefined) return undefined;
  return { ifLocal: `-s ${cidr.text}`, ifNotLocal: `! -s ${cidr.text}` };
}
