/**
 * Which of this machine's addresses take node ports.
 *
 * Shapes  undefined  all of them
 * Source  kubernetes pkg/proxy/util/nodeport_addresses.go
 */
import { networkInterfaces } from "node:os";
import { cidrContains, type Family, parseCIDR } from "../core/address.ts";

export function localAddresses(
  wanted: readonly string[],
  family: Family,
  primaryIP: string,
): string[] | undefined {
  if (wanted[0] === "primary") return primaryIP === "" ? [] : [primaryIP];
  const cidrs = wanted.flatMap((text) => parseCIDR(text) ?? []).filter((c) => c.family === family);
  if (wanted.length === 0 || cidrs.some((c) => c.bits === 0)) return undefined;
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return own.map((a) => a.address).filter((ip) => cidrs.some((cidr) => cidrContains(cidr, ip)));
}
