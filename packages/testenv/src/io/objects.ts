/**
 * Objects to begin with: plain objects, or YAML and JSON files and folders of them.
 *
 * Errors  a file that cannot be read or parsed is named; the server's own refusals come as they are
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { resources } from "@nanokube/api";
import type { ApiObject, Client, ResourceRef } from "@nanokube/client";
import { type KubeObject, parseGroupVersion, parseYAMLDocuments } from "@nanokube/machinery";

export type ObjectSource = ApiObject | string;

const manifest = /\.(ya?ml|json)$/;

async function readManifests(path: string): Promise<ApiObject[]> {
  if ((await stat(path)).isDirectory()) {
    const names = (await readdir(path)).filter((name) => manifest.test(name)).sort();
    return (await Promise.all(names.map((name) => readManifests(join(path, name))))).flat();
  }
  const text = await readFile(path, "utf8");
  try {
    return parseYAMLDocuments(text).filter((doc) => doc !== null) as ApiObject[];
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

/** Lists are taken apart. */
export async function readObjects(sources: readonly ObjectSource[]): Promise<ApiObject[]> {
  const read = await Promise.all(
    sources.map(async (source) => (typeof source === "string" ? readManifests(source) : [source])),
  );
  return read.flat().flatMap((object) => {
    const { items } = object as { items?: ApiObject[] };
    return object.kind?.endsWith("List") && Array.isArray(items) ? items : [object];
  });
}

/** Built-in kinds are in the table; for others the server is asked. */
export async function resourceOf(client: Client, object: ApiObject): Promise<ResourceRef> {
  const { apiVersion = "", kind = "" } = object;
  const { group, version } = parseGroupVersion(apiVersion);
  const known = resources.find(
    (r) => r.group === group && r.version === version && r.kind === kind && r.listType,
  );
  if (known !== undefined) return known;
  const list = await client.requestJSON<{
    resources: { name: string; kind: string; namespaced: boolean }[];
  }>({ method: "GET", path: `/apis/${apiVersion}` });
  const found = list.resources.find((r) => r.kind === kind && !r.name.includes("/"));
  if (found === undefined)
    throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
  return { group, version, kind, plural: found.name, namespaced: found.namespaced };
}

const firstKinds = ["CustomResourceDefinition", "Namespace"];

function rank({ kind = "" }: ApiObject): number {
  const at = firstKinds.indexOf(kind);
  return at < 0 ? firstKinds.length : at;
}

const inOrder = (objects: readonly ApiObject[]): ApiObject[] =>
  [...objects].sort((a, b) => rank(a) - rank(b));

/** Namespaces and definitions first, then in the order given; a given status is written too. */
export async function createObjects(
  client: Client,
  objects: readonly ApiObject[],
): Promise<ApiObject[]> {
  const all: ApiObject[] = [];
  for (const object of inOrder(objects)) {
    const resource = client.resource(await resourceOf(client, object));
    const created = await resource.create(object);
    const { status } = object as KubeObject;
    const withStatus = { ...created, status } as ApiObject;
    all.push(hasStatus(object) ? await resource.updateStatus(withStatus) : created);
  }
  return all;
}

export async function applyObjects(
  client: Client,
  objects: readonly ApiObject[],
): Promise<ApiObject[]> {
  const all: ApiObject[] = [];
  const options = { fieldManager: "testenv", force: true };
  for (const object of inOrder(objects)) {
    const resource = client.resource(await resourceOf(client, object));
    const applied = await resource.apply(object, options);
    const subresource = "status";
    all.push(
      hasStatus(object) ? await resource.apply(object, { ...options, subresource }) : applied,
    );
  }
  return all;
}

const hasStatus = (object: ApiObject): boolean =>
  (object as KubeObject).status !== undefined && object.kind !== "CustomResourceDefinition";
