/**
 * Refusals, in gRPC's codes as CSI assigns them.
 *
 * INVALID_ARGUMENT: a field is missing or senseless. NOT_FOUND: no such volume, snapshot or path.
 * ALREADY_EXISTS: the name is taken by something else. OUT_OF_RANGE: a size this driver never
 * gives. RESOURCE_EXHAUSTED: not on this node, or no room. FAILED_PRECONDITION: in use. ABORTED: a
 * list token of an older list.
 *
 * Source  CSI v1.9 spec.md, error schemes of each call
 */
import { codes, RpcError } from "@nanokube/rpc";

export function refuse(code: keyof typeof codes, details: string): never {
  throw new RpcError(codes[code], details);
}

/** The value, or INVALID_ARGUMENT "X missing in request". */
export function need<T>(value: T | undefined, what: string): T {
  if (value === undefined || value === "") refuse("INVALID_ARGUMENT", `${what} missing in request`);
  return value;
}
