/**
 * Discovery: which groups, versions and resources does this server have?
 *
 * Built once from a list of resources; the caller builds it anew when CRDs or APIServices change.
 *
 * Shapes  /api                  versions()           APIVersions
 *         /apis                 groupList()          APIGroupList
 *         /apis/G               group(G)             APIGroup
 *         /api/v1, /apis/G/V    resourceList(G, V)   APIResourceList
 *         /api, /apis when the client accepts g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList
 *                               aggregatedCore(), aggregated()   APIGroupDiscoveryList
 * Errors  undefined for a group or version that is not served: the caller answers 404
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/discovery/{group,version,legacy}.go,
 *         staging/src/k8s.io/apiserver/pkg/endpoints/discovery/aggregated/handler.go
 */
import type { GroupVersionKind, ResourceInfo, SubresourceInfo } from "@nanokube/api";
import type {
  APIGroupDiscovery,
  APIGroupDiscoveryList,
  APIResourceDiscovery,
} from "@nanokube/api/apidiscovery/v2";
import type {
  APIGroup,
  APIGroupList,
  APIResource,
  APIResourceList,
  APIVersions,
} from "@nanokube/api/meta/v1";
import { compareVersions, type Priority, priorityOf } from "./priority.ts";

/** A version that another server serves: its APIService, and what that server said about itself. */
export interface ForeignVersion {
  readonly group: string;
  readonly version: string;
  readonly priority: Priority;
  readonly resources: readonly ResourceInfo[];
  /** The server did not answer lately; its resources are the last ones known. */
  readonly stale?: boolean;
}

export interface DiscoveryOptions {
  /** Built-in ones that are served; within a group and version they keep their order. */
  readonly resources: readonly ResourceInfo[];
  /** Those of CRDs. */
  readonly custom?: readonly ResourceInfo[];
  readonly foreign?: readonly ForeignVersion[];
  /** "HOST:PORT" under which clients reach this server. */
  readonly serverAddress: string;
}

export interface Discovery {
  versions(): APIVersions;
  groupList(): APIGroupList;
  group(name: string): APIGroup | undefined;
  resourceList(group: string, version: string): APIResourceList | undefined;
  aggregatedCore(): APIGroupDiscoveryList;
  aggregated(): APIGroupDiscoveryList;
}

interface Version {
  readonly version: string;
  readonly priority: Priority;
  readonly resources: ResourceInfo[];
  readonly stale: boolean;
}

type Groups = ReadonlyMap<string, readonly Version[]>;

function collect(options: DiscoveryOptions): Groups {
  const found = new Map<string, Map<string, Version>>();
  const add = (group: string, version: Version) => {
    if (!found.has(group)) found.set(group, new Map());
    found.get(group)!.set(version.version, version);
  };
  for (const resource of [...options.resources, ...(options.custom ?? [])]) {
    const { group, version } = resource;
    if (found.get(group)?.has(version) !== true) {
      add(group, { version, priority: priorityOf(group, version), resources: [], stale: false });
    }
    found.get(group)!.get(version)!.resources.push(resource);
  }
  for (const { group, version, priority, resources, stale = false } of options.foreign ?? []) {
    add(group, { version, priority, resources: [...resources], stale });
  }
  const sorted = [...found].map(([group, versions]): [string, Version[]] => [
    group,
    [...versions.values()].sort(
      (a, b) => b.priority.version - a.priority.version || compareVersions(a.version, b.version),
    ),
  ]);
  return new Map(sorted);
}

/** Groups of greater priority first; equal ones by `key`. */
function sortGroups(groups: Groups, key: (group: string, versions: readonly Version[]) => string) {
  const named = [...groups].filter(([group]) => group !== "");
  const ranked = named.map(([group, versions]) => ({
    group,
    versions,
    rank: Math.max(...versions.map((v) => v.priority.group)),
    key: key(group, versions),
  }));
  return ranked.sort((a, b) => b.rank - a.rank || (a.key < b.key ? -1 : 1));
}

function firstService(group: string, versions: readonly Version[]): string {
  return versions.map(({ version }) => `${version}.${group}`).sort()[0]!;
}

function groupVersion(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}

function describeGroup(name: string, versions: readonly Version[]): APIGroup {
  const entries = versions.map(({ version }) => ({
    groupVersion: groupVersion(name, version),
    version,
  }));
  return { name, versions: entries, preferredVersion: entries[0]! };
}

