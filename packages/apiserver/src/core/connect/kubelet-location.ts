/**
 * Where a connect request goes: which kubelet or pod, and the path there.
 *
 * Shapes  pods/log  → GET /containerLogs/NS/POD/CONTAINER?…   pods/exec, attach →
 *                   /exec/NS/POD/CONTAINER
 *         pods/portforward → /portForward/NS/POD              nodes/proxy → /PATH on the kubelet
 * Errors  400 for a container that is not named or not there, 404, 500 for a node without address
 * Source  pkg/registry/core/pod/strategy.go (LogLocation, streamLocation),
 *         pkg/registry/core/node/strategy.go,
 *         pkg/kubelet/client/kubelet_client.go
 */
import type { Container, Node, Pod } from "@nanokube/api/core/v1";
import { badRequest, genericStatus, internalError, notFound } from "@nanokube/machinery";
import type { RestContext } from "../rest/context.ts";
import { checkProxyable } from "./proxyable.ts";

export interface Location {
  scheme: "https" | "http";
  host: string;
  port: number;
  /** With its query. */
  path: string;
}

const defaultKubeletPort = 10250;
const preferredAddresses = ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"];

/** Undefined: the pod is on no node yet, which `podLocation` answers for itself. */
export function kubeletOf(context: RestContext, nodeName: string): Omit<Location, "path"> {
  const nodes = context.server.lookup("", "v1", "nodes");
  const node = nodes?.cache.get(nodeName)?.shared() as Node | undefined;
  if (node === undefined) throw notFound({ group: "", resource: "nodes" }, nodeName);
  const addresses = node.status?.addresses ?? [];
  // Names need DNS between server and node; an address, when there is one, needs nothing.
  const order = ["InternalIP", ...preferredAddresses];
  const found = order
    .map((type) => addresses.find((address) => address.type === type)?.address)
    .find((address) => address !== undefined && address !== "");
  if (found === undefined) {
    const known = addresses.map(({ type = "", address = "" }) => `{${type} ${address}}`).join(" ");
    const why = `no preferred addresses found; known addresses: [${known}]`;
    throw genericStatus(500, "", why);
  }
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port || defaultKubeletPort;
  return { scheme: "https", host: found, port };
}

export function podOf(context: RestContext): Pod {
  const { info, resource } = context;
  const pod = resource.cache.get(`${info.namespace}/${info.name}`)?.shared();
  if (pod === undefined) throw notFound({ group: "", resource: "pods" }, info.name);
  return pod as Pod;
}

