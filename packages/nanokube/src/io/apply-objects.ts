/**
 * Creates the objects that are not there yet; what somebody changed since stays changed.
 */
import { resources } from "@nanokube/api";
import { type Client, isNotFound } from "@nanokube/client";
import type { KubeObject } from "@nanokube/machinery";

function resourceOf({ apiVersion = "", kind }: KubeObject) {
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const found = resources.find(
    (r) =>
      r.group === group && r.version === version && r.kind === kind && r.listType !== undefined,
  );
  if (found === undefined) throw new Error(`no kind "${kind}" is registered in "${apiVersion}"`);
  return found;
}

/** Asked for first: creating a Service anew would fail on its address, not on its name. */
async function exists(client: Client, object: KubeObject): Promise<boolean> {
  const resource = client.resource(resourceOf(object));
  const { namespace, name = "" } = object.metadata ?? {};
  try {
    await (namespace === undefined ? resource : resource.namespace(namespace)).get(name);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

export async function applyObjects(client: Client, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    if (await exists(client, object)) continue;
    await client.resource(resourceOf(object)).create(object);
  }
}
