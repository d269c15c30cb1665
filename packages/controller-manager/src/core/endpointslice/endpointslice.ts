/**
 * EndpointSlice: the addresses behind a Service, at most 100 a slice, one set of slices per address
 * type and ports.
 *
 * Changes as few slices as it can: endpoints stay where they are, new ones fill slices that change
 * anyway, then ones with room, then new slices. A Service without endpoints keeps one empty slice.
 *
 * Source  pkg/controller/endpointslice, k8s.io/endpointslice reconciler.go
 */
import type { Pod, Service } from "@nanokube/api/core/v1";
import type { Endpoint, EndpointPort, EndpointSlice } from "@nanokube/api/discovery/v1";
import { endpointSlices, keyOf, nodes, pods, services, splitKey } from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { type Caches, type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { canonical } from "../deployment/template-hash.ts";
import { controllerReference } from "../ownership.ts";
import { isEnding } from "../serviceaccount/serviceaccount.ts";
import { attempt, remove, type Steps, together, update } from "../steps.ts";
import {
  type AddressType,
  addressTypesOf,
  endpointPorts,
  isEndpoint,
  podToEndpoint,
} from "./endpoint.ts";

export const managedBy = "endpointslice-controller.k8s.io";
const serviceNameLabel = "kubernetes.io/service-name";
const managedByLabel = "endpointslice.kubernetes.io/managed-by";
const headlessLabel = "service.kubernetes.io/headless";
const reserved: ReadonlySet<string> = new Set([serviceNameLabel, managedByLabel, headlessLabel]);
const endpointsMax = 100;

export function createEndpointSliceController(): Controller {
  return {
    name: "endpointslice-controller",
    component: "endpoint-slice-controller",
    watches: [
      watchOwn(services),
      watch(pods, servicesOf),
      watch(nodes, () => []),
      watch(
        endpointSlices,
        ({ metadata }) => {
          const service = metadata?.labels?.[serviceNameLabel];
          const ours = metadata?.labels?.[managedByLabel] === managedBy;
          return ours && service ? [`${metadata?.namespace}/${service}`] : [];
        },
        {
          service: ({ metadata }) => [
            `${metadata?.namespace}/${metadata?.labels?.[serviceNameLabel] ?? ""}`,
          ],
        },
      ),
    ],
    reconcile: reconcileEndpointSlices,
  };
}

/** The Services that select a pod. */
export function servicesOf(pod: Pod, caches: Caches): string[] {
  const { namespace = "", labels = {} } = pod.metadata ?? {};
  return caches
    .of(services)
    .byNamespace(namespace)
    .filter((service) => selects(service, labels))
    .map(keyOf);
}

export function selects(service: Service, labels: Readonly<Record<string, string>>): boolean {
  const selector = Object.entries(service.spec?.selector ?? {});
  return selector.length > 0 && selector.every(([label, value]) => labels[label] === value);
}

export function selectedPods(service: Service, caches: Caches): Pod[] {
  return caches
    .of(pods)
    .byNamespace(service.metadata?.namespace ?? "")
    .filter((pod) => selects(service, pod.metadata?.labels ?? {}));
}

export function* reconcileEndpointSlices(key: string, context: Context): Steps<number | undefined> {
  const { caches } = context;
  const { namespace, name } = splitKey(key);
  const service = caches.of(services).get(namespace, name);
  // A Service that goes takes its slices along: they are owned by it.
  if (service === undefined || service.metadata?.deletionTimestamp !== undefined) return undefined;
  if (service.spec?.type === "ExternalName") return undefined;
  // Without a selector, endpoints are somebody else's affair.
  if (Object.keys(service.spec?.selector ?? {}).length === 0) return undefined;

  const existing = caches
    .of(endpointSlices)
    .byIndex("service", key)
    .filter((slice) => slice.metadata?.labels?.[managedByLabel] === managedBy)
    .filter((slice) => slice.metadata?.deletionTimestamp === undefined);
  const types = addressTypesOf(service);
  for (const slice of existing) {
    if (!types.includes(slice.addressType as AddressType)) yield* remove(endpointSlices, slice);
  }
  for (const type of types) {
    const ofType = existing.filter((slice) => slice.addressType === type);
    yield* apply(service, planSlices({ service, type, existing: ofType, caches }));
  }
  return undefined;
}

export interface SlicePlan {
  create: EndpointSlice[];
  update: EndpointSlice[];
  delete: EndpointSlice[];
}

interface Planning {
  service: Service;
  type: AddressType;
  existing: readonly EndpointSlice[];
  caches: Caches;
}

/**
 * @hop endpointslice.plan: the EndpointSlice controller turns the ready pods of a Service into
 * addresses.
 */
export function planSlices({ service, type, existing, caches }: Planning): SlicePlan {
  const owned = existing.filter((slice) => isOwnedBy(slice, service));
  const plan: SlicePlan = {
    create: [],
    update: [],
    delete: existing.filter((slice) => !owned.includes(slice)),
  };
  const wanted = wantedEndpoints(service, type, caches);
  const byPorts = Map.groupBy(owned, (slice) => portsKey(slice.ports ?? []));
  for (const [key, { ports, endpoints }] of wanted) {
    fit({ service, type, ports, endpoints, existing: byPorts.get(key) ?? [], plan });
  }
  for (const [key, slices] of byPorts) if (!wanted.has(key)) plan.delete.push(...slices);

  if (existing.length === plan.delete.length && plan.create.length === 0) {
    keepPlaceholder(service, type, plan);
  }
  // A slice that would go and one that would come are one update.
  while (plan.create.length > 0) {
    const index = plan.delete.findIndex((slice) => isOwnedBy(slice, service));
    if (index < 0) break;
    const [old] = plan.delete.splice(index, 1);
    const next = plan.create.pop()!;
    const { resourceVersion, name, uid } = old!.metadata ?? {};
    const { generateName: _, ...metadata } = next.metadata ?? {};
    plan.update.push({ ...next, metadata: { ...metadata, name, uid, resourceVersion } });
  }
  return plan;
}

interface Wanted {
  ports: EndpointPort[];
  endpoints: Map<string, Endpoint>;
}

/**
 * Pods of one Service may serve a named port at different numbers: each set of numbers has its own
 * slices.
 */
function wantedEndpoints(service: Service, type: AddressType, caches: Caches): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const pod of selectedPods(service, caches).filter(isEndpoint)) {
    const node = pod.spec?.nodeName ? caches.of(nodes).get("", pod.spec.nodeName) : undefined;
    const endpoint = podToEndpoint(pod, node, service, type);
    if (endpoint.addresses?.length === 0) continue;
    const ports = endpointPorts(service, pod);
    const key = portsKey(ports);
    const group = wanted.get(key) ?? { ports, endpoints: new Map() };
    group.endpoints.set(identity(endpoint), endpoint);
    wanted.set(key, group);
  }
  return wanted;
}

