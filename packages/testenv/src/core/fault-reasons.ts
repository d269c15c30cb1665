/**
 * The reason that goes with a status code when the server itself says nothing closer.
 *
 * Source  apimachinery/pkg/api/errors/errors.go (NewGenericServerResponse)
 */
const reasons: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

export const reasonOf = (code: number): string =>
  reasons[code] ?? (code >= 500 ? "InternalError" : "Unknown");
