/**
 * APIServices of others: which server answers for a group and version, and where it is.
 *
 * Shapes  spec.service { namespace, name, port = 443 }; without it the group is served here
 * Source  kube-aggregator pkg/apiserver/{apiserver,handler_proxy}.go,
 *         apiserver pkg/util/proxy/proxy.go (ResolveCluster, ResolveEndpoint)
 */
import type { KubeObject } from "@nanokube/machinery";

export interface RemoteService {
  /** Of the APIService: "v1alpha1.wardle.example.com". */
  name: string;
  group: string;
  version: string;
  namespace: string;
  service: string;
  port: number;
  /** Base64 of a PEM bundle; absent, the system's authorities. */
  caBundle: string | undefined;
  insecure: boolean;
  groupPriority: number;
  versionPriority: number;
  isAvailable: boolean;
}

interface APIServiceShape {
  metadata?: { name?: string };
  spec?: {
    group?: string;
    version?: string;
    service?: { namespace?: string; name?: string; port?: number };
    caBundle?: string;
    insecureSkipTLSVerify?: boolean;
    groupPriorityMinimum?: number;
    versionPriority?: number;
  };
  status?: { conditions?: { type?: string; status?: string }[] };
}

/** Undefined for what this server serves itself. */
export function remoteService(object: KubeObject): RemoteService | undefined {
  const { metadata, spec = {}, status } = object as APIServiceShape;
  if (spec.service === undefined || spec.service === null) return undefined;
  const { namespace = "", name = "", port = 443 } = spec.service;
  const available = status?.conditions?.find(({ type }) => type === "Available");
  return {
    name: metadata?.name ?? "",
    group: spec.group ?? "",
    version: spec.version ?? "",
    namespace,
    service: name,
    port,
    caBundle: spec.caBundle || undefined,
    insecure: spec.insecureSkipTLSVerify ?? false,
    groupPriority: spec.groupPriorityMinimum ?? 0,
    versionPriority: spec.versionPriority ?? 0,
    isAvailable: available?.status === "True",
  };
}

export interface ServiceShape {
  spec?: {
    type?: string;
    clusterIP?: string;
    externalName?: string;
    ports?: { name?: string; port?: number }[];
  };
}

export interface SliceShape {
  metadata?: { labels?: Record<string, string> };
  endpoints?: { addresses?: string[]; conditions?: { ready?: boolean } }[];
  ports?: { name?: string; port?: number }[];
}

export type Resolved = { host: string; port: number } | { problem: string };

/** Where to connect: the Service's address, or with `toEndpoints` one behind it. */
export function resolveService(
  remote: Pick<RemoteService, "service" | "port">,
  service: ServiceShape | undefined,
  slices: readonly SliceShape[],
  toEndpoints: boolean,
): Resolved {
  const { spec } = service ?? {};
  if (spec === undefined) return { problem: `service ${JSON.stringify(remote.service)} not found` };
  if (spec.type === "ExternalName") {
    if (toEndpoints) return { problem: 'unsupported service type "ExternalName"' };
    return { host: spec.externalName ?? "", port: remote.port };
  }
  const port = spec.ports?.find((one) => one.port === remote.port);
  if (port === undefined) {
    const text = `no service port ${remote.port} found for service ${JSON.stringify(remote.service)}`;
    return { problem: text };
  }
  if (!toEndpoints) return { host: spec.clusterIP ?? "", port: remote.port };
  const found = readyEndpoint(slices, port.name ?? "");
  if (found !== undefined) return found;
  return { problem: `no endpoints available for service ${JSON.stringify(remote.service)}` };
}

/** The first ready endpoint of a port. */
export function readyEndpoint(
  slices: readonly SliceShape[],
  portName: string,
): { host: string; port: number } | undefined {
  for (const slice of slices) {
    const port = slice.ports?.find(({ name = "" }) => name === portName)?.port;
    const ready = slice.endpoints?.find(({ conditions }) => conditions?.ready !== false);
    const host = ready?.addresses?.[0];
    if (port !== undefined && host !== undefined) return { host, port };
  }
  return undefined;
}
