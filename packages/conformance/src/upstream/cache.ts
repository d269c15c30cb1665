/**
 * Upstream's programs, and why a test that needs one cannot run.
 *
 * Errors  with CI=true a missing program is an error: CI makes them first, so that nothing is
 *         compared with nothing
 */
import { cacheDirectory, findUpstream, isExecutable } from "nanokube/programs";

export { cacheDirectory, findUpstream, isExecutable };

/** Undefined when all are there. */
export function missingReason(...names: string[]): string | undefined {
  const missing = names.filter((name) => findUpstream(name) === undefined);
  if (missing.length === 0) return undefined;
  const reason = `upstream's ${missing.join(", ")} not found: run "npm run upstream"`;
  if (process.env["CI"] === "true") throw new Error(reason);
  return reason;
}
