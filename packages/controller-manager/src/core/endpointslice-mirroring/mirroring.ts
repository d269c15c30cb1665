/**
 * EndpointSlice mirroring: Endpoints that a user wrote, for a Service without selector, as slices,
 * for that is what proxies read.
 *
 * Source  pkg/controller/endpointslicemirroring
 */
import type { EndpointAddress, EndpointSubset, Endpoints } from "@nanokube/api/core/v1";
import type { Endpoint, EndpointSlice } from "@nanokube/api/discovery/v1";
import { endpointSlices, endpoints, services, splitKey } from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { canonical } from "../deployment/template-hash.ts";
import { controllerReference } from "../ownership.ts";
import { create, remove, type Steps, update } from "../steps.ts";

const managedBy = "endpointslicemirroring-controller.k8s.io";
const managedByLabel = "endpointslice.kubernetes.io/managed-by";
const serviceNameLabel = "kubernetes.io/service-name";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
const perSubsetMax = 1000;

export function createEndpointSliceMirroringController(): Controller {
  return {
    name: "endpointslice-mirroring-controller",
    component: "endpoint-slice-mirroring-controller",
    watches: [
      watchOwn(endpoints),
      watchOwn(services),
      watch(endpointSlices, ({ metadata }) => {
        const name = metadata?.labels?.[serviceNameLabel];
        const ours = metadata?.labels?.[managedByLabel] === managedBy;
        return ours && name ? [`${metadata?.namespace}/${name}`] : [];
      }),
    ],
    reconcile: reconcileMirroring,
  };
}

export function* reconcileMirroring(key: string, { caches }: Context): Steps<undefined> {
  const { namespace, name } = splitKey(key);
  const source = caches.of(endpoints).get(namespace, name);
  const service = caches.of(services).get(namespace, name);
  const existing = caches
    .of(endpointSlices)
    .byNamespace(namespace)
    .filter(
      ({ metadata }) =>
        metadata?.labels?.[serviceNameLabel] === name &&
        metadata.labels[managedByLabel] === managedBy &&
        metadata.deletionTimestamp === undefined,
    );
  const selected = Object.keys(service?.spec?.selector ?? {}).length > 0;
  const mirrored =
    service !== undefined && !selected && source !== undefined && wantsMirror(source);
  const wanted = mirrored ? slicesOf(source) : [];
  const left = [...existing];
  for (const slice of wanted) {
    // A slice with the same ports is changed in place.
    const index = left.findIndex((old) => shape(old) === shape(slice));
    const [old] = index < 0 ? [] : left.splice(index, 1);
    if (old === undefined) yield* create(endpointSlices, slice);
    else if (!deepEqual(old.endpoints ?? [], slice.endpoints)) {
      yield* update(endpointSlices, { ...old, endpoints: slice.endpoints ?? [] });
    }
  }
  for (const slice of left) yield* remove(endpointSlices, slice);
  return undefined;
}

function wantsMirror({ metadata }: Endpoints): boolean {
  return (
    metadata?.labels?.[skipLabel] !== "true" &&
    metadata?.annotations?.[leaderAnnotation] === undefined
  );
}

function shape({ addressType, ports = [] }: EndpointSlice): string {
  return `${addressType} ${ports.map(canonical).sort().join()}`;
}

function slicesOf(source: Endpoints): EndpointSlice[] {
  return (source.subsets ?? []).flatMap((subset) =>
    (["IPv4", "IPv6"] as const).flatMap((type) => {
      const all = endpointsOf(subset, type).slice(0, perSubsetMax);
      return all.length === 0 ? [] : [newSlice(source, subset, type, all)];
    }),
  );
}

function endpointsOf(subset: EndpointSubset, type: "IPv4" | "IPv6"): Endpoint[] {
  const convert =
    (ready: boolean) =>
    (address: EndpointAddress): Endpoint[] => {
      const { ip = "", hostname, nodeName, targetRef } = address;
      if (ip.includes(":") !== (type === "IPv6")) return [];
      return [
        {
          addresses: [ip],
          conditions: { ready },
          ...(hostname ? { hostname } : {}),
          ...(targetRef === undefined ? {} : { targetRef }),
          ...(nodeName ? { nodeName } : {}),
        },
      ];
    };
  return [
    ...(subset.addresses ?? []).flatMap(convert(true)),
    ...(subset.notReadyAddresses ?? []).flatMap(convert(false)),
  ];
}

function newSlice(
  source: Endpoints,
  subset: EndpointSubset,
  addressType: "IPv4" | "IPv6",
  all: Endpoint[],
): EndpointSlice {
  const { name, namespace, labels } = source.metadata ?? {};
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: { ...labels, [serviceNameLabel]: name ?? "", [managedByLabel]: managedBy },
      ownerReferences: [controllerReference(source, endpoints)],
    },
    addressType,
    endpoints: all,
    ports: (subset.ports ?? []).map(({ name: port = "", protocol = "TCP", ...rest }) => ({
      name: port,
      protocol,
      ...rest,
    })),
  };
}
