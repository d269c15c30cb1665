/**
 * All resources a server serves, each in its group's preferred version: by aggregated discovery,
 * two requests.
 *
 * Errors  a server without aggregated discovery is asked group by group; one group that does not
 *         answer fails all, for who deletes "everything" must know everything
 * Source  client-go discovery/discovery_client.go ServerPreferredResources
 */
import { type Client, isNotFound } from "@nanokube/client";
import type { DiscoveredResource } from "../core/steps.ts";

interface AggregatedGroups {
  kind: string;
  items?: {
    metadata?: { name?: string };
    versions?: {
      version: string;
      freshness?: string;
      resources?: {
        resource: string;
        responseKind?: { kind?: string };
        scope: string;
        verbs?: string[];
      }[];
    }[];
  }[];
}

interface ResourceList {
  groupVersion: string;
  resources: { name: string; kind: string; namespaced: boolean; verbs?: string[] }[];
}

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

export async function discoverResources(
  client: Client,
  signal?: AbortSignal,
): Promise<DiscoveredResource[]> {
  const roots = await Promise.all(
    ["/api", "/apis"].map((path) =>
      client.requestJSON<AggregatedGroups>({
        method: "GET",
        path,
        accept: `${aggregated},application/json`,
        signal,
      }),
    ),
  );
  if (roots.every(({ kind }) => kind === "APIGroupDiscoveryList")) return fromAggregated(roots);
  return fromLists(client, signal);
}

function fromAggregated(roots: readonly AggregatedGroups[]): DiscoveredResource[] {
  const found = new Map<string, DiscoveredResource>();
  for (const { metadata, versions = [] } of roots.flatMap(({ items = [] }) => items)) {
    const group = metadata?.name ?? "";
    for (const { version, freshness, resources = [] } of versions) {
      if (freshness === "Stale") {
        throw new Error(`stale GroupVersion discovery: ${group}/${version}`);
      }
      for (const { resource: plural, responseKind, scope, verbs = [] } of resources) {
        const key = `${plural}.${group}`;
        // Versions come in the order of preference: the first that has a resource is taken.
        if (found.has(key)) continue;
        const namespaced = scope === "Namespaced";
        found.set(key, {
          group,
          version,
          plural,
          namespaced,
          kind: responseKind?.kind ?? "",
          verbs,
        });
      }
    }
  }
  return [...found.values()];
}

async function fromLists(client: Client, signal?: AbortSignal): Promise<DiscoveredResource[]> {
  const get = <T>(path: string) => client.requestJSON<T>({ method: "GET", path, signal });
  const groups = await get<{
    groups: { name: string; versions: { groupVersion: string; version: string }[] }[];
  }>("/apis");
  const paths = [
    { path: "/api/v1", group: "", version: "v1" },
    ...groups.groups.flatMap(({ name, versions }) =>
      versions.map(({ groupVersion, version }) => ({
        path: `/apis/${groupVersion}`,
        group: name,
        version,
      })),
    ),
  ];
  const found = new Map<string, DiscoveredResource>();
  for (const { path, group, version } of paths) {
    const list = await get<ResourceList>(path).catch((error) => {
      if (isNotFound(error)) return { resources: [] };
      throw error;
    });
    for (const { name: plural, kind, namespaced, verbs = [] } of list.resources) {
      if (plural.includes("/") || found.has(`${plural}.${group}`)) continue;
      found.set(`${plural}.${group}`, { group, version, plural, namespaced, kind, verbs });
    }
  }
  return [...found.values()];
}
