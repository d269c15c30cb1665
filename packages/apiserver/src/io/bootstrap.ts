/**
 * What a fresh cluster finds: its namespaces, the bootstrap policy, the kubernetes Service.
 *
 * Each step is idempotent: a second server, or the same one started again, changes nothing. After
 * the namespaces all are written at once, for writes that wait together share one sync of the disk.
 * What is there is read from the caches: the long way to a 404 costs more than a write.
 * Source  pkg/controlplane/controller/{systemnamespaces,kubernetesservice}, pkg/registry/rbac/rest
 */
import type { ServiceCIDR } from "@nanokube/api/networking/v1";
import { isAlreadyExists, type KubeObject } from "@nanokube/machinery";
import { usualRequestHeaders } from "../core/authentication/request-header.ts";
import { reconcileBootstrapPolicy } from "../core/authorization/reconcile.ts";
import { priorityOf } from "../core/discovery/priority.ts";
import { bootstrapLevels, bootstrapSchemas } from "../core/flow-control/bootstrap.ts";
import type { LocalClient } from "../core/local-client.ts";
import { createCachedReader } from "../core/object-reader.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import { formatTime } from "../core/rest/object-meta.ts";
import { addressIn, parseRanges } from "../core/service/cidr.ts";
import { defaultServiceCIDR } from "../core/service/service-ranges.ts";
import { systemPriorityClasses } from "../resources/cluster.ts";
import type { ApiServerOptions } from "./api-server.ts";

const namespaces = ["kube-system", "kube-public", "kube-node-lease", "default"];

export interface BootstrapParts {
  local: LocalClient;
  registry: ResourceRegistry;
  options: ApiServerOptions;
}

export async function bootstrap(parts: BootstrapParts): Promise<void> {
  await Promise.all(
    namespaces.map((name) =>
      createMissing(parts, "namespaces", {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name },
      }),
    ),
  );
  await Promise.all([
    parts.options.authorizationMode.includes("RBAC") ? policy(parts) : undefined,
    priorityClasses(parts),
    flowControl(parts),
    authenticationConfig(parts),
    serviceCIDR(parts),
    kubernetesService(parts),
    localAPIServices(parts),
  ]);
}

/** Levels first: a FlowSchema without its level is dangling. */
async function flowControl(parts: BootstrapParts): Promise<void> {
  const make = (plural: string, objects: KubeObject[]) =>
    Promise.all(objects.map((object) => createMissing(parts, plural, object)));
  await make("prioritylevelconfigurations", bootstrapLevels());
  await make("flowschemas", bootstrapSchemas());
}

async function priorityClasses(parts: BootstrapParts): Promise<void> {
  await Promise.all(
    systemPriorityClasses.map((object) =>
      createMissing(parts, "priorityclasses", {
        apiVersion: "scheduling.k8s.io/v1",
        kind: "PriorityClass",
        ...object,
      } as KubeObject),
    ),
  );
}

/** What servers behind the aggregation layer must know to trust who comes through it. */
export async function authenticationConfig(parts: BootstrapParts): Promise<void> {
  const { options } = parts;
  const { clientCA, requestHeaderCA } = options.pki;
  const list = (values: readonly string[]): string => JSON.stringify(values);
  const headers = options.requestHeaders ?? usualRequestHeaders;
  const namespace = "kube-system";
  const since = new Date(options.clock.now()).toISOString().slice(0, 10);
  await Promise.all([
    put(parts, "configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "extension-apiserver-authentication", namespace },
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
    }),
    createMissing(parts, "configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kube-apiserver-legacy-service-account-token-tracking", namespace },
      data: { since },
    }),
  ]);
}

/**
 * The ranges of the flags, as a ServiceCIDR tells them: Ready, for this server allocates from them.
 * A second range may come later; then the object is made to tell both.
 *
 * Source  pkg/controlplane/controller/defaultservicecidr
 */
