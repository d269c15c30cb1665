/**
 * OpenAPI of everything the server serves, built from the list of its resources.
 *
 * Nothing is built before it is asked for, and nothing is kept: callers keep the bytes they send.
 *
 * Shapes  v2()       the one document of /openapi/v2
 *         names()    the documents of /openapi/v3: "api", "api/v1", "apis/apps", "apis/apps/v1", …
 *         v3(name)   one of them; undefined: 404
 *         sources(name)    what the document is made from: while these are the same objects, it is
 *                    the same document
 *         openAPIv3Index   the answer of GET /openapi/v3: each document's path and its hash
 * Source  k8s.io/kube-openapi pkg/handler, pkg/handler3
 */
import type { ResourceInfo } from "@nanokube/api";
import { type CustomResource, customSchemas } from "./custom-resources.ts";
import { definitions } from "./definitions.ts";
import { type Document, documentV2, documentV3 } from "./documents.ts";
import { type Path, resourcePaths } from "./operations.ts";
import { groupPath, serverPaths, versionPath } from "./server-paths.ts";

export interface OpenAPIOptions {
  /** Built-in resources that are served. */
  readonly resources: readonly ResourceInfo[];
  readonly custom?: readonly CustomResource[];
}

export interface OpenAPI {
  v2(): Document;
  names(): string[];
  v3(name: string): Document | undefined;
  sources(name: string): readonly object[];
}

interface Part {
  readonly sources: object[];
  readonly paths: (() => Path[])[];
  readonly isCustom: boolean;
  readonly own?: { readonly group: string; readonly version: string };
}

/** The documents of v3 and what writes their paths, by name. */
function parts({ resources, custom = [] }: OpenAPIOptions): Map<string, Part> {
  const found = new Map<string, Part>();
  for (const [name, path] of Object.entries(serverPaths)) {
    found.set(name, { isCustom: false, sources: [path], paths: [() => [path]] });
  }
  const add = (resource: ResourceInfo, isCustom: boolean, source: object) => {
    const { group, version } = resource;
    const name = group === "" ? `api/${version}` : `apis/${group}/${version}`;
    if (!found.has(name)) {
      // Upstream tells discovery paths of its own groups only.
      const paths = isCustom ? [] : [() => [versionPath(group, version)]];
      found.set(name, { own: { group, version }, isCustom, sources: [], paths });
      if (group !== "" && !isCustom) {
        const paths = [() => [groupPath(group)]];
        found.set(`apis/${group}`, { isCustom, sources: [], paths });
      }
    }
    const part = found.get(name)!;
    part.paths.push(() => resourcePaths(resource, isCustom));
    part.sources.push(source);
  };
  for (const resource of resources) add(resource, false, resource);
  for (const source of custom) add(source.resource, true, source);
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function write(part: Part): Path[] {
  return part.paths.flatMap((paths) => paths());
}

export function buildOpenAPI(options: OpenAPIOptions): OpenAPI {
  const all = parts(options);
  const custom = customSchemas(options.custom ?? []);
  return {
    v2() {
      const paths = [...all.values()].flatMap(write);
      return documentV2(paths, definitions({ dialect: "v2", paths, custom }));
    },
    names: () => [...all.keys()],
    v3(name) {
      const part = all.get(name);
      if (part === undefined) return undefined;
      const paths = write(part);
      const schemas = definitions({ dialect: "v3", paths, own: part.own, custom });
      return documentV3(paths, schemas, part.isCustom);
    },
    sources: (name) => all.get(name)?.sources ?? [],
  };
}

/** `hash` of a document's bytes in upper-case hex: a URL with it may be cached for ever. */
export function openAPIv3Index(api: OpenAPI, hash: (name: string) => string): Document {
  const paths = api
    .names()
    .map((name) => [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${hash(name)}` }]);
  return { paths: Object.fromEntries(paths) };
}
