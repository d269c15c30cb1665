/**
 * The plan of slices: every endpoint once, never more than 100 a slice, few writes, nothing when
 * nothing changed.
 */
import type { Pod, Service } from "@nanokube/api/core/v1";
import type { EndpointSlice } from "@nanokube/api/discovery/v1";
import { endpointSlices, pods, services } from "@nanokube/client";
import { createSeededRandom } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { World } from "../../testing/world.ts";
import { findPort, hasHostname } from "./endpoint.ts";
import { createEndpointSliceController } from "./endpointslice.ts";

const service = (spec: object = {}): Service => ({
  metadata: { namespace: "d", name: "web", labels: { team: "a" } },
  spec: {
    clusterIP: "10.96.0.9",
    ipFamilies: ["IPv4"],
    selector: { app: "web" },
    ports: [{ name: "http", port: 80, targetPort: "http" }],
    ...spec,
  },
});
const pod = (index: number, state: "ready" | "waiting" | "going" | "ended", port = 8080): Pod => ({
  metadata: {
    namespace: "d",
    name: `p${index}`,
    labels: { app: "web" },
    ...(state === "going" ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
  },
  spec: {
    nodeName: "n1",
    containers: [{ name: "c", ports: [{ name: "http", containerPort: port }] }],
  },
  status: {
    phase: state === "ended" ? "Succeeded" : "Running",
    podIPs: [{ ip: `10.1.${index >> 8}.${index & 255}` }],
    conditions: [{ type: "Ready", status: state === "waiting" ? "False" : "True" }],
  },
});
const slices = (world: World) => world.list(endpointSlices);
const addresses = (all: readonly EndpointSlice[]) =>
  all
    .flatMap((slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []))
    .sort();

test.each(Array.from({ length: 25 }, (_, seed) => seed + 1))("random changes (seed %i)", (seed) => {
  const random = createSeededRandom(seed);
  const world = new World(createEndpointSliceController());
  world.put(services, service());
  const states = ["ready", "waiting", "going", "ended"] as const;
  for (let round = 0; round < 6; round++) {
    const changes = Math.floor(random.next() * 120);
    for (let change = 0; change < changes; change++) {
      const index = Math.floor(random.next() * 300);
      if (random.next() < 0.3) world.remove(pods, `d/p${index}`);
      else
        world.put(
          pods,
          pod(index, states[Math.floor(random.next() * 4)]!, random.next() < 0.1 ? 9090 : 8080),
        );
      if (random.next() < 0.2) world.step(random);
    }
    world.settle(random);
    const wanted = world.list(pods).filter((p) => p.status?.phase !== "Succeeded");
    expect(addresses(slices(world))).toEqual(
      wanted.flatMap((p) => p.status?.podIPs?.map(({ ip = "" }) => ip) ?? []).sort(),
    );
    for (const slice of slices(world)) {
      expect(slice.endpoints?.length ?? 0).toBeLessThanOrEqual(100);
      for (const endpoint of slice.endpoints ?? []) {
        const target = world.get(pods, `d/${endpoint.targetRef?.name}`)!;
        const going = target.metadata?.deletionTimestamp !== undefined;
        const serving = target.status?.conditions?.[0]?.status === "True";
        expect(endpoint.conditions).toEqual({
          ready: serving && !going,
          serving,
          terminating: going,
        });
        expect(slice.ports?.[0]?.port).toBe(
          target.spec?.containers?.[0]?.ports?.[0]?.containerPort,
        );
      }
    }
    const versions = slices(world).map(({ metadata }) => metadata?.resourceVersion);
    world.put(services, world.get(services, "d/web")!);
    world.settle(random);
    expect(slices(world).map(({ metadata }) => metadata?.resourceVersion)).toEqual(versions);
  }
});

test("one pod more changes one slice", () => {
  const random = createSeededRandom(1);
  const world = new World(createEndpointSliceController());
  world.put(services, service());
  for (let index = 0; index < 250; index++) world.put(pods, pod(index, "ready"));
  world.settle(random);
  expect(
    slices(world)
      .map((slice) => slice.endpoints?.length)
      .sort(),
  ).toEqual([100, 100, 50]);
  const before = new Map(
    slices(world).map(({ metadata }) => [metadata?.name, metadata?.resourceVersion]),
  );
  world.put(pods, pod(250, "ready"));
  world.settle(random);
  const changed = slices(world).filter(
    ({ metadata }) => before.get(metadata?.name) !== metadata?.resourceVersion,
  );
  expect(changed.map((slice) => slice.endpoints?.length)).toEqual([51]);
});

test("labels: the service's own, whose it is, and whether it is headless", () => {
  const random = createSeededRandom(1);
  const world = new World(createEndpointSliceController());
  world.put(services, service({ clusterIP: "None", publishNotReadyAddresses: true }));
  world.put(pods, pod(1, "waiting"));
  world.settle(random);
  const [slice] = slices(world);
  expect(slice?.metadata?.labels).toEqual({
    team: "a",
    "service.kubernetes.io/headless": "",
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  });
  expect(slice?.endpoints?.[0]?.conditions?.ready).toBe(true);
});

test("no selector, or a name elsewhere: nothing is made", () => {
  const random = createSeededRandom(1);
  for (const spec of [{ selector: {} }, { type: "ExternalName" }]) {
    const world = new World(createEndpointSliceController());
    world.put(services, service(spec));
    world.put(pods, pod(1, "ready"));
    world.settle(random);
    expect(slices(world)).toEqual([]);
  }
});

test("a port by name is looked for in containers and sidecars, by protocol", () => {
  const target = (name: string, protocol?: string) => ({
    port: 1,
    targetPort: name,
    ...(protocol ? { protocol } : {}),
  });
  const spec = {
    containers: [
      {
        name: "c",
        ports: [
          { name: "dns", containerPort: 53, protocol: "UDP" },
          { name: "dns", containerPort: 54 },
        ],
      },
    ],
    initContainers: [
      { name: "s", restartPolicy: "Always", ports: [{ name: "proxy", containerPort: 15 }] },
      { name: "i", ports: [{ name: "gone", containerPort: 16 }] },
    ],
  };
  expect(findPort({ spec }, target("dns", "UDP"))).toBe(53);
  expect(findPort({ spec }, target("dns"))).toBe(54);
  expect(findPort({ spec }, target("proxy"))).toBe(15);
  expect(findPort({ spec }, target("gone"))).toBeUndefined();
  expect(findPort({ spec }, { port: 80 })).toBe(80);
});

test("a pod has a name of its own in the Service that is its subdomain", () => {
  const named = { metadata: { namespace: "d" }, spec: { hostname: "db-0", subdomain: "db" } };
  expect(hasHostname(named, { metadata: { name: "db" } })).toBe(true);
  expect(hasHostname(named, { metadata: { name: "other" } })).toBe(false);
});
