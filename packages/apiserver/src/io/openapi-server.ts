/**
 * OpenAPI of what the registry serves, with Node's hash and event loop.
 */
import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createOpenAPIServer, type ForeignOpenAPIs } from "../core/openapi/serve-openapi.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import type { ApiRequest, ApiResponse } from "../core/rest/context.ts";

export function serveOpenAPI(
  registry: ResourceRegistry,
  foreign: () => ForeignOpenAPIs | undefined,
): (request: ApiRequest) => Promise<ApiResponse | undefined> {
  return createOpenAPIServer({
    foreign,
    resources: () => {
      const served = [...registry.served()];
      return {
        resources: served.filter(({ custom }) => custom === undefined).map(({ info }) => info),
        custom: served
          .filter(({ custom }) => custom !== undefined)
          .map(({ info, custom }) => ({
            resource: info,
            ...(custom?.schema === undefined ? {} : { schema: custom.schema }),
          })),
      };
    },
    generation: () => registry.generation,
    sha512: (bytes) => createHash("sha512").update(bytes).digest("hex").toUpperCase(),
    yieldTurn: () => nextTurn(),
  });
}
