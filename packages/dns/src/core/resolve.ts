/**
 * A query to its answer: what this server knows itself, and what is another's.
 *
 * Zones  the cluster's domain, answered with authority, to the last name; in-addr.arpa and
 *        ip6.arpa, where names nobody here has are passed on; everything else is passed on
 * Shapes  Resolution  "answer"; "forward" to another server as it came; "follow" an alias that
 *                     leads out of the cluster, its target's records to be added
 * Source  CoreDNS plugin/kubernetes/handler.go, plugin/backend_lookup.go, reverse.go, ns.go
 */
import { ipKey, isIPv4, reverseKey } from "./address.ts";
import { isValidName } from "./encode.ts";
import { type Finding, find, type Host } from "./find.ts";
import {
  type DNSRecord,
  emptyResponse,
  isInternetClass,
  type Query,
  type Rcode,
  type Response,
  rcodes,
  types,
} from "./message.ts";
import type { ClusterView } from "./view.ts";

export interface ResolveOptions {
  clusterDomain: string;
  ttl: number;
  /** Addresses of this server, for NS records. */
  localIPs: readonly string[];
  /** All caches are filled; before that, a name that is not known is SERVFAIL and not a lie. */
  synced: boolean;
  /** Counts up: which of several addresses comes first. */
  turn: number;
}

export type Resolution =
  | { kind: "answer"; response: Response }
  | { kind: "forward" }
  | { kind: "follow"; response: Response; target: string };

interface Zone {
  /** In the client's spelling. */
  name: string;
  /** What stands before it. */
  rest: string[];
  /** The whole name in the client's spelling. */
  owner: string;
}

interface Context extends ResolveOptions {
  query: Query;
  view: ClusterView;
  zone: Zone;
}

const reverseZones = ["in-addr.arpa", "ip6.arpa"];
const longestAliasChain = 10;

export function resolve(query: Query, view: ClusterView, options: ResolveOptions): Resolution {
  const { question } = query;
  if (query.edns !== undefined && query.edns.version !== 0) return refuse(rcodes.BADVERS);
  if (!isInternetClass(question.class)) return refuse(rcodes.REFUSED);
  const domain = options.clusterDomain.toLowerCase();
  const zone = zoneOf(query, [domain, ...reverseZones]);
  if (zone === undefined) return { kind: "forward" };
  if (question.type === types.AXFR || question.type === types.IXFR) return refuse(rcodes.REFUSED);
  const context: Context = { ...options, query, view, zone };
  if (zone.name.toLowerCase() !== domain) return reverse(context);
  return forward(context);
}

const refuse = (rcode: Rcode): Resolution => ({ kind: "answer", response: emptyResponse(rcode) });

function zoneOf(query: Query, zones: readonly string[]): Zone | undefined {
  const { labels } = query.question;
  const spelled = spelledLabels(query.questionBytes);
  for (const zone of zones) {
    const count = zone.split(".").length;
    if (labels.slice(-count).join(".") !== zone || labels.length < count) continue;
    return {
      name: spelled.slice(-count).join("."),
      rest: labels.slice(0, -count),
      owner: spelled.join("."),
    };
  }
  return undefined;
}

/** The question's labels as the client wrote them: an answer repeats its spelling. */
function spelledLabels(bytes: Uint8Array): string[] {
  const labels: string[] = [];
  for (let at = 0; bytes[at] !== 0 && bytes[at] !== undefined; at += bytes[at]! + 1) {
    labels.push(String.fromCharCode(...bytes.subarray(at + 1, at + 1 + bytes[at]!)));
  }
  return labels;
}

function answer(context: Context, answers: DNSRecord[], additional: DNSRecord[] = []): Resolution {
  if (answers.length === 0) return nothing(context, rcodes.NOERROR);
  const response: Response = {
    rcode: rcodes.NOERROR,
    authoritative: true,
    answers,
    authority: [],
    additional,
  };
  return { kind: "answer", response };
}