/** The container the caller means. */
export function containerOf(pod: Pod, asked: string): string {
  const { name = "" } = pod.metadata ?? {};
  const containers = pod.spec?.containers ?? [];
  const init = pod.spec?.initContainers ?? [];
  const ephemeral = pod.spec?.ephemeralContainers ?? [];
  const names = (list: readonly { name?: string }[]): string =>
    list.map((container) => container.name ?? "").join(" ");
  if (asked === "") {
    if (containers.length === 1) return containers[0]!.name ?? "";
    if (containers.length === 0)
      throw badRequest(`a container name must be specified for pod ${name}`);
    let text = `a container name must be specified for pod ${name}, choose one of: [${names(containers)}]`;
    if (init.length > 0) text += ` or one of the init containers: [${names(init)}]`;
    throw badRequest(text);
  }
  const all: readonly Pick<Container, "name">[] = [
    ...containers,
    ...init,
    ...(ephemeral as Pick<Container, "name">[]),
  ];
  if (!all.some((container) => container.name === asked)) {
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  return asked;
}

const kubeletPath: Readonly<Record<string, string>> = {
  exec: "exec",
  attach: "attach",
  portforward: "portForward",
};

/** Options that become the kubelet's, under its names. */
const streamParameters: Readonly<Record<string, string>> = {
  stdin: "input",
  stdout: "output",
  stderr: "error",
  tty: "tty",
};

export function streamLocation(context: RestContext): Location {
  const { info, request } = context;
  const pod = podOf(context);
  const node = pod.spec?.nodeName ?? "";
  const { name = "", namespace = "" } = pod.metadata ?? {};
  const query = new URLSearchParams();
  let path = `/${kubeletPath[info.subresource]}/${namespace}/${name}`;
  if (info.subresource !== "portforward") {
    path += `/${containerOf(pod, request.query.get("container") ?? "")}`;
  }
  if (node === "") {
    throw badRequest(`pod ${name} does not have a host assigned`);
  }
  if (info.subresource === "portforward") {
    for (const port of request.query.getAll("ports")) query.append("port", port);
  } else {
    for (const [from, to] of Object.entries(streamParameters)) {
      const value = request.query.get(from);
      if (value !== null && !/^(false|0)$/i.test(value)) query.set(to, "1");
    }
    for (const part of request.query.getAll("command")) query.append("command", part);
  }
  return { ...kubeletOf(context, node), path: withQuery(path, query) };
}

const logParameters = [
  "follow",
  "previous",
  "timestamps",
  "sinceSeconds",
  "sinceTime",
  "tailLines",
  "limitBytes",
  "stream",
] as const;

/** Undefined when the pod is on no node: then its logs are empty. */
export function logLocation(context: RestContext): Location | undefined {
  const { request } = context;
  const pod = podOf(context);
  const container = containerOf(pod, request.query.get("container") ?? "");
  const node = pod.spec?.nodeName ?? "";
  if (node === "") return undefined;
  const query = new URLSearchParams();
  for (const name of logParameters) {
    const value = request.query.get(name);
    if (value !== null && value !== "" && !(value === "false" || value === "0"))
      query.set(name, value);
  }
  query.sort();
  const { name = "", namespace = "" } = pod.metadata ?? {};
  return {
    ...kubeletOf(context, node),
    path: withQuery(`/containerLogs/${namespace}/${name}/${container}`, query),
  };
}

/** pods, services and nodes under …/proxy/PATH. */
export function proxyLocation(context: RestContext, allowsLoopback = false): Location {
  const location = namedLocation(context);
  // What a Service leads to was judged when its EndpointSlice was made.
  if (context.info.resource !== "services") checkProxyable(location.host, allowsLoopback);
  return location;
}

function namedLocation(context: RestContext): Location {
  const { info, request } = context;
  const rest = info.parts.slice(3).map(encodeURIComponent).join("/");
  const slash = request.path.endsWith("/") && rest !== "" ? "/" : "";
  const path = withQuery(`/${rest}${slash}`, request.query);
  const { scheme, name, port } = splitProxyName(info.name);
  if (info.resource === "nodes") {
    const kubelet = kubeletOf(context, name);
    return port === "" || Number(port) === kubelet.port
      ? { ...kubelet, path }
      : {
          scheme: scheme === "https" ? "https" : "http",
          host: kubelet.host,
          port: Number(port),
          path,
        };
  }
  if (info.resource === "pods") return podProxy(context, { scheme, name, port }, path);
  return serviceProxy(context, { scheme, name, port }, path);
}

interface ProxyName {
  scheme: string;
  name: string;
  port: string;
}

/** "name", "name:port", "https:name:port". */
export function splitProxyName(text: string): ProxyName {
  const parts = text.split(":");
  if (parts.length === 3) return { scheme: parts[0]!, name: parts[1]!, port: parts[2]! };
  return { scheme: "", name: parts[0]!, port: parts[1] ?? "" };
}

function podProxy(context: RestContext, { scheme, name, port }: ProxyName, path: string): Location {
  const pod = podOf({ ...context, info: { ...context.info, name } });
  const host = pod.status?.podIP ?? "";
  if (host === "") throw badRequest("address not allowed");
  const first = pod.spec?.containers?.flatMap((container) => container.ports ?? [])[0];
  const number = port === "" ? (first?.containerPort ?? 80) : Number(port);
  return { scheme: scheme === "https" ? "https" : "http", host, port: number, path };
}

interface SliceShape {
  metadata?: { labels?: Record<string, string> };
  endpoints?: { addresses?: string[]; conditions?: { ready?: boolean } }[];
  ports?: { name?: string; port?: number }[];
}

function serviceProxy(
  context: RestContext,
  { scheme, name, port }: ProxyName,
  path: string,
): Location {
  const { info, resource, server } = context;
  const service = resource.cache.get(`${info.namespace}/${name}`)?.shared() as
    | { spec?: { ports?: { name?: string; port?: number }[] } }
    | undefined;
  if (service === undefined) throw notFound({ group: "", resource: "services" }, name);
  const portName = /^\d+$/.test(port)
    ? (service.spec?.ports?.find((one) => one.port === Number(port))?.name ?? "")
    : port;
  const slices = server.lookup("discovery.k8s.io", "v1", "endpointslices");
  for (const object of slices?.cache.scan(`${info.namespace}/`) ?? []) {
    const slice = object.shared() as SliceShape;
    if (slice.metadata?.labels?.["kubernetes.io/service-name"] !== name) continue;
    const target = slice.ports?.find((one) => portName === "" || (one.name ?? "") === portName);
    const ready = slice.endpoints?.filter((one) => one.conditions?.ready !== false) ?? [];
    if (target?.port === undefined || ready.length === 0) continue;
    const chosen = ready[Math.floor(server.random.next() * ready.length)]!;
    const host = chosen.addresses?.[0];
    if (host === undefined) continue;
    return { scheme: scheme === "https" ? "https" : "http", host, port: target.port, path };
  }
  const error = internalError(`no endpoints available for service ${JSON.stringify(info.name)}`);
  error.status.code = 503;
  error.status.reason = "ServiceUnavailable";
  error.status.message = `no endpoints available for service ${JSON.stringify(info.name)}`;
  throw error;
}

function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}
