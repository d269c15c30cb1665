/**
 * The fingerprint that discovery shows of the version in which a resource is stored. Built-in
 * resources bring theirs in the table; custom ones need it computed.
 *
 * Shapes  base64 of the first 8 bytes of SHA-256 over "group/version/kind"
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/discovery/storageversionhash.go
 */
import type { GroupVersionKind } from "@nanokube/api";

export function storageVersionHash(
  { group, version, kind }: GroupVersionKind,
  sha256: (text: string) => Uint8Array,
): string {
  const digest = sha256(`${group}/${version}/${kind}`);
  return btoa(String.fromCharCode(...digest.subarray(0, 8)));
}
