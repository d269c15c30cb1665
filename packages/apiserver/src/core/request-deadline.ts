/**
 * How long a request may take: what its URL asks for (`?timeout=5s`), at most the server's own
 * limit. Requests that last as long as their caller likes have no deadline.
 *
 * Units   timeoutMs; 0 and negative ones mean the server's limit
 * Errors  400 for a timeout that is no duration; 504 in plain text when the time is over
 * Source  apiserver pkg/endpoints/filters/request_deadline.go, pkg/server/filters/timeout.go
 */
import { badRequest, type Clock, parseGoDurationMs } from "@nanokube/machinery";
import { isLongRunning } from "./flow-control/flow-control.ts";
import type { RequestInfo } from "./request-info.ts";
import type { ApiRequest, ApiResponse } from "./rest/context.ts";

/** Undefined: as long as it takes. @throws StatusError 400 */
export function timeoutOf(
  request: ApiRequest,
  info: RequestInfo,
  maxMs: number,
): number | undefined {
  if (isLongRunning(info)) return undefined;
  const asked = request.query.get("timeout");
  if (asked === null || asked === "") return maxMs;
  const timeoutMs = parseGoDurationMs(asked);
  if (timeoutMs === undefined) {
    throw badRequest(`invalid timeout specified in the request URL - ${durationFault(asked)}`);
  }
  return timeoutMs > 0 && timeoutMs < maxMs ? timeoutMs : maxMs;
}

/** Go's words for what is no duration. */
function durationFault(text: string): string {
  const quoted = JSON.stringify(text);
  const parts = /^[+-]?((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*)(.*)$/su.exec(text);
  const [, number = "", unit = ""] = /^(\d+\.?\d*|\.\d+)?([^\d.]*)/su.exec(parts?.[2] ?? "") ?? [];
  if (number === "") return `time: invalid duration ${quoted}`;
  if (unit === "") return `time: missing unit in duration ${quoted}`;
  return `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
}

const encoder = new TextEncoder();
const lateText = JSON.stringify({
  metadata: {},
  status: "Failure",
  message: "Timeout: request did not complete within the allotted timeout",
  reason: "Timeout",
  details: {},
  code: 504,
});

function late(): ApiResponse {
  const headers = { "content-type": "text/plain; charset=utf-8" };
  return { status: 504, headers, body: encoder.encode(`${lateText}\n`) };
}

/** The answer, or the word that it came too late; what it was about may be done all the same. */
export function withinTime(
  clock: Clock,
  timeoutMs: number | undefined,
  work: () => Promise<ApiResponse>,
): Promise<ApiResponse> {
  if (timeoutMs === undefined) return work();
  // A thousandth of a millisecond is over before anything is looked at.
  if (timeoutMs < 0.01) return Promise.resolve(late());
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => resolve(late()), timeoutMs);
    const settle = (): void => clock.clearTimeout(timer);
    work().then(resolve, reject).then(settle, settle);
  });
}
