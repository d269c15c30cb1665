/**
 * From a name to what stands behind it, whatever type was asked for.
 *
 * Shapes  Host      an address with its port (-1: none named) and the name an SRV record gives it;
 *                   or an alias to elsewhere
 *         Finding   "nodata": the name exists and has nothing; "nxdomain": no such name
 * Source  CoreDNS plugin/kubernetes/kubernetes.go findServices, findPods
 */
import { undashed } from "./address.ts";
import { type ClusterName, parseClusterName } from "./cluster-name.ts";
import type { ClusterView, PortView, ServiceView } from "./view.ts";

export interface Host {
  address: string;
  port: number;
  /** Without the zone: "web-0.web.shop.svc". */
  target: string;
}

export type Finding = { hosts: Host[] } | { alias: string } | "nodata" | "nxdomain";

export function find(labels: readonly string[], view: ClusterView): Finding {
  const name = parseClusterName(labels);
  if (name === "apex") return "nodata";
  if (name === undefined || !view.hasNamespace(name.namespace)) return "nxdomain";
  if (name.name === "") return "nodata";
  return name.kind === "pod" ? findPod(name) : findService(name, view);
}

/** As "pods insecure": any address in an existing namespace, no pod need have it. */
function findPod({ name, namespace }: ClusterName): Finding {
  const address = undashed(name);
  if (address === undefined) return "nxdomain";
  return { hosts: [{ address, port: 0, target: `${name}.${namespace}.pod` }] };
}

function findService(name: ClusterName, view: ClusterView): Finding {
  const service = view.service(name.namespace, name.name);
  if (service === undefined) return "nxdomain";
  const isPlain = name.endpoint === "" && name.port === "" && name.protocol === "";
  if (service.externalName !== undefined) {
    return isPlain ? { alias: service.externalName.replace(/\.$/, "") } : "nxdomain";
  }
  const base = `${service.name}.${service.namespace}.svc`;
  const isWanted = (port: PortView) =>
    (name.port === "" || name.port === port.name) &&
    (name.protocol === "" || name.protocol === port.protocol);
  const hosts =
    service.headless || name.endpoint !== ""
      ? endpointHosts(name, service, view, isWanted)
      : service.ports
          .filter(isWanted)
          .flatMap(({ port }) =>
            service.clusterIPs.map((address) => ({ address, port, target: base })),
          );
  return hosts.length === 0 ? "nxdomain" : { hosts };
}

function endpointHosts(
  name: ClusterName,
  service: ServiceView,
  view: ClusterView,
  isWanted: (port: PortView) => boolean,
): Host[] {
  return view
    .backends(service)
    .filter(({ hostname }) => name.endpoint === "" || name.endpoint === hostname.toLowerCase())
    .flatMap(({ ip, hostname, ports }) =>
      ports.filter(isWanted).map(({ port }) => ({
        address: ip,
        port,
        target: `${hostname}.${service.name}.${service.namespace}.svc`,
      })),
    );
}
