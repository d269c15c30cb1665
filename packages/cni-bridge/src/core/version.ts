/**
 * The versions of the CNI protocol that this plugin speaks.
 *
 * 0.1.0 and 0.2.0 have another result shape (`ip4`, `ip6`) that no living runtime asks for: refused
 * with code 1.
 *
 * Source  CNI 1.1.0 SPEC.md; pkg/version/plugin.go, reconcile.go
 */
import { CNIError } from "./errors.ts";

export const currentVersion = "1.1.0";
export const supportedVersions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;

export function checkVersion(version: string): void {
  if ((supportedVersions as readonly string[]).includes(version)) return;
  const list = supportedVersions.map((v) => JSON.stringify(v)).join(" ");
  const details = `config is ${JSON.stringify(version)}, plugin supports [${list}]`;
  throw new CNIError("incompatibleVersion", "incompatible CNI versions", details);
}

/**
 * Is `version` at least `other`? Both are supported versions, so that three numbers are certain.
 */
export function atLeast(version: string, other: string): boolean {
  const [a, b] = [version, other].map((v) => v.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