/** What makes an endpoint the same one, whatever its conditions say now. */
function identity({ addresses = [], targetRef, hostname, nodeName }: Endpoint): string {
  return JSON.stringify([
    addresses.toSorted(),
    targetRef?.uid,
    targetRef?.name,
    hostname,
    nodeName,
  ]);
}

function portsKey(ports: readonly EndpointPort[]): string {
  return ports.map(canonical).sort().join();
}

interface Fitting {
  service: Service;
  type: AddressType;
  ports: EndpointPort[];
  endpoints: Map<string, Endpoint>;
  existing: readonly EndpointSlice[];
  plan: SlicePlan;
}

function fit({ service, type, ports, endpoints, existing, plan }: Fitting): void {
  const left = new Map(endpoints);
  const changed: EndpointSlice[] = [];
  const same: EndpointSlice[] = [];
  for (const slice of existing) {
    const kept = (slice.endpoints ?? []).flatMap((endpoint) => {
      const id = identity(endpoint);
      const now = left.get(id);
      left.delete(id);
      return now === undefined ? [] : [now];
    });
    const labels = sliceLabels(service);
    if (kept.length === 0) plan.delete.push(slice);
    else if (deepEqual(kept, slice.endpoints) && deepEqual(labels, slice.metadata?.labels ?? {})) {
      same.push(slice);
    } else {
      changed.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints: kept });
    }
  }
  const rest = [...left.values()];
  const fill = (slice: EndpointSlice) => {
    const room = endpointsMax - (slice.endpoints?.length ?? 0);
    return { ...slice, endpoints: [...(slice.endpoints ?? []), ...rest.splice(0, room)] };
  };
  changed.sort((a, b) => (b.endpoints?.length ?? 0) - (a.endpoints?.length ?? 0));
  plan.update.push(...changed.map(fill));
  while (rest.length > 0) {
    const roomy = rest.length < endpointsMax ? tightest(same, rest.length) : undefined;
    if (roomy === undefined) {
      plan.create.push(fill(newSlice(service, type, ports)));
      continue;
    }
    same.splice(same.indexOf(roomy), 1);
    plan.update.push(fill(roomy));
  }
}

