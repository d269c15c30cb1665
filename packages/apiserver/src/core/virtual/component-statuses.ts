/**
 * componentstatuses: deprecated since 1.19, answered as upstream answers a server without
 * neighbours.
 *
 * Source  pkg/registry/core/componentstatus/rest.go
 */
import { type KubeObject, methodNotSupported, notFound } from "@nanokube/machinery";
import type { ApiResponse, RestContext } from "../rest/context.ts";
import { respondWithTree } from "../rest/respond.ts";

export async function componentStatuses(context: RestContext): Promise<ApiResponse> {
  const { info, server } = context;
  if (info.verb === "watch") {
    throw methodNotSupported({ group: "", resource: "componentstatuses" }, "watch");
  }
  context.warnings.add("v1 ComponentStatus is deprecated in v1.19+");
  const etcd = await server.store.catchUp().then(
    () => healthy("etcd-0"),
    (error: unknown) => unhealthy("etcd-0", String(error)),
  );
  const items = [etcd];
  const plain = { ...context, output: { ...context.output, as: "" as const } };
  if (info.verb === "list") {
    const list = {
      kind: "ComponentStatusList",
      apiVersion: "v1",
      metadata: {},
      items,
    } as KubeObject;
    return respondWithTree(plain, 200, list, "io.k8s.api.core.v1.ComponentStatusList");
  }
  const one = items.find((item) => item.metadata?.name === info.name);
  if (one === undefined) throw notFound({ group: "", resource: "componentstatus" }, info.name);
  return respondWithTree(plain, 200, { kind: "ComponentStatus", apiVersion: "v1", ...one });
}

function healthy(name: string): KubeObject {
  return {
    metadata: { name },
    conditions: [{ type: "Healthy", status: "True", message: "ok" }],
  };
}

function unhealthy(name: string, error: string): KubeObject {
  return {
    metadata: { name },
    conditions: [{ type: "Healthy", status: "False", message: error, error }],
  };
}
