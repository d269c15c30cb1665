/**
 * Creates the objects that are not there yet; what somebody changed since stays changed.
 */
import { resources } from "@nanokube/api";
import { type Client, isAlreadyExists } from "@nanokube/client";
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

export async function applyObjects(client: Client, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    try {
      await client.resource(resourceOf(object)).create(object);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
