/** 405, in upstream's words. */
import { genericStatus } from "@nanokube/machinery";

export function methodNotAllowed(): Error {
  const error = genericStatus(
    405,
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
  );
  error.status.details = {};
  return error;
}