/** The group and version of a kind are told only where they are not the resource's own. */
function foreignKind(owner: ResourceInfo, kind: GroupVersionKind | undefined) {
  if (kind === undefined) return { kind: owner.kind };
  const own = kind.group === owner.group && kind.version === owner.version;
  if (own) return { kind: kind.kind };
  return {
    ...(kind.group === "" ? {} : { group: kind.group }),
    version: kind.version,
    kind: kind.kind,
  };
}

function describeResource(resource: ResourceInfo): APIResource[] {
  const { plural, singular, namespaced, kind, verbs } = resource;
  const main: APIResource = { name: plural, singularName: singular, namespaced, kind };
  main.verbs = [...verbs];
  if (resource.shortNames !== undefined) main.shortNames = [...resource.shortNames];
  if (resource.categories !== undefined) main.categories = [...resource.categories];
  if (resource.storageVersionHash !== undefined) {
    main.storageVersionHash = resource.storageVersionHash;
  }
  const subs = (resource.subresources ?? []).map(
    (sub): APIResource => ({
      name: `${plural}/${sub.name}`,
      singularName: "",
      namespaced,
      ...foreignKind(resource, sub.kind),
      verbs: [...sub.verbs],
    }),
  );
  return [main, ...subs];
}

type KindWriter = (
  owner: ResourceInfo,
  kind: GroupVersionKind | undefined,
) => {
  group: string;
  version: string;
  kind: string;
};

const builtInKind: KindWriter = (owner, kind) => ({
  group: "",
  version: "",
  ...foreignKind(owner, kind),
});

/** Of custom resources upstream tells the whole kind always. */
const wholeKind: KindWriter = (owner, kind) => {
  const { group, version, kind: name } = kind ?? owner;
  return { group, version, kind: name };
};

function discoverResource(resource: ResourceInfo, responseKind: KindWriter): APIResourceDiscovery {
  const entry: APIResourceDiscovery = {
    resource: resource.plural,
    responseKind: responseKind(resource, undefined),
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: [...resource.verbs],
  };
  if (resource.shortNames !== undefined) entry.shortNames = [...resource.shortNames];
  if (resource.categories !== undefined) entry.categories = [...resource.categories];
  if (resource.subresources !== undefined) {
    entry.subresources = resource.subresources.map((sub: SubresourceInfo) => ({
      subresource: sub.name,
      responseKind: responseKind(resource, sub.kind),
      verbs: [...sub.verbs],
    }));
  }
  return entry;
}

function discoverGroup(
  name: string,
  versions: readonly Version[],
  builtIn: ReadonlySet<ResourceInfo>,
): APIGroupDiscovery {
  return {
    metadata: name === "" ? {} : { name },
    versions: versions.map(({ version, resources, stale }) => ({
      version,
      resources: resources.map((resource) =>
        discoverResource(resource, builtIn.has(resource) ? builtInKind : wholeKind),
      ),
      freshness: stale ? "Stale" : "Current",
    })),
  };
}

function discoveryList(items: APIGroupDiscovery[]): APIGroupDiscoveryList {
  const apiVersion = "apidiscovery.k8s.io/v2";
  return { kind: "APIGroupDiscoveryList", apiVersion, metadata: {}, items };
}

export function buildDiscovery(options: DiscoveryOptions): Discovery {
  const groups = collect(options);
  const builtIn = new Set(options.resources);
  const core = groups.get("") ?? [];
  return {
    versions: () => ({
      kind: "APIVersions",
      versions: core.map(({ version }) => version),
      serverAddressByClientCIDRs: [
        { clientCIDR: "0.0.0.0/0", serverAddress: options.serverAddress },
      ],
    }),
    groupList: () => ({
      kind: "APIGroupList",
      apiVersion: "v1",
      // Equal groups go by the name of their first APIService, "v1.example.com".
      groups: sortGroups(groups, firstService).map(({ group, versions }) =>
        describeGroup(group, versions),
      ),
    }),
    group(name) {
      const versions = name === "" ? undefined : groups.get(name);
      if (versions === undefined) return undefined;
      return { kind: "APIGroup", apiVersion: "v1", ...describeGroup(name, versions) };
    },
    resourceList(group, version) {
      const found = groups.get(group)?.find((v) => v.version === version);
      if (found === undefined) return undefined;
      return {
        kind: "APIResourceList",
        // Upstream leaves it out for the core group only.
        ...(group === "" ? {} : { apiVersion: "v1" }),
        groupVersion: groupVersion(group, version),
        resources: found.resources.flatMap(describeResource),
      };
    },
    aggregatedCore: () => discoveryList([discoverGroup("", core, builtIn)]),
    aggregated: () =>
      discoveryList(
        sortGroups(groups, (group) => group).map(({ group, versions }) =>
          discoverGroup(group, versions, builtIn),
        ),
      ),
  };
}
