/**
 * What a fresh cluster finds: its namespaces, the bootstrap policy, the kubernetes Service.
 *
 * Each step is idempotent: a second server, or the same one started again, changes nothing.
 * Source  pkg/controlplane/controller/{systemnamespaces,kubernetesservice}, pkg/registry/rbac/rest
 */
import { isAlreadyExists, type KubeObject } from "@nanokube/machinery";
import { reconcileBootstrapPolicy } from "../core/authorization/reconcile.ts";
import type { LocalClient } from "../core/local-client.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import type { ApiServerOptions } from "./api-server.ts";

const namespaces = ["kube-system", "kube-public", "kube-node-lease", "default"];

export interface BootstrapParts {
  local: LocalClient;
  registry: ResourceRegistry;
  options: ApiServerOptions;
}

export async function bootstrap(parts: BootstrapParts): Promise<void> {
  const { local, options } = parts;
  await Promise.all(
    namespaces.map((name) =>
      createMissing(local, "/api/v1/namespaces", {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name },
      }),
    ),
  );
  if (options.authorizationMode.includes("RBAC")) await policy(local);
}

async function createMissing(local: LocalClient, path: string, object: KubeObject): Promise<void> {
  if ((await local.get(`${path}/${object.metadata!.name}`)) !== undefined) return;
  try {
    await local.create(path, object);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function policy(local: LocalClient): Promise<void> {
  const path = (group: string, plural: string, namespace: string): string =>
    `/apis/${group}/v1/${namespace === "" ? "" : `namespaces/${namespace}/`}${plural}`;
  await reconcileBootstrapPolicy({
    get: (group, plural, namespace, name) =>
      local.get(`${path(group, plural, namespace)}/${encodeURIComponent(name)}`),
    async create(group, plural, namespace, object) {
      await local.create(path(group, plural, namespace), object).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    },
    async update(group, plural, namespace, object) {
      const name = encodeURIComponent(object.metadata!.name!);
      await local.update(`${path(group, plural, namespace)}/${name}`, object);
    },
    delete: (group, plural, namespace, name) =>
      local.delete(`${path(group, plural, namespace)}/${encodeURIComponent(name)}`),
  });
}
