/**
 * A pod's resolver: servers, search domains, options; and its host name.
 *
 * Source  pkg/kubelet/network/dns/dns.go, pkg/kubelet/kubelet_pods.go GeneratePodHostNameAndDomain
 */
import type { Pod } from "@nanokube/api/core/v1";
import { formatPod, isHostNetwork, podName, podNamespace } from "./pod.ts";

export interface ResolverConfig {
  servers: string[];
  searches: string[];
  options: string[];
}

export interface DNSSettings {
  clusterDNS: readonly string[];
  clusterDomain: string;
  /** The node's own resolv.conf, parsed. */
  host: ResolverConfig;
}

export interface DNSWarning {
  reason: string;
  message: string;
}

const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARS = 2048;
const MAX_NAME = 253;

const unique = (list: readonly string[]): string[] => [...new Set(list)];

/** resolv.conf: nameservers add up, the last search line wins. */
export function parseResolvConf(text: string): ResolverConfig {
  const servers: string[] = [];
  let searches: string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === "nameserver" && words[0] !== undefined) servers.push(words[0]);
    else if (keyword === "search") {
      searches = words.filter((word) => word !== ".").map((word) => word.replace(/\.$/, ""));
    } else if (keyword === "options") {
      for (const word of words) options.set(word.split(":")[0]!, word);
    }
  }
  return { servers, searches, options: [...options.values()] };
}

function mergeOptions(options: readonly string[], pod: Pod): string[] {
  const merged = new Map(options.map((option) => [option.split(":")[0]!, option]));
  for (const { name, value } of pod.spec?.dnsConfig?.options ?? []) {
    merged.set(name ?? "", value ? `${name}:${value}` : (name ?? ""));
  }
  return [...merged.values()];
}

function fitLimits(config: ResolverConfig, warnings: DNSWarning[]): ResolverConfig {
  const warn = (message: string) => warnings.push({ reason: "DNSConfigForming", message });
  const servers = config.servers.slice(0, MAX_SERVERS);
  if (servers.length < config.servers.length) {
    warn(
      `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(" ")}`,
    );
  }
  const searches = config.searches.slice(0, MAX_SEARCHES).filter((s) => s.length <= MAX_NAME);
  while (searches.join(" ").length > MAX_SEARCH_CHARS) searches.pop();
  if (searches.length < config.searches.length) {
    warn(
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(" ")}`,
    );
  }
  return { servers, searches, options: config.options };
}

function baseConfig(pod: Pod, settings: DNSSettings, warnings: DNSWarning[]): ResolverConfig {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { servers: [], searches: [], options: [] };
  const cluster =
    policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !isHostNetwork(pod));
  if (!cluster) return settings.host;
  if (settings.clusterDNS.length === 0) {
    warnings.push({
      reason: "MissingClusterDNS",
      message: `pod: "${formatPod(pod)}". kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.`,
    });
    return settings.host;
  }
  const domain = settings.clusterDomain;
  const own = domain === "" ? [] : [`${podNamespace(pod)}.svc.${domain}`, `svc.${domain}`, domain];
  return {
    servers: [...settings.clusterDNS],
    searches: unique([...own, ...settings.host.searches]),
    options: ["ndots:5"],
  };
}

export function podDNS(
  pod: Pod,
  settings: DNSSettings,
): { config: ResolverConfig; warnings: DNSWarning[] } {
  const warnings: DNSWarning[] = [];
  const config = { ...baseConfig(pod, settings, warnings) };
  const extra = pod.spec?.dnsConfig;
  if (extra !== undefined) {
    config.servers = unique([...config.servers, ...(extra.nameservers ?? [])]);
    config.searches = unique([...config.searches, ...(extra.searches ?? [])]);
    config.options = mergeOptions(config.options, pod);
  }
  return { config: fitLimits(config, warnings), warnings };
}

const HOSTNAME_MAX = 63;

/** Host name and domain of a pod; the domain is empty without a subdomain. */
export function podHostname(pod: Pod, clusterDomain: string): { hostname: string; domain: string } {
  const truncate = (name: string) =>
    name.length <= HOSTNAME_MAX ? name : name.slice(0, HOSTNAME_MAX).replace(/[-.]+$/, "");
  const override = pod.spec?.hostnameOverride;
  if (override) return { hostname: truncate(override), domain: "" };
  const hostname = truncate(pod.spec?.hostname || podName(pod));
  const subdomain = pod.spec?.subdomain;
  const domain = subdomain ? `${subdomain}.${podNamespace(pod)}.svc.${clusterDomain}` : "";
  return { hostname, domain };
}

/** What the kernel is told: the full name when the pod asks for it. */
export function kernelHostname(pod: Pod, clusterDomain: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain);
  if (pod.spec?.setHostnameAsFQDN !== true || domain === "") return hostname;
  const fqdn = `${hostname}.${domain}`;
  if (fqdn.length > HOSTNAME_MAX + 1) {
    throw new Error(
      `failed to construct FQDN from Pod hostname and cluster domain, FQDN ${fqdn} is too long (64 characters is the max, ${fqdn.length} characters requested)`,
    );
  }
  return fqdn;
}

/** The pod's /etc/hosts, written again whenever its address changes. */
export function hostsFile(
  pod: Pod,
  podIPs: readonly string[],
  clusterDomain: string,
  nodeHosts: string,
): string {
  const aliases = (pod.spec?.hostAliases ?? [])
    .map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join("\t")}\n`)
    .join("");
  const aliasBlock = aliases === "" ? "" : `\n# Entries added by HostAliases.\n${aliases}`;
  const header = "# Kubernetes-managed hosts file";
  if (isHostNetwork(pod)) return `${header} (host network).\n${nodeHosts}${aliasBlock}`;
  const { hostname, domain } = podHostname(pod, clusterDomain);
  const names = domain === "" ? hostname : `${hostname}.${domain}\t${hostname}`;
  const fixed = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
  ];
  const own = podIPs.map((ip) => `${ip}\t${names}`);
  return `${header}.\n${[...fixed, ...own].join("\n")}\n${aliasBlock}`;
}
