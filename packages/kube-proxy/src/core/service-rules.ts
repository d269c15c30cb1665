/**
 * The rules of one service port: the place where a Service becomes iptables lines.
 *
 *   KUBE-SERVICES   to the cluster IP         → KUBE-SVC-… (KUBE-SVL-… if internal policy Local)
 *                   to an external IP         → KUBE-EXT-…
 *                   to a load balancer's IP   → KUBE-EXT-… (KUBE-FW-… with source ranges)
 *   KUBE-NODEPORTS  to the node port          → KUBE-EXT-…
 *   KUBE-EXT-…      masquerade                → KUBE-SVC-…
 *                   with policy Local neither → KUBE-SVL-…
 *   KUBE-SVC-…      a die for each endpoint   → KUBE-SEP-…
 *   KUBE-SEP-…      masquerade a pod that meets itself; DNAT to the endpoint
 *
 * Without endpoints nothing of this: the filter table rejects (no endpoint at all) or drops (none
 * on this node) instead.
 *
 * Shapes  ServiceRules  lines without "-A": shared ones go on every sync, own chains only when they
 *                       changed
 * Source  kubernetes pkg/proxy/iptables/proxier.go syncProxyRules, writeServiceToEndpointRules
 */
import { cidrContains } from "./address.ts";
import {
  endpointChain,
  externalServices,
  type Hash,
  markMasq,
  nodePorts,
  proxyFirewall,
  type ServiceChains,
  serviceChains,
  services,
} from "./chains.ts";
import type { Endpoint } from "./endpoints.ts";
import type { LocalDetector } from "./local-detector.ts";
import {
  isExternallyAccessible,
  type ServicePort,
  usesClusterEndpoints,
  usesLocalEndpoints,
} from "./service-port.ts";
import { type Categories, categorizeEndpoints, type NodeView } from "./topology.ts";

export interface ServiceRules {
  filter: string[];
  /** Rules in the shared chains of the nat table. */
  nat: string[];
  /** Chains of this port alone, and the rules in them. */
  chains: string[];
  own: string[];
}

export interface RuleOptions {
  hash: Hash;
  node: NodeView;
  nodeIP: string;
  masqueradeAll: boolean;
  localDetector: LocalDetector | undefined;
  /** More than 1000 endpoints: comments, 40 % of the text, are left out. */
  largeCluster: boolean;
}

interface Work {
  port: ServicePort;
  options: RuleOptions;
  chains: ServiceChains;
  endpoints: Categories;
  rules: ServiceRules;
  /** Where traffic to the cluster IP goes; undefined: nowhere from this node. */
  internal: string | undefined;
  /** Where external traffic goes after KUBE-EXT. */
  external: string | undefined;
  usesFirewall: boolean;
}

export function serviceRules(
  port: ServicePort,
  all: readonly Endpoint[],
  options: RuleOptions,
): ServiceRules {
  const chains = serviceChains(port.name, port.protocol, options.hash);
  const endpoints = categorizeEndpoints(all, port, options.node);
  const { hasEndpoints, local } = endpoints;
  const target = (isLocalPolicy: boolean): string | undefined => {
    if (!isLocalPolicy) return hasEndpoints ? chains.cluster : undefined;
    return local.length > 0 ? chains.local : undefined;
  };
  const work: Work = {
    port,
    options,
    chains,
    endpoints,
    rules: { filter: [], nat: [], chains: [], own: [] },
    internal: target(port.internalPolicyLocal),
    external: target(port.externalPolicyLocal),
    usesFirewall:
      hasEndpoints && port.loadBalancerVIPs.length > 0 && port.loadBalancerSourceRanges.length > 0,
  };
  captureClusterIP(work);
  captureExternal(work);
  captureNodePort(work);
  if (hasEndpoints && isExternallyAccessible(port)) externalChain(work);
  if (work.usesFirewall) firewallChain(work);
  policyChains(work);
  endpointChains(work);
  return work.rules;
}

