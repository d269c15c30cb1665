/**
 * Every request in the log, from --v=3 on, as upstream's.
 *
 * Units   milliseconds
 * Source  apiserver pkg/server/httplog/httplog.go
 */
import type { Handler } from "../core/handler.ts";
import { parseRequestInfo } from "../core/request-info.ts";
import type { ApiServerOptions } from "./api-server-options.ts";

const fromVerbosity = 3;

export function logged(
  handler: Handler,
  { verbosity, log, clock }: Pick<ApiServerOptions, "verbosity" | "log" | "clock">,
): Handler {
  if (verbosity === undefined) return handler;
  return async (request) => {
    if (verbosity() < fromVerbosity) return handler(request);
    const startedMs = clock.monotonic();
    const response = await handler(request);
    const { method, path, query, headers, sourceIP } = request;
    const { verb } = parseRequestInfo(method, path, query);
    log.info(
      {
        verb: verb.toUpperCase(),
        URI: query.size === 0 ? path : `${path}?${query}`,
        latency: `${(clock.monotonic() - startedMs).toFixed(3)}ms`,
        userAgent: headers["user-agent"] ?? "",
        "audit-ID": response.headers["audit-id"],
        srcIP: sourceIP,
        resp: response.status,
      },
      "HTTP",
    );
    return response;
  };
}