function soa({ zone, ttl, view }: Context): DNSRecord {
  return {
    type: "SOA",
    name: zone.name,
    ttl: Math.min(ttl, 300),
    primary: `ns.dns.${zone.name}`,
    mailbox: `hostmaster.${zone.name}`,
    serial: view.serial,
    refresh: 7200,
    retry: 1800,
    expire: 86400,
    minimum: ttl,
  };
}

/** NODATA or NXDOMAIN; the SOA record tells how long to believe it. */
function nothing(context: Context, rcode: Rcode): Resolution {
  const known = rcode === rcodes.NXDOMAIN && !context.synced ? rcodes.SERVFAIL : rcode;
  const response = { ...emptyResponse(known, true), authority: [soa(context)] };
  return { kind: "answer", response };
}

function forward(context: Context): Resolution {
  const { query, zone, ttl } = context;
  const { type } = query.question;
  const relative = zone.rest.join(".");
  if (type === types.SOA) {
    return answer(context, zone.rest.length === 0 ? [soa(context)] : []);
  }
  if (type === types.NS && zone.rest.length === 0) return nameServers(context);
  if (type === types.TXT && relative === "dns-version") {
    const record: DNSRecord = { type: "TXT", name: zone.owner, ttl: 28_800, texts: ["1.1.0"] };
    return answer(context, [record]);
  }
  if (relative === "ns.dns") return answer(context, serverAddresses(context, zone.owner, type));
  const found = find(zone.rest, context.view);
  if (found === "nxdomain") return nothing(context, rcodes.NXDOMAIN);
  if (found === "nodata") return nothing(context, rcodes.NOERROR);
  if ("alias" in found) return followAlias(context, found.alias);
  if (type === types.A || type === types.AAAA) {
    return answer(
      context,
      turned(addresses(found.hosts, { name: zone.owner, type, ttl }), context),
    );
  }
  return type === types.SRV ? locate(context, found.hosts) : answer(context, []);
}

function addresses(
  hosts: readonly Host[],
  as: { name: string; type: number; ttl: number },
): DNSRecord[] {
  const unique = [...new Set(hosts.map((host) => host.address))];
  return unique.flatMap((address): DNSRecord[] => {
    const isV4 = isIPv4(address);
    if (isV4 !== (as.type === types.A)) return [];
    return [{ type: isV4 ? "A" : "AAAA", name: as.name, ttl: as.ttl, address }];
  });
}

/** Clients take the first one: each of them is first in its turn. */
function turned(records: DNSRecord[], { turn }: Context): DNSRecord[] {
  const start = records.length === 0 ? 0 : turn % records.length;
  return [...records.slice(start), ...records.slice(0, start)];
}

function locate(context: Context, hosts: readonly Host[]): Resolution {
  const { zone, ttl } = context;
  const weight = Math.max(1, Math.floor((100 / (100 * hosts.length)) * 100));
  const records = new Map<string, DNSRecord>();
  const extra = new Map<string, DNSRecord>();
  for (const host of hosts) {
    if (host.port === -1) continue;
    const target = `${host.target}.${zone.name}`;
    const { address, port } = host;
    const head = { name: zone.owner, ttl };
    const key = `${target} ${port}`;
    if (!records.has(key)) {
      records.set(key, { type: "SRV", ...head, priority: 0, weight, port, target });
    }
    const type = isIPv4(address) ? "A" : "AAAA";
    extra.set(`${target} ${address}`, { type, name: target, ttl, address });
  }
  return answer(context, [...records.values()], [...extra.values()]);
}

