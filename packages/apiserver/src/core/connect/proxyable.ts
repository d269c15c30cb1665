/**
 * Where a proxy may lead: not to this machine's own addresses, nor to those that only hold on its
 * link, whatever a pod or a node says of itself.
 *
 * Errors  400 "address not allowed"
 * Source  pkg/registry/core/node/strategy.go isProxyableHostname, pkg/registry/core/pod/strategy.go;
 *         Go's net.IP.IsGlobalUnicast
 */
import { badRequest, isMappedIPv4, parseIP } from "@nanokube/machinery";

/** `allowsLoopback`: pods and nodes are processes beside this one. A name is not looked up. */
export function checkProxyable(host: string, allowsLoopback: boolean): void {
  const kind = kindOf(host);
  if (kind === "global" || (kind === "loopback" && allowsLoopback)) return;
  throw badRequest("address not allowed");
}

function kindOf(host: string): "global" | "loopback" | "local" {
  if (host === "localhost") return "loopback";
  const parsed = parseIP(host);
  if (parsed === undefined) return "global";
  const bytes = isMappedIPv4(parsed) ? parsed.slice(12) : parsed;
  return bytes.length === 4 ? kindOfIPv4(bytes) : kindOfIPv6(bytes);
}

function kindOfIPv4(bytes: readonly number[]): "global" | "loopback" | "local" {
  const [a = 0, b = 0] = bytes;
  if (a === 127) return "loopback";
  const isLinkLocal = a === 169 && b === 254;
  const isMulticast = a >= 224 && a < 240;
  const isUnspecified = bytes.every((byte) => byte === 0);
  const isBroadcast = bytes.every((byte) => byte === 255);
  return isLinkLocal || isMulticast || isUnspecified || isBroadcast ? "local" : "global";
}

function kindOfIPv6(bytes: readonly number[]): "global" | "loopback" | "local" {
  const [a = 0, b = 0] = bytes;
  if (bytes.slice(0, 15).every((byte) => byte === 0)) {
    if (bytes[15] === 1) return "loopback";
    if (bytes[15] === 0) return "local";
  }
  const isLinkLocal = a === 0xfe && (b & 0xc0) === 0x80;
  return isLinkLocal || a === 0xff ? "local" : "global";
}
