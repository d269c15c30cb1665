/**
 * --discovery-srv: who the members of a new cluster are, told by DNS.
 *
 *     _etcd-server._tcp.DOMAIN       SRV 0 0 2380 host     members at http://host:2380
 *     _etcd-server-ssl._tcp.DOMAIN                         at https://
 *
 * The record whose address is one of this member's peer URLs is its own; the others are called
 * "0", "1" and so on: ids come from URLs, and the names follow when the members have met.
 * Errors  FlagError in etcd's words
 * Source  etcd v3.6 client/pkg/srv/srv.go GetCluster, server/embed/config.go GetDNSClusterNames
 */
import { FlagError } from "../core/flags.ts";

export interface SrvQuestion {
  readonly domain: string;
  /** --discovery-srv-name. */
  readonly service: string;
  readonly name: string;
  readonly peerURLs: readonly string[];
}

export interface SrvRecord {
  readonly target: string;
  readonly port: number;
}

/** What DNS says; both reject with Go's words. */
export interface SrvLookup {
  records(name: string): Promise<readonly SrvRecord[]>;
  /** One of a host's addresses. */
  address(host: string): Promise<string>;
}

/** As --initial-cluster would say it. */
export async function findMembers(question: SrvQuestion, lookup: SrvLookup): Promise<string> {
  const { service, name } = question;
  const suffix = service === "" ? "" : `-${service}`;
  const found: string[] = [];
  const faults: string[] = [];
  for (const [scheme, kind] of [
    ["https", `etcd-server-ssl${suffix}`],
    ["http", `etcd-server${suffix}`],
  ] as const) {
    try {
      found.push(...(await membersOf(scheme, kind, question, lookup)));
    } catch (error) {
      faults.push((error as Error).message);
    }
  }
  if (found.length === 0)
    throw new FlagError(`error setting up initial cluster: ${faults.join("\n")}`);
  if (!found.some((one) => one.startsWith(`${name}=`))) {
    throw new FlagError(
      `error setting up initial cluster: cannot find local etcd member "${name}" in SRV records`,
    );
  }
  return found.join(",");
}

async function membersOf(
  scheme: "http" | "https",
  kind: string,
  { domain, name, peerURLs }: SrvQuestion,
  lookup: SrvLookup,
): Promise<string[]> {
  const mine = new Map<string, string>();
  for (const url of peerURLs) {
    const { hostname, port } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, "");
    mine.set(`${await lookup.address(host)} ${port}`, new URL(url).protocol);
  }
  const members: string[] = [];
  let fault: string | undefined;
  let others = 0;
  const prefix = `error querying DNS SRV records for _${kind}`;
  for (const { target, port } of await records(lookup, `_${kind}._tcp.${domain}`, prefix)) {
    const host = target.replace(/\.$/, "");
    let address: string;
    try {
      address = await lookup.address(host);
    } catch (error) {
      fault = (error as Error).message;
      continue;
    }
    const own = mine.get(`${address} ${port}`);
    const known = own === undefined ? String(others++) : name;
    if (own !== undefined && own !== `${scheme}:`) {
      const expected = peerURLs.find((url) => url.startsWith(own));
      const where = `${scheme}://${host}:${port} from DNS for ${kind}`;
      fault = `bootstrap at ${where} has scheme mismatch with expected peer ${expected}`;
    } else members.push(`${known}=${scheme}://${host}:${port}`);
  }
  if (members.length === 0 && fault !== undefined) throw new Error(`${prefix} ${fault}`);
  return members;
}

async function records(lookup: SrvLookup, name: string, prefix: string) {
  try {
    return await lookup.records(name);
  } catch (error) {
    throw new Error(`${prefix} ${(error as Error).message}`);
  }
}
