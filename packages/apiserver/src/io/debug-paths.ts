/**
 * What an operator may look at and change while the server runs: how much it logs, how busy its
 * priority levels are.
 *
 * Source  apiserver pkg/server/routes/flags.go, pkg/util/flowcontrol/apf_controller_debug.go
 */
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
    if (request.path === "/debug/api_priority_and_fairness/dump_priority_levels") {
      return text(200, priorityLevels(flowControl), "text/plain; charset=utf-8");
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

const headings = [
  "PriorityLevelName",
  "ActiveQueues",
  "IsIdle",
  "IsQuiescing",
  "WaitingRequests",
  "ExecutingRequests",
  "DispatchedRequests",
  "RejectedRequests",
  "TimedoutRequests",
  "CancelledRequests",
];

function priorityLevels(flowControl: FlowControl): string {
  const levels = flowControl.levels().toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rows = levels.map((level) => {
    const { waiting, executing, dispatched, rejected, timedOut } = level;
    const isIdle = waiting === 0 && executing === 0;
    const counts = [waiting, executing, dispatched, rejected, timedOut, 0];
    return [level.name, level.activeQueues, isIdle, false, ...counts].map(String);
  });
  return aligned([headings, ...rows]);
}

/** As Go's tabwriter sets columns: at least 8 wide, one space between, the last as it is. */
function aligned(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell, i) => (i < row.length - 1 ? `${cell},` : cell)));
  const widths = headings.map((_, i) => Math.max(8, ...cells.map((row) => row[i]!.length + 1)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i]!) : cell)).join("");
  return cells.map((row) => `${line(row)}\n`).join("");
}

function text(status: number, body: string, type = "text/plain"): ApiResponse {
  const headers = { "content-type": type, "x-content-type-options": "nosniff" };
  return { status, headers, body: encoder.encode(body) };
}
