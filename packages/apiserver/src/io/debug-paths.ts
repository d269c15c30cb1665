/**
 * What an operator may look at and change while the server runs: how much it logs, how busy its
 * priority levels are.
 *
 * Source  apiserver pkg/server/routes/flags.go
 */
import { dumps } from "../core/flow-control/dumps.ts";
import type { FlowControl } from "../core/flow-control/flow-control.ts";
import type { ApiRequest, ApiResponse } from "../core/rest/context.ts";

export interface DebugPathDeps {
  flowControl: FlowControl;
  /** What --v says, from now on; absent: it cannot be changed. */
  setVerbosity: ((verbosity: number) => void) | undefined;
}

const encoder = new TextEncoder();

export function debugPaths({ flowControl, setVerbosity }: DebugPathDeps) {
  return async (request: ApiRequest): Promise<ApiResponse | undefined> => {
    if (request.path === "/debug/flags/v") return changeVerbosity(request, setVerbosity);
    const dump = dumps[request.path.replace("/debug/api_priority_and_fairness/", "")];
    if (dump !== undefined && request.path.startsWith("/debug/api_priority_and_fairness/")) {
      const withDetails = (request.query.get("includeRequestDetails") ?? "") !== "";
      return text(200, dump(flowControl, withDetails), "text/plain; charset=utf-8");
    }
    return undefined;
  };
}

async function changeVerbosity(
  request: ApiRequest,
  set: DebugPathDeps["setVerbosity"],
): Promise<ApiResponse> {
  if (request.method !== "PUT" || set === undefined) return text(406, "unsupported http method\n");
  const value = new TextDecoder().decode(await request.body());
  if (!/^\d+$/.test(value)) {
    return text(400, `strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax\n`);
  }
  set(Number(value));
  return text(200, `successfully set klog.logging.verbosity to ${value}\n`);
}

function text(status: number, body: string, type = "text/plain"): ApiResponse {
  const headers = { "content-type": type, "x-content-type-options": "nosniff" };
  return { status, headers, body: encoder.encode(body) };
}