/** `-m tcp -p tcp -d IP --dport N` */
function to(port: ServicePort, ip: string): string {
  return `-m ${port.protocol} -p ${port.protocol} -d ${ip} --dport ${port.port}`;
}

const comment = (text: string): string => `-m comment --comment "${text}"`;

/** REJECT tells the client at once; DROP leaves a load balancer time to find another node. */
function refusal(work: Work): string[] {
  const { hasEndpoints } = work.endpoints;
  const why = hasEndpoints ? "has no local endpoints" : "has no endpoints";
  return [comment(`${work.port.name} ${why}`), hasEndpoints ? "-j DROP" : "-j REJECT"];
}

function captureClusterIP(work: Work): void {
  const { port, rules, internal, options } = work;
  const destination = to(port, port.clusterIP);
  if (internal === undefined) {
    const [why, verdict] = refusal(work);
    rules.filter.push(`${services} ${why} ${destination} ${verdict}`);
    return;
  }
  const text = comment(`${port.name} cluster IP`);
  rules.nat.push(`${services} ${text} ${destination} -j ${internal}`);
  if (options.masqueradeAll) {
    rules.own.push(`${internal} ${text} ${destination} -j ${markMasq}`);
  } else if (options.localDetector !== undefined) {
    // Somebody outside may route the service range to any node; the answer must come back through
    // it.
    const { ifNotLocal } = options.localDetector;
    rules.own.push(`${internal} ${text} ${destination} ${ifNotLocal} -j ${markMasq}`);
  }
}

function captureExternal(work: Work): void {
  const { port, rules, chains, external, usesFirewall } = work;
  const { hasEndpoints } = work.endpoints;
  const [why, verdict] = refusal(work);
  const capture = (ip: string, what: string, chain: string) => {
    const destination = to(port, ip);
    if (hasEndpoints) {
      rules.nat.push(`${services} ${comment(`${port.name} ${what}`)} ${destination} -j ${chain}`);
    }
    if (external === undefined) {
      rules.filter.push(`${externalServices} ${why} ${destination} ${verdict}`);
    }
  };
  for (const ip of port.externalIPs) capture(ip, "external IP", chains.external);
  for (const ip of port.loadBalancerVIPs) {
    capture(ip, "loadbalancer IP", usesFirewall ? chains.firewall : chains.external);
    if (usesFirewall) {
      const text = comment(`${port.name} traffic not accepted by ${chains.firewall}`);
      rules.filter.push(`${proxyFirewall} ${text} ${to(port, ip)} -j DROP`);
    }
  }
}

function captureNodePort(work: Work): void {
  const { port, rules, chains, external } = work;
  const { protocol, nodePort, name } = port;
  if (nodePort !== 0) {
    const destination = `-m ${protocol} -p ${protocol} --dport ${nodePort}`;
    if (work.endpoints.hasEndpoints) {
      rules.nat.push(
        `${nodePorts} -m comment --comment ${name} ${destination} -j ${chains.external}`,
      );
    }
    if (external === undefined) {
      const [why, verdict] = refusal(work);
      const isLocal = "-m addrtype --dst-type LOCAL";
      rules.filter.push(`${externalServices} ${why} ${isLocal} ${destination} ${verdict}`);
    }
  }
  if (port.healthCheckNodePort !== 0) {
    const text = comment(`${name} health check node port`);
    const destination = `-m tcp -p tcp --dport ${port.healthCheckNodePort}`;
    rules.filter.push(`${nodePorts} ${text} ${destination} -j ACCEPT`);
  }
}