async function serviceCIDR(parts: BootstrapParts): Promise<void> {
  const { local, options } = parts;
  const cidrs = parseRanges(options.serviceClusterIPRange).map((range) => range.cidr);
  const identity = {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: defaultServiceCIDR },
  };
  const path = `${pathOf(identity.apiVersion, "servicecidrs", undefined)}/${defaultServiceCIDR}`;
  const found = (await find(parts, "servicecidrs", identity)) as ServiceCIDR | undefined;
  const known = found?.spec?.cidrs ?? [];
  if (found === undefined) {
    await create(parts, "servicecidrs", { ...identity, spec: { cidrs } } as KubeObject);
  } else if (cidrs.length === 2 && known.length === 1 && known[0] === cidrs[0]) {
    await local.update(path, { ...found, spec: { cidrs } } as KubeObject);
  } else if (known.join() !== cidrs.join()) {
    options.log.info({ controllerCIDRs: cidrs, known }, "Inconsistent ServiceCIDR status");
    return;
  }
  if (found?.status?.conditions?.some(({ type }) => type === "Ready")) return;
  const ready = {
    type: "Ready",
    status: "True",
    message: "Kubernetes default Service CIDR is ready",
    lastTransitionTime: formatTime(options.clock.now()),
  };
  const manager = "kubernetes-service-cidr-controller";
  const told = { ...identity, status: { conditions: [ready] } } as KubeObject;
  await local.apply(`${path}/status`, manager, told);
}

async function kubernetesService(parts: BootstrapParts): Promise<void> {
  const { options } = parts;
  const [range] = parseRanges(options.serviceClusterIPRange);
  await createMissing(parts, "services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "kubernetes", namespace: "default", labels: serviceLabels },
    spec: {
      clusterIP: addressIn(range!, range!.first),
      ports: [
        { name: "https", port: 443, protocol: "TCP", targetPort: options.advertisePort ?? 6443 },
      ],
      sessionAffinity: "None",
      type: "ClusterIP",
    },
  });
}

const serviceLabels = { component: "apiserver", provider: "kubernetes" };

/** Each group and version served here has an APIService without a service: "Local". */
async function localAPIServices(parts: BootstrapParts): Promise<void> {
  const versions = new Map<string, { group: string; version: string }>();
  for (const { info } of parts.registry.served()) {
    if (info.group === "apiregistration.k8s.io") continue;
    versions.set(`${info.version}.${info.group}`, info);
  }
  const services = [...versions].map(([name, { group, version }]) => {
    const priority = priorityOf(group, version);
    return createMissing(parts, "apiservices", {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name, labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" } },
      spec: {
        ...(group === "" ? {} : { group }),
        version,
        groupPriorityMinimum: priority.group,
        versionPriority: priority.version,
      },
    } as KubeObject);
  });
  await Promise.all(services);
}

function pathOf(apiVersion: string, plural: string, namespace = "", name = ""): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const collection =
    namespace === "" ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
  return name === "" ? collection : `${collection}/${encodeURIComponent(name)}`;
}

export function find({ registry }: BootstrapParts, plural: string, object: KubeObject) {
  const { namespace = "", name = "" } = object.metadata ?? {};
  const slash = object.apiVersion!.indexOf("/");
  const group = slash < 0 ? "" : object.apiVersion!.slice(0, slash);
  return createCachedReader(registry).get(group, plural, namespace, name);
}

/** Creates it, or writes it over what is there. */
export async function put(
  parts: BootstrapParts,
  plural: string,
  object: KubeObject,
): Promise<void> {
  const current = await find(parts, plural, object);
  if (current === undefined) return create(parts, plural, object);
  const { namespace, name } = object.metadata!;
  const metadata = { ...current.metadata, ...object.metadata };
  const path = pathOf(object.apiVersion!, plural, namespace, name);
  await parts.local.update(path, { ...object, metadata });
}

async function createMissing(
  parts: BootstrapParts,
  plural: string,
  object: KubeObject,
): Promise<void> {
  if ((await find(parts, plural, object)) === undefined) await create(parts, plural, object);
}

/** Another server that starts at the same time may be first. */
async function create(
  { local }: BootstrapParts,
  plural: string,
  object: KubeObject,
): Promise<void> {
  try {
    await local.create(pathOf(object.apiVersion!, plural, object.metadata?.namespace), object);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function policy(parts: BootstrapParts): Promise<void> {
  const { local, registry } = parts;
  const path = (group: string, plural: string, namespace: string, name: string): string =>
    pathOf(`${group}/v1`, plural, namespace, name);
  await reconcileBootstrapPolicy({
    get: createCachedReader(registry).get,
    create: (_group, plural, _namespace, object) => create(parts, plural, object),
    async update(group, plural, namespace, object) {
      await local.update(path(group, plural, namespace, object.metadata!.name!), object);
    },
    delete: (group, plural, namespace, name) => local.delete(path(group, plural, namespace, name)),
  });
}
