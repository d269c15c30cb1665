/**
 * A patch that cannot be applied, in the words of the library upstream uses.
 *
 * Shapes  kind  "badRequest"     the patch itself is malformed: 400
 *               "unprocessable"  it does not fit the object: 422
 *               "internal"       anything else: 500, as upstream answers
 */

import { failure, type StatusError } from "../status.ts";
import { badRequest } from "../status-errors.ts";

export type PatchErrorKind = "badRequest" | "unprocessable" | "internal";

export class PatchError extends Error {
  readonly kind: PatchErrorKind;

  constructor(kind: PatchErrorKind, message: string) {
    super(message);
    this.name = "PatchError";
    this.kind = kind;
  }

  /** What kube-apiserver answers; for 422 it keeps the reason to itself. */
  toStatusError(): StatusError {
    if (this.kind === "badRequest") return badRequest(this.message);
    if (this.kind === "internal") return failure(500, "", this.message);
    const message = "the server rejected our request due to an error in our request";
    return failure(422, "Invalid", message, {});
  }
}

/** fmt's %v of plain data: `map[name:x ports:[80 443]]`. */
export function formatGoValue(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(formatGoValue).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const members = Object.entries(value as Record<string, unknown>);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${members.map(([key, member]) => `${key}:${formatGoValue(member)}`).join(" ")}]`;
}
