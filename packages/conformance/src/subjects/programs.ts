/**
 * Every place where one of upstream's programs stands: several releases of
 * etcdctl are worth testing.
 *
 * A program that is absent is a reason to skip, never a failure; CI fills the
 * cache and forbids skips.
 */
import { delimiter, join } from "node:path";
import { cacheDirectory, isExecutable } from "../upstream/cache.ts";

/** The cache's first, then the PATH's. */
export function findPrograms(name: string): string[] {
  const directories = [cacheDirectory(), ...(process.env["PATH"] ?? "").split(delimiter)];
  return [...new Set(directories)].map((place) => join(place, name)).filter(isExecutable);
}

export function findProgram(name: string): string | undefined {
  return findPrograms(name)[0];
}

export function missing(name: string): string {
  return `${name} is not on the PATH or in the cache of upstream's programs (npm run upstream)`;
}