function externalChain(work: Work): void {
  const { port, rules, chains, external, options } = work;
  const chain = chains.external;
  rules.chains.push(chain);
  if (!port.externalPolicyLocal) {
    const text = comment(`masquerade traffic for ${port.name} external destinations`);
    rules.own.push(`${chain} ${text} -j ${markMasq}`);
  } else {
    // The source is kept. Pods of this node and the node itself are let through to all endpoints,
    // as if they had gone out to the load balancer and come back in.
    if (options.localDetector !== undefined) {
      const text = comment(`pod traffic for ${port.name} external destinations`);
      rules.own.push(`${chain} ${text} ${options.localDetector.ifLocal} -j ${chains.cluster}`);
    }
    const masquerade = comment(`masquerade LOCAL traffic for ${port.name} external destinations`);
    const route = comment(`route LOCAL traffic for ${port.name} external destinations`);
    const isLocal = "-m addrtype --src-type LOCAL";
    rules.own.push(
      `${chain} ${masquerade} ${isLocal} -j ${markMasq}`,
      `${chain} ${route} ${isLocal} -j ${chains.cluster}`,
    );
  }
  if (external !== undefined) rules.own.push(`${chain} -j ${external}`);
}

function firewallChain(work: Work): void {
  const { port, rules, chains, options } = work;
  const chain = chains.firewall;
  rules.chains.push(chain);
  const text = comment(`${port.name} loadbalancer IP`);
  const accept = (source: string) =>
    rules.own.push(`${chain} ${text} -s ${source} -j ${chains.external}`);
  for (const cidr of port.loadBalancerSourceRanges) accept(cidr.text);
  // A load balancer's address may be local to the node: what the node sends there has that very
  // source.
  if (port.loadBalancerSourceRanges.some((cidr) => cidrContains(cidr, options.nodeIP))) {
    for (const ip of port.loadBalancerVIPs) accept(ip);
  }
  const rest = comment(`other traffic to ${port.name} will be dropped by ${proxyFirewall}`);
  rules.own.push(`${chain} ${rest}`); // no target: it is there to be read
}

function policyChains(work: Work): void {
  const { port, rules, chains, endpoints } = work;
  const write = (chain: string, of: readonly Endpoint[]) => {
    rules.chains.push(chain);
    rules.own.push(...balanceRules(chain, of, work));
  };
  if (endpoints.cluster.length > 0 && usesClusterEndpoints(port)) {
    write(chains.cluster, endpoints.cluster);
  }
  if (endpoints.local.length > 0 && usesLocalEndpoints(port)) write(chains.local, endpoints.local);
}

function balanceRules(chain: string, endpoints: readonly Endpoint[], work: Work): string[] {
  const { port, options } = work;
  const targets = endpoints.map((endpoint) => ({
    chain: endpointChain(port.name, port.protocol, endpoint.text, options.hash),
    start: options.largeCluster ? chain : `${chain} ${comment(`${port.name} -> ${endpoint.text}`)}`,
  }));
  const remembered = targets.map(({ chain: target, start }) => {
    const seconds = `--rcheck --seconds ${port.stickyMaxAgeSeconds} --reap`;
    return `${start} -m recent --name ${target} ${seconds} -j ${target}`;
  });
  const dice = targets.map(({ chain: target, start }, i) => {
    const left = targets.length - i;
    // One of the rest: 1/3, then 1/2 of what is left, then all of it.
    const chance =
      left === 1 ? "" : ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}`;
    return `${start}${chance} -j ${target}`;
  });
  return port.sessionAffinity ? [...remembered, ...dice] : dice;
}

function endpointChains(work: Work): void {
  const { port, rules, options } = work;
  const { protocol, name } = port;
  for (const endpoint of work.endpoints.reachable) {
    const chain = endpointChain(name, protocol, endpoint.text, options.hash);
    const start = options.largeCluster ? chain : `${chain} -m comment --comment ${name}`;
    const remember = port.sessionAffinity ? ` -m recent --name ${chain} --set` : "";
    rules.chains.push(chain);
    rules.own.push(
      `${start} -s ${endpoint.ip} -j ${markMasq}`,
      `${start}${remember} -m ${protocol} -p ${protocol} -j DNAT --to-destination ${endpoint.text}`,
    );
  }
}