/** Of the slices that have room for all, the one that it fills best. */
function tightest(slices: readonly EndpointSlice[], count: number): EndpointSlice | undefined {
  return slices
    .filter((slice) => (slice.endpoints?.length ?? 0) + count <= endpointsMax)
    .toSorted((a, b) => (b.endpoints?.length ?? 0) - (a.endpoints?.length ?? 0))[0];
}

function keepPlaceholder(service: Service, type: AddressType, plan: SlicePlan): void {
  const placeholder = newSlice(service, type, []);
  const [only] = plan.delete;
  const isPlaceholder =
    plan.delete.length === 1 &&
    isOwnedBy(only!, service) &&
    (only!.endpoints ?? []).length === 0 &&
    (only!.ports ?? []).length === 0 &&
    deepEqual(only!.metadata?.labels ?? {}, sliceLabels(service));
  if (isPlaceholder) plan.delete = [];
  else plan.create.push(placeholder);
}

function newSlice(service: Service, type: AddressType, ports: EndpointPort[]): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${service.metadata?.name}-`,
      namespace: service.metadata?.namespace,
      labels: sliceLabels(service),
      ownerReferences: [controllerReference(service, services)],
    },
    addressType: type,
    endpoints: [],
    ports,
  };
}

function sliceLabels(service: Service): Record<string, string> {
  const own = Object.entries(service.metadata?.labels ?? {}).filter(
    ([name]) => !reserved.has(name),
  );
  const { clusterIP } = service.spec ?? {};
  const headless = !clusterIP || clusterIP === "None";
  return {
    ...Object.fromEntries(own),
    ...(headless ? { [headlessLabel]: "" } : {}),
    [serviceNameLabel]: service.metadata?.name ?? "",
    [managedByLabel]: managedBy,
  };
}

function isOwnedBy(slice: EndpointSlice, service: Service): boolean {
  return (slice.metadata?.ownerReferences ?? []).some(
    ({ uid, kind }) => uid === service.metadata?.uid && kind === "Service",
  );
}

function* apply(service: Service, plan: SlicePlan): Steps {
  const created = yield* together(
    plan.create.map((object) => ({
      do: "create" as const,
      resource: endpointSlices,
      object,
      hop: "endpointslice.plan",
    })),
  );
  for (const { error } of created) {
    if (error === undefined) continue;
    if (isEnding(error)) return;
    const { namespace, name } = service.metadata ?? {};
    throw new Error(
      `failed to create EndpointSlice for Service ${namespace}/${name}: ${error.message}`,
      { cause: error },
    );
  }
  for (const slice of plan.update) yield* update(endpointSlices, slice, "endpointslice.plan");
  for (const slice of plan.delete) {
    const { error } = yield* attempt({
      do: "delete",
      resource: endpointSlices,
      namespace: slice.metadata?.namespace ?? "",
      name: slice.metadata?.name ?? "",
      uid: slice.metadata?.uid,
    });
    if (error !== undefined && !isEnding(error)) throw error;
  }
}
