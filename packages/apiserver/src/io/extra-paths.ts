/** OpenAPI, the token keys and metrics: paths that need hashes, keys or the process. */
import type { AccessMetrics } from "../core/access-metrics.ts";
import {
  jwksDocument,
  openIDConfiguration,
  type PublicKey,
} from "../core/authentication/token-keys.ts";
import type { TokenUses } from "../core/authentication/token-uses.ts";
import { usualGates } from "../core/feature-gates.ts";
import type { FlowControl } from "../core/flow-control/flow-control.ts";
import { metricsType } from "../core/non-resource.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import type { RequestMetrics } from "../core/request-metrics.ts";
import type { ApiRequest, ApiResponse } from "../core/rest/context.ts";
import type { Aggregator } from "./aggregator.ts";
import type { ApiServerOptions } from "./api-server.ts";
import { debugPaths } from "./debug-paths.ts";
import type { EtcdStore } from "./etcd-store.ts";
import { metricsText } from "./metrics.ts";
import { serveOpenAPI } from "./openapi-server.ts";

export interface ExtraPathDeps {
  options: ApiServerOptions;
  registry: ResourceRegistry;
  keys: readonly PublicKey[];
  store: EtcdStore;
  metrics: RequestMetrics;
  access: AccessMetrics;
  uses: TokenUses;
  flowControl: FlowControl;
  aggregator: Aggregator;
}

type Serve = (request: ApiRequest) => Promise<ApiResponse | undefined>;
const encoder = new TextEncoder();

export function extraPaths(deps: ExtraPathDeps): Serve[] {
  const { options, registry, keys, flowControl } = deps;
  const more: Serve = async ({ path }) => {
    if (path === "/openid/v1/jwks") {
      return answer("application/jwk-set+json", JSON.stringify(await jwksDocument(keys)));
    }
    if (path === "/.well-known/openid-configuration") {
      const port = options.advertisePort ?? 6443;
      const host = options.externalHostName ?? options.advertiseAddress;
      const own = `https://${host}:${port}/openid/v1/jwks`;
      const uri = options.serviceAccountTokens?.jwksURI ?? own;
      const document = openIDConfiguration(options.serviceAccountIssuer, uri, keys);
      return answer("application/json", JSON.stringify(document));
    }
    if (path === "/metrics") {
      return answer(
        metricsType,
        await metricsText({
          ...deps,
          etcd: options.etcd,
          audit: options.audit?.counts,
          gates: options.featureGates ?? usualGates,
        }),
      );
    }
    return undefined;
  };
  const { setVerbosity, profiling = true } = options;
  const debug = profiling ? [debugPaths({ flowControl, setVerbosity })] : [];
  return [serveOpenAPI(registry, () => deps.aggregator.openAPI()), more, ...debug];
}

function answer(contentType: string, text: string): ApiResponse {
  return { status: 200, headers: { "content-type": contentType }, body: encoder.encode(text) };
}