/** An ExternalName: into the cluster it is followed here, out of it another server must help. */
function followAlias(context: Context, alias: string): Resolution {
  const { query, zone, ttl, view } = context;
  const { type } = query.question;
  if (type === types.SRV || !isValidName(alias)) return nothing(context, rcodes.NOERROR);
  const first: DNSRecord = { type: "CNAME", name: zone.owner, ttl, target: alias };
  if (type === types.CNAME) return answer(context, [first]);
  if (type !== types.A && type !== types.AAAA) return nothing(context, rcodes.NOERROR);
  const chain: DNSRecord[] = [first];
  let target = alias;
  for (let hops = 0; hops < longestAliasChain; hops++) {
    const labels = target.toLowerCase().split(".");
    const inZone = withoutZone(labels, zone.name.toLowerCase());
    if (inZone === undefined) {
      const response = { ...emptyResponse(rcodes.NOERROR, true), answers: chain };
      return { kind: "follow", response, target };
    }
    const found: Finding = find(inZone, view);
    if (typeof found === "string") return nothing(context, rcodes.NOERROR);
    if ("hosts" in found) {
      const records = addresses(found.hosts, { name: target, type, ttl });
      return answer(context, records.length === 0 ? [] : [...chain, ...records]);
    }
    if (found.alias === target || !isValidName(found.alias)) break;
    chain.push({ type: "CNAME", name: target, ttl, target: found.alias });
    target = found.alias;
  }
  return nothing(context, rcodes.NOERROR); // a loop
}

function withoutZone(labels: readonly string[], zone: string): string[] | undefined {
  const count = zone.split(".").length;
  return labels.slice(-count).join(".") === zone ? labels.slice(0, -count) : undefined;
}

/** This server's names: those of the Services it stands behind, or ns.dns. */
function servers({ localIPs, view, zone }: Context): { name: string; address: string }[] {
  const behind = localIPs.flatMap((ip) => view.endpointsOfIP(ipKey(ip) ?? ""));
  const found = behind.flatMap(({ service: key, hostname }) => {
    const [namespace = "", name = ""] = key.split("/");
    const service = view.service(namespace, name);
    if (service === undefined) return [];
    const base = `${name}.${namespace}.svc.${zone.name}`;
    if (!service.headless) return service.clusterIPs.map((address) => ({ name: base, address }));
    const own = view.backends(service).filter((backend) => backend.hostname === hostname);
    return own.map(({ ip }) => ({ name: `${hostname}.${base}`, address: ip }));
  });
  if (behind.length > 0) return found;
  return localIPs.map((address) => ({ name: `ns.dns.${zone.name}`, address }));
}

function nameServers(context: Context): Resolution {
  const { zone, ttl } = context;
  const all = servers(context);
  const names = [...new Set(all.map((server) => server.name))];
  const records = names.map((target): DNSRecord => ({ type: "NS", name: zone.owner, ttl, target }));
  const extra = all.map(({ name, address }): DNSRecord => {
    return { type: isIPv4(address) ? "A" : "AAAA", name, ttl, address };
  });
  return answer(context, records, extra);
}

function serverAddresses(context: Context, name: string, type: number): DNSRecord[] {
  const hosts = servers(context).map(({ address }) => ({ address, port: 0, target: "" }));
  if (type !== types.A && type !== types.AAAA) return [];
  return addresses(hosts, { name, type, ttl: context.ttl });
}

function reverse(context: Context): Resolution {
  const { query, view, zone, ttl, clusterDomain } = context;
  const { type, labels } = query.question;
  if (zone.rest.length === 0 && (type === types.SOA || type === types.NS)) {
    return type === types.SOA ? answer(context, [soa(context)]) : nameServers(context);
  }
  const key = reverseKey(labels);
  if (type !== types.PTR || key === undefined) {
    return zone.rest.length === 0 ? nothing(context, rcodes.NOERROR) : { kind: "forward" };
  }
  const service = view.serviceOfIP(key);
  const names =
    service !== undefined
      ? [`${service.name}.${service.namespace}.svc`]
      : view.endpointsOfIP(key).map(({ hostname, service: of }) => {
          const [namespace, name] = of.split("/");
          return `${hostname}.${name}.${namespace}.svc`;
        });
  if (names.length === 0) return { kind: "forward" };
  const records = [...new Set(names)].map((name): DNSRecord => {
    return { type: "PTR", name: zone.owner, ttl, target: `${name}.${clusterDomain}` };
  });
  return answer(context, records);
}
