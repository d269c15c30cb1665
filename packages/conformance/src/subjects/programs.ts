/**
 * Every place where one of upstream's programs stands: several releases of
 * etcdctl are worth testing.
 *
 * A program that is absent is a reason to skip, never a failure; CI fills the
 * cache and forbids skips.
 */
import { findEveryUpstream, findUpstream } from "nanokube/programs";
import { missingReason } from "../upstream/cache.ts";

/** The cache's first, then the PATH's. */
export const findPrograms = (name: string): string[] => findEveryUpstream(name);

export const findProgram = (name: string): string | undefined => findUpstream(name);

export function missing(name: string): string {
  return missingReason(name) ?? `${name} is there`;
}
