/**
 * The failures of the API, one constructor each, in upstream's words.
 *
 * Source  k8s.io/apimachinery/pkg/api/errors/errors.go;
 *         k8s.io/apiserver/pkg/endpoints/handlers/negotiation/errors.go (media types)
 */
import { aggregateFieldErrors, type FieldError } from "./field-error.ts";
import { quoteGo } from "./go-text.ts";
import {
  formatGroupKind,
  formatGroupResource,
  type GroupKind,
  type GroupResource,
} from "./object.ts";
import { failure, type StatusCause, type StatusError } from "./status.ts";

function about(gr: GroupResource, name?: string) {
  return { group: gr.group, kind: gr.resource, ...(name === undefined ? {} : { name }) };
}

function named(gr: GroupResource, name: string): string {
  return `${formatGroupResource(gr)} ${quoteGo(name)}`;
}

export function notFound(gr: GroupResource, name: string): StatusError {
  return failure(404, "NotFound", `${named(gr, name)} not found`, about(gr, name));
}

export function alreadyExists(gr: GroupResource, name: string): StatusError {
  return failure(409, "AlreadyExists", `${named(gr, name)} already exists`, about(gr, name));
}

export function generateNameConflict(
  gr: GroupResource,
  name: string,
  retryAfterSeconds: number,
): StatusError {
  const message = `${named(gr, name)} already exists, the server was not able to generate a unique name for the object`;
  return failure(409, "AlreadyExists", message, { ...about(gr, name), retryAfterSeconds });
}

export function unauthorized(message = ""): StatusError {
  return failure(401, "Unauthorized", message === "" ? "not authorized" : message);
}

export function forbidden(gr: GroupResource, name: string, message: string): StatusError {
  let text = `${named(gr, name)} is forbidden: ${message}`;
  if (gr.group === "" && gr.resource === "") text = `forbidden: ${message}`;
  else if (name === "") text = `${formatGroupResource(gr)} is forbidden: ${message}`;
  return failure(403, "Forbidden", text, about(gr, name));
}

/** What a stale resourceVersion is told; the message of `conflict` in that case. */
export const objectModifiedMessage =
  "the object has been modified; please apply your changes to the latest version and try again";

export function conflict(
  gr: GroupResource,
  name: string,
  message: string = objectModifiedMessage,
): StatusError {
  const text = `Operation cannot be fulfilled on ${named(gr, name)}: ${message}`;
  return failure(409, "Conflict", text, about(gr, name));
}

/** Conflicts of server-side apply: one cause a field. */
export function applyConflict(causes: StatusCause[], message: string): StatusError {
  return failure(409, "Conflict", message, { causes });
}

/** Deprecated upstream in favour of `expired`. */
export function gone(message: string): StatusError {
  return failure(410, "Gone", message);
}

/** A resourceVersion or continue token is too old. */
export function expired(message: string): StatusError {
  return failure(410, "Expired", message);
}

export function invalid(gk: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const causes = errors.map((error) => ({
    reason: error.type,
    message: error.message(),
    field: error.field,
  }));
  let message = `${formatGroupKind(gk)} ${quoteGo(name)} is invalid`;
  if (errors.length > 0) message += `: ${aggregateFieldErrors(errors)}`;
  return failure(422, "Invalid", message, { name, group: gk.group, kind: gk.kind, causes });
}

export function badRequest(message: string): StatusError {
  return failure(400, "BadRequest", message);
}

/** "too many requests" with what to do about it. */
export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return failure(429, "TooManyRequests", message, { retryAfterSeconds });
}

export function serviceUnavailable(message: string): StatusError {
  return failure(503, "ServiceUnavailable", message);
}

export function methodNotSupported(gr: GroupResource, action: string): StatusError {
  const message = `${action} is not supported on resources of kind ${quoteGo(formatGroupResource(gr))}`;
  return failure(405, "MethodNotAllowed", message, about(gr));
}

export function serverTimeout(
  gr: GroupResource,
  operation: string,
  retryAfterSeconds: number,
): StatusError {
  const message = `The ${operation} operation against ${formatGroupResource(gr)} could not be completed at this time, please try again.`;
  return failure(500, "ServerTimeout", message, { ...about(gr, operation), retryAfterSeconds });
}

export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return failure(504, "Timeout", `Timeout: ${message}`, { retryAfterSeconds });
}

export function internalError(cause: unknown): StatusError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const causes = [{ message: text }];
  return failure(500, "InternalError", `Internal error occurred: ${text}`, { causes });
}

export function requestEntityTooLarge(message: string): StatusError {
  return failure(413, "RequestEntityTooLarge", `Request entity too large: ${message}`);
}

/** Body in a format nobody reads here. */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`;
  return failure(415, "UnsupportedMediaType", message);
}

/** Accept header that nothing satisfies; `target` when a conversion (Table) was asked for. */
export function notAcceptable(accepted: readonly string[], target?: string): StatusError {
  const where = target === undefined ? "" : ` when converting to ${target}`;
  const message = `only the following media types are accepted${where}: ${accepted.join(", ")}`;
  return failure(406, "NotAcceptable", message);
}

/** A feature that this implementation leaves out, refused by name. */
export function notImplemented(message: string): StatusError {
  return failure(501, "NotImplemented", message);
}

/** Any code and reason, for an answer that is in none of the forms above. */
export function genericStatus(code: number, reason: string, message: string): StatusError {
  return failure(code, reason, message);
}
