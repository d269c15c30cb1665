/**
 * Endpoints, the old form: all addresses of a Service in one object of its name, ready and not
 * ready apart.
 *
 * Source  pkg/controller/endpoint/endpoints_controller.go; pkg/api/v1/endpoints RepackSubsets
 */
import type {
  EndpointAddress,
  EndpointSubset,
  Endpoints,
  Pod,
  Service,
} from "@nanokube/api/core/v1";
import { endpoints, isAlreadyExists, isNotFound, pods, services, splitKey } from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { canonical } from "../deployment/template-hash.ts";
import {
  addressTypesOf,
  endpointPorts,
  hasHostname,
  isEndpoint,
  podAddresses,
} from "../endpointslice/endpoint.ts";
import { selectedPods, servicesOf } from "../endpointslice/endpointslice.ts";
import { isPodReady } from "../pod.ts";
import { isEnding } from "../serviceaccount/serviceaccount.ts";
import { attempt, type Steps, update } from "../steps.ts";

const addressesMax = 1000;
const managedByLabel = "endpoints.kubernetes.io/managed-by";
const managedBy = "endpoint-controller";
const headlessLabel = "service.kubernetes.io/headless";
const overCapacity = "endpoints.kubernetes.io/over-capacity";

export function createEndpointsController(): Controller {
  return {
    name: "endpoints-controller",
    component: "endpoint-controller",
    watches: [watchOwn(services), watch(pods, servicesOf), watchOwn(endpoints)],
    reconcile: reconcileEndpoints,
  };
}

export function* reconcileEndpoints(key: string, { caches }: Context): Steps<number | undefined> {
  const { namespace, name } = splitKey(key);
  const service = caches.of(services).get(namespace, name);
  const current = caches.of(endpoints).get(namespace, name);
  if (service === undefined) {
    // Only what this controller made: others write Endpoints for Services without selector.
    if (current === undefined || !isOurs(current)) return undefined;
    const { error } = yield* attempt({
      do: "delete",
      resource: endpoints,
      namespace,
      name,
      uid: current.metadata?.uid,
    });
    if (error !== undefined && !isNotFound(error)) throw error;
    return undefined;
  }
  if (service.spec?.type === "ExternalName") return undefined;
  if (Object.keys(service.spec?.selector ?? {}).length === 0) return undefined;

  const { subsets, truncated } = subsetsOf(service, selectedPods(service, caches));
  const wanted = wantedEndpoints(service, current, subsets, truncated);
  if (current === undefined) {
    const { error } = yield* attempt({ do: "create", resource: endpoints, object: wanted });
    if (error !== undefined && !isAlreadyExists(error) && !isEnding(error)) throw error;
    return undefined;
  }
  const same =
    deepEqual(current.subsets ?? [], subsets) &&
    deepEqual(current.metadata?.labels ?? {}, wanted.metadata?.labels ?? {}) &&
    deepEqual(current.metadata?.annotations ?? {}, wanted.metadata?.annotations ?? {});
  if (!same) yield* update(endpoints, wanted);
  return undefined;
}

function isOurs(object: Endpoints): boolean {
  return (
    object.metadata?.labels?.[managedByLabel] === managedBy ||
    object.metadata?.annotations?.["endpoints.kubernetes.io/last-change-trigger-time"] !== undefined
  );
}

function wantedEndpoints(
  service: Service,
  current: Endpoints | undefined,
  subsets: EndpointSubset[],
  truncated: boolean,
): Endpoints {
  const { clusterIP } = service.spec ?? {};
  const headless = !clusterIP || clusterIP === "None";
  const { [overCapacity]: _, ...annotations } = current?.metadata?.annotations ?? {};
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      ...current?.metadata,
      name: service.metadata?.name,
      namespace: service.metadata?.namespace,
      labels: {
        ...service.metadata?.labels,
        ...(headless ? { [headlessLabel]: "" } : {}),
        [managedByLabel]: managedBy,
      },
      annotations: { ...annotations, ...(truncated ? { [overCapacity]: "truncated" } : {}) },
    },
    subsets,
  };
}

interface Group {
  ports: EndpointSubset["ports"];
  ready: EndpointAddress[];
  notReady: EndpointAddress[];
}

function subsetsOf(
  service: Service,
  selected: readonly Pod[],
): { subsets: EndpointSubset[]; truncated: boolean } {
  const [type = "IPv4"] = addressTypesOf(service);
  const groups = new Map<string, Group>();
  let count = 0;
  for (const pod of selected) {
    const going = pod.metadata?.deletionTimestamp !== undefined;
    if (!isEndpoint(pod) || going) continue;
    const [ip] = podAddresses(pod, type);
    if (ip === undefined) continue;
    const ports = endpointPorts(service, pod).map(({ name, ...port }) =>
      name ? { name, ...port } : port,
    );
    if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
    if (++count > addressesMax) break;
    const key = ports.map(canonical).sort().join();
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    const isReady = service.spec?.publishNotReadyAddresses === true || isPodReady(pod);
    (isReady ? group.ready : group.notReady).push(address(pod, service, ip));
    groups.set(key, group);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  return { subsets: sorted.map(toSubset), truncated: count > addressesMax };
}

function toSubset({ ports, ready, notReady }: Group): EndpointSubset {
  const byIP = (a: EndpointAddress, b: EndpointAddress) => ((a.ip ?? "") < (b.ip ?? "") ? -1 : 1);
  return {
    ...(ready.length > 0 ? { addresses: ready.sort(byIP) } : {}),
    ...(notReady.length > 0 ? { notReadyAddresses: notReady.sort(byIP) } : {}),
    ...(ports?.length ? { ports } : {}),
  };
}

function address(pod: Pod, service: Service, ip: string): EndpointAddress {
  const { name, namespace, uid } = pod.metadata ?? {};
  return {
    ip,
    ...(hasHostname(pod, service) ? { hostname: pod.spec?.hostname } : {}),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: "Pod", namespace, name, uid },
  };
}
