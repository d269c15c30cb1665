/**
 * What a fresh cluster finds: its namespaces, the bootstrap policy, the kubernetes Service.
 *
 * Each step is idempotent: a second server, or the same one started again, changes nothing.
 * Source  pkg/controlplane/controller/{systemnamespaces,kubernetesservice}, pkg/registry/rbac/rest
 */
import { isAlreadyExists, type KubeObject } from "@nanokube/machinery";
import { usualRequestHeaders } from "../core/authentication/request-header.ts";
import { reconcileBootstrapPolicy } from "../core/authorization/reconcile.ts";
import { priorityOf } from "../core/discovery/priority.ts";
import type { LocalClient } from "../core/local-client.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import { formatAddress, parseRange } from "../core/service/cidr.ts";
import { systemPriorityClasses } from "../resources/cluster.ts";
import type { ApiServerOptions } from "./api-server.ts";

const namespaces = ["kube-system", "kube-public", "kube-node-lease", "default"];

export interface BootstrapParts {
  local: LocalClient;
  registry: ResourceRegistry;
  options: ApiServerOptions;
}

export async function bootstrap(parts: BootstrapParts): Promise<void> {
  const { local, options } = parts;
  await Promise.all(
    namespaces.map((name) =>
      createMissing(local, "/api/v1/namespaces", {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name },
      }),
    ),
  );
  if (options.authorizationMode.includes("RBAC")) await policy(local);
  await priorityClasses(local);
  await authenticationConfig(local, options);
  await serviceCIDR(local, options);
  await kubernetesService(local, options);
  await localAPIServices(parts);
}

async function priorityClasses(local: LocalClient): Promise<void> {
  for (const object of systemPriorityClasses) {
    await createMissing(local, "/apis/scheduling.k8s.io/v1/priorityclasses", {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      ...object,
    } as KubeObject);
  }
}

/** What servers behind the aggregation layer must know to trust who comes through it. */
async function authenticationConfig(local: LocalClient, options: ApiServerOptions): Promise<void> {
  const { clientCA, requestHeaderCA } = options.pki;
  const list = (values: readonly string[]): string => JSON.stringify(values);
  const headers = usualRequestHeaders;
  await put(local, `${kubeSystem}/configmaps`, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "extension-apiserver-authentication", namespace: "kube-system" },
    data: {
      ...(clientCA === undefined ? {} : { "client-ca-file": clientCA }),
      ...(requestHeaderCA === undefined
        ? {}
        : {
            "requestheader-allowed-names": list(options.requestHeaderAllowedNames ?? []),
            "requestheader-client-ca-file": requestHeaderCA,
            "requestheader-extra-headers-prefix": list(headers.extraHeaderPrefixes),
            "requestheader-group-headers": list(headers.groupHeaders),
            "requestheader-uid-headers": list(headers.uidHeaders),
            "requestheader-username-headers": list(headers.usernameHeaders),
          }),
    },
  });
  const since = new Date(options.clock.now()).toISOString().slice(0, 10);
  await createMissing(local, `${kubeSystem}/configmaps`, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "kube-apiserver-legacy-service-account-token-tracking",
      namespace: "kube-system",
    },
    data: { since },
  });
}

const kubeSystem = "/api/v1/namespaces/kube-system";

/** The default range, as ServiceCIDR objects tell it. */
async function serviceCIDR(local: LocalClient, options: ApiServerOptions): Promise<void> {
  await createMissing(local, "/apis/networking.k8s.io/v1/servicecidrs", {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: "kubernetes" },
    spec: { cidrs: [options.serviceClusterIPRange] },
  });
}

async function kubernetesService(local: LocalClient, options: ApiServerOptions): Promise<void> {
  const range = parseRange(options.serviceClusterIPRange);
  await createMissing(local, "/api/v1/namespaces/default/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "kubernetes", namespace: "default", labels: serviceLabels },
    spec: {
      clusterIP: formatAddress(range.first),
      ports: [
        { name: "https", port: 443, protocol: "TCP", targetPort: options.advertisePort ?? 6443 },
      ],
      sessionAffinity: "None",
      type: "ClusterIP",
    },
  });
}

const serviceLabels = { component: "apiserver", provider: "kubernetes" };

/** Endpoints and EndpointSlice of the kubernetes Service: this server, at this port. */
export async function publishAddress(
  local: LocalClient,
  options: ApiServerOptions,
  port: number,
): Promise<void> {
  // An endpoint cannot be a loopback address: it would mean another machine on each machine.
  if (options.advertiseAddress.startsWith("127.")) return;
  const metadata = { name: "kubernetes", namespace: "default" };
  const ip = options.advertiseAddress;
  await put(local, "/api/v1/namespaces/default/endpoints", {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { ...metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip }], ports: [{ name: "https", port, protocol: "TCP" }] }],
  });
  await put(local, "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [ip], conditions: { ready: true } }],
    ports: [{ name: "https", port, protocol: "TCP" }],
  });
}

async function put(local: LocalClient, path: string, object: KubeObject): Promise<void> {
  const current = await local.get(`${path}/${object.metadata!.name}`);
  if (current === undefined) {
    await createMissing(local, path, object);
    return;
  }
  const metadata = { ...current.metadata, ...object.metadata };
  await local.update(`${path}/${object.metadata!.name}`, { ...object, metadata });
}

/** Each group and version served here has an APIService without a service: "Local". */
async function localAPIServices({ local, registry }: BootstrapParts): Promise<void> {
  const seen = new Set<string>();
  for (const { info } of registry.served()) {
    const name = `${info.version}.${info.group}`;
    if (seen.has(name) || info.group === "apiregistration.k8s.io") continue;
    seen.add(name);
    const { group, version } = priorityOf(info.group, info.version);
    await createMissing(local, "/apis/apiregistration.k8s.io/v1/apiservices", {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name, labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" } },
      spec: {
        ...(info.group === "" ? {} : { group: info.group }),
        version: info.version,
        groupPriorityMinimum: group,
        versionPriority: version,
      },
    });
  }
}

async function createMissing(local: LocalClient, path: string, object: KubeObject): Promise<void> {
  if ((await local.get(`${path}/${object.metadata!.name}`)) !== undefined) return;
  try {
    await local.create(path, object);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function policy(local: LocalClient): Promise<void> {
  const path = (group: string, plural: string, namespace: string): string =>
    `/apis/${group}/v1/${namespace === "" ? "" : `namespaces/${namespace}/`}${plural}`;
  await reconcileBootstrapPolicy({
    get: (group, plural, namespace, name) =>
      local.get(`${path(group, plural, namespace)}/${encodeURIComponent(name)}`),
    async create(group, plural, namespace, object) {
      await local.create(path(group, plural, namespace), object).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    },
    async update(group, plural, namespace, object) {
      const name = encodeURIComponent(object.metadata!.name!);
      await local.update(`${path(group, plural, namespace)}/${name}`, object);
    },
    delete: (group, plural, namespace, name) =>
      local.delete(`${path(group, plural, namespace)}/${encodeURIComponent(name)}`),
  });
}
