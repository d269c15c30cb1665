/**
 * Which addresses the kubernetes Service has where servers are known by their number only: each
 * adds its own, and who sees too many takes away those that come after its own.
 *
 * Source  pkg/controlplane/reconcilers/instancecount.go
 */
import type { EndpointSubset } from "@nanokube/api/core/v1";

/** Undefined: they are as they should be. */
export function countedAddresses(
  subsets: readonly EndpointSubset[],
  own: string,
  count: number,
): string[] | undefined {
  const [subset] = subsets;
  if (subset === undefined || subsets.length > 1) return [own];
  const current = addressesOf(subset);
  if (current.includes(own) && current.length <= count) return undefined;
  const addresses = [...new Set([...current, own])].sort();
  while (addresses.length > count) {
    addresses.splice((addresses.indexOf(own) + 1) % addresses.length, 1);
  }
  return addresses;
}

export function addressesOf({ addresses = [] }: EndpointSubset): string[] {
  return addresses.flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}
