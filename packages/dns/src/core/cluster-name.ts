/**
 * What a name under the cluster's domain asks for.
 *
 *   svc|pod                                nothing: it exists, and has no records
 *   NS.svc|pod                             a namespace
 *   SERVICE.NS.svc                         a Service
 *   A-B-C-D.NS.pod                         a pod by its address
 *   ENDPOINT.SERVICE.NS.svc                one endpoint, by hostname or dashed address
 *   _PORT._PROTOCOL.SERVICE.NS.svc         a named port
 *
 * Shapes  labels  relative to the zone, lower case, left to right as written
 * Source  CoreDNS plugin/kubernetes/parse.go parseRequest; github.com/kubernetes/dns specification
 *         1.1.0
 */

export interface ClusterName {
  kind: "svc" | "pod";
  namespace: string;
  /** Service, or a pod's dashed address. */
  name: string;
  endpoint: string;
  port: string;
  protocol: string;
}

/**
 * "apex" is the zone itself, or svc and pod right under it; undefined is no name of this schema.
 */
export function parseClusterName(labels: readonly string[]): ClusterName | "apex" | undefined {
  const [kind, namespace = "", name = "", ...rest] = [...labels].reverse();
  if (kind === undefined) return "apex";
  if (kind !== "svc" && kind !== "pod") return undefined;
  if (labels.length === 1) return "apex";
  const base = { kind, namespace, name, endpoint: "", port: "", protocol: "" } as const;
  const [first, second] = rest;
  if (rest.length === 0) return base;
  if (rest.length === 1) return { ...base, endpoint: first! };
  if (rest.length === 2) return { ...base, protocol: bare(first!), port: bare(second!) };
  return undefined;
}

const bare = (label: string): string => (label.startsWith("_") ? label.slice(1) : label);
