/**
 * --service-cluster-ip-range: one range, or one of each family; the first is the cluster's own.
 *
 * Errors  as kube-apiserver words them, one line each
 * Source  cmd/kube-apiserver/app/options/{validation,completion}.go,
 *         pkg/controlplane/apiserver/services.go
 */
import { parseIP, parsePrefix } from "@nanokube/machinery";
import { parseRanges } from "../core/service/cidr.ts";

export const usualServiceRange = "10.0.0.0/24";
const fewestAddresses = 8n;

export function serviceRangeProblems(list: string, advertiseAddress: string | undefined): string[] {
  const texts = list.split(",");
  const flag = "--service-cluster-ip-range";
  const bad = texts.findIndex((text) => parsePrefix(text.trim()) === undefined);
  if (bad === 0) return ["service-cluster-ip-range[0] is not a valid cidr"];
  if (bad > 0) return [`service-cluster-ip-range[${bad}] is not an ip net`];
  if (texts.length > 2) return [`${flag} must not contain more than two entries`];
  const [primary, secondary] = parseRanges(list);
  if (primary!.last - primary!.first + 3n < fewestAddresses) {
    const why = "the service cluster IP range must be at least 8 IP addresses";
    return [`error determining service IP ranges for primary service cidr: ${why}`];
  }
  if (secondary?.family === primary!.family) {
    return [`${flag}[0] and ${flag}[1] must be of different IP family`];
  }
  const own = advertiseAddress === undefined ? undefined : parseIP(advertiseAddress);
  if (own === undefined || (own.length === 4) === (primary!.family === "IPv4")) return [];
  const families = `service IP family "${primary!.cidr}" must match public address family`;
  return [`${families} "${advertiseAddress}"`];
}
