/**
 * A resolv.conf file as CNI's DNS record.
 *
 * Source  containernetworking/plugins v1.9 plugins/ipam/host-local/dns.go
 */
import type { DNS } from "./result.ts";

export function parseResolvConf(text: string): DNS {
  const nameservers: string[] = [];
  const search: string[] = [];
  const options: string[] = [];
  let domain: string | undefined;
  for (const line of text.split("\n")) {
    if (/^\s*[;#]/.test(line)) continue;
    const [key, ...values] = line.trim().split(/\s+/);
    if (values.length === 0) continue;
    if (key === "nameserver") nameservers.push(values[0]!);
    else if (key === "domain") domain = values[0]!;
    else if (key === "search") search.push(...values);
    else if (key === "options") options.push(...values);
  }
  return {
    ...(nameservers.length > 0 ? { nameservers } : {}),
    ...(domain === undefined ? {} : { domain }),
    ...(search.length > 0 ? { search } : {}),
    ...(options.length > 0 ? { options } : {}),
  };
}
