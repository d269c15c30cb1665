/**
 * Status: how the API says that something did not work, and the error that carries it.
 *
 * Shapes  Status       the wire object, complete (kind, apiVersion, empty metadata), ready to be
 *                      served
 *         StatusError  thrown on every boundary that speaks Kubernetes; its text is
 *                      `status.message`
 * Source  k8s.io/apimachinery/pkg/apis/meta/v1/types.go, pkg/api/errors/errors.go
 */

import type { Status, StatusCause, StatusDetails } from "@nanokube/api/meta/v1";

export type { Status, StatusCause, StatusDetails };

export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? "");
    this.name = "StatusError";
    this.status = status;
  }

  get code(): number {
    return this.status.code ?? 0;
  }

  get reason(): string {
    return this.status.reason ?? "";
  }
}

/** A failure in the order upstream writes its fields; details without content are left out. */
export function failure(
  code: number,
  reason: string,
  message: string,
  details?: StatusDetails,
): StatusError {
  const status: Status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
  };
  if (reason !== "") status.reason = reason;
  if (details !== undefined) status.details = withoutEmpty(details);
  status.code = code;
  return new StatusError(status);
}

function withoutEmpty(details: StatusDetails): StatusDetails {
  const { name, group, kind, uid, causes, retryAfterSeconds } = details;
  return {
    ...(name ? { name } : {}),
    ...(group ? { group } : {}),
    ...(kind ? { kind } : {}),
    ...(uid ? { uid } : {}),
    ...(causes && causes.length > 0 ? { causes } : {}),
    ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
  };
}

/** The error a client makes of a body that may be a Status; undefined when it is not one. */
export function statusErrorFromObject(body: unknown): StatusError | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const status = body as Status;
  if (status.kind !== "Status") return undefined;
  if (status.apiVersion !== "v1" && status.apiVersion !== "meta.k8s.io/v1") return undefined;
  return new StatusError(status);
}

const codeOfReason: Readonly<Record<string, number>> = {
  NotFound: 404,
  Conflict: 409,
  Invalid: 422,
  Forbidden: 403,
  Unauthorized: 401,
  BadRequest: 400,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  UnsupportedMediaType: 415,
  InternalError: 500,
  ServiceUnavailable: 503,
  TooManyRequests: 429,
  RequestEntityTooLarge: 413,
  Gone: 410,
};

/** Reasons that upstream knows; only an unknown one is judged by its code. */
const knownReasons: ReadonlySet<string> = new Set([
  ...Object.keys(codeOfReason),
  "AlreadyExists",
  "ServerTimeout",
  "StoreReadError",
  "Timeout",
  "Expired",
]);

function has(error: unknown, reason: string): boolean {
  if (!(error instanceof StatusError)) return false;
  if (error.reason === reason) return true;
  return !knownReasons.has(error.reason) && error.code === codeOfReason[reason];
}

export const isNotFound = (error: unknown): boolean => has(error, "NotFound");
export const isConflict = (error: unknown): boolean => has(error, "Conflict");
export const isInvalid = (error: unknown): boolean => has(error, "Invalid");
export const isForbidden = (error: unknown): boolean => has(error, "Forbidden");
export const isUnauthorized = (error: unknown): boolean => has(error, "Unauthorized");
export const isBadRequest = (error: unknown): boolean => has(error, "BadRequest");
export const isMethodNotSupported = (error: unknown): boolean => has(error, "MethodNotAllowed");
export const isInternalError = (error: unknown): boolean => has(error, "InternalError");
export const isServiceUnavailable = (error: unknown): boolean => has(error, "ServiceUnavailable");
export const isGone = (error: unknown): boolean => has(error, "Gone");
export const isRequestEntityTooLarge = (error: unknown): boolean =>
  has(error, "RequestEntityTooLarge") || (error instanceof StatusError && error.code === 413);
export const isTooManyRequests = (error: unknown): boolean =>
  has(error, "TooManyRequests") || (error instanceof StatusError && error.code === 429);
export const isAlreadyExists = (error: unknown): boolean => reasonIs(error, "AlreadyExists");
export const isExpired = (error: unknown): boolean => reasonIs(error, "Expired");
export const isTimeout = (error: unknown): boolean => reasonIs(error, "Timeout");
export const isServerTimeout = (error: unknown): boolean => reasonIs(error, "ServerTimeout");

function reasonIs(error: unknown, reason: string): boolean {
  return error instanceof StatusError && error.reason === reason;
}

export function hasStatusCause(error: unknown, reason: string): boolean {
  if (!(error instanceof StatusError)) return false;
  return error.status.details?.causes?.some((cause) => cause.reason === reason) ?? false;
}

/** Seconds the server asks to wait before the next try; undefined when it does not. */
export function suggestedDelaySeconds(error: unknown): number | undefined {
  if (!(error instanceof StatusError)) return undefined;
  const seconds = error.status.details?.retryAfterSeconds ?? 0;
  if (reasonIs(error, "ServerTimeout") || isTooManyRequests(error)) return seconds;
  return seconds > 0 ? seconds : undefined;
}
