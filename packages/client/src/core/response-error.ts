/**
 * An answer of 400 and above becomes machinery's StatusError: the server's own Status where it sent
 * one, else one made from the HTTP status in client-go's words.
 *
 * Source  apimachinery api/errors/errors.go NewGenericServerResponse; client-go rest/request.go
 *         transformResponse
 */

import type { Status } from "@nanokube/api/meta/v1";
import { StatusError } from "@nanokube/machinery";

const reasons: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ["BadRequest", "the server rejected our request for an unknown reason"],
  401: ["Unauthorized", "the server has asked for the client to provide credentials"],
  403: ["Forbidden", ""],
  404: ["NotFound", "the server could not find the requested resource"],
  405: ["MethodNotAllowed", "the server does not allow this method on the requested resource"],
  406: [
    "NotAcceptable",
    "the server was unable to respond with a content type that the client supports",
  ],
  409: ["Conflict", "the server reported a conflict"],
  410: ["Expired", "the server reported that the requested resource is gone"],
  415: ["UnsupportedMediaType", ""],
  422: ["Invalid", "the server rejected our request due to an error in our request"],
  429: [
    "TooManyRequests",
    "the server has received too many requests and has asked us to try again later",
  ],
  503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
  504: [
    "Timeout",
    "the server was unable to return a response in the time allotted, but may still be processing the request",
  ],
};

export function responseError(status: number, body: string, retryAfter?: string): StatusError {
  const sent = parseStatus(body);
  if (sent !== undefined) return new StatusError(sent);
  const [reason, words] = reasons[status] ?? [
    status >= 500 ? "InternalError" : "Unknown",
    status >= 500
      ? `an error on the server (${JSON.stringify(clip(body))}) has prevented the request from succeeding`
      : `the server responded with the status code ${status} but did not return more information`,
  ];
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  return new StatusError({
    apiVersion: "v1",
    kind: "Status",
    metadata: {},
    status: "Failure",
    code: status,
    reason,
    message:
      words === "" ? clip(body) || `the server responded with the status code ${status}` : words,
    details: {
      ...(Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {}),
      ...(body === ""
        ? {}
        : { causes: [{ reason: "UnexpectedServerResponse", message: clip(body) }] }),
    },
  });
}

function clip(body: string): string {
  return body.length > 2048 ? `${body.slice(0, 2048)}…` : body.trim();
}

function parseStatus(body: string): Status | undefined {
  if (!body.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(body) as Status;
    return value.kind === "Status" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A StatusError with this reason ("NotFound", "AlreadyExists", "Conflict", …)? */
export function isReason(error: unknown, ...wanted: readonly string[]): error is StatusError {
  return error instanceof StatusError && wanted.includes(error.reason);
}

export function isNotFound(error: unknown): error is StatusError {
  return isReason(error, "NotFound");
}

/** What was asked for; undefined when the server does not have it. */
export async function ifFound<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export function isAlreadyExists(error: unknown): error is StatusError {
  return isReason(error, "AlreadyExists");
}

export function isConflict(error: unknown): error is StatusError {
  return isReason(error, "Conflict");
}

/** The list or watch started from a version that is no longer kept: list again. */
export function isExpired(error: unknown): error is StatusError {
  return error instanceof StatusError && (error.code === 410 || isReason(error, "Expired", "Gone"));
}
