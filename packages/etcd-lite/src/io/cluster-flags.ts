/**
 * The flags that make a cluster of members: who they are, where they listen, how they vote.
 *
 * Errors  FlagError in etcd's words
 * Source  etcd v3.6 server/embed/config.go, server/config/config.go VerifyBootstrap
 */
import { type Channel, type ClientTls, dial, type ServerTls } from "@nanokube/rpc";
import { FlagError, type FlagValues, isPeerURL, isTrue } from "../core/flags.ts";
import type { ClusterOptions } from "./consensus.ts";
import type { InitialMember } from "./identity.ts";
import { readPeerTls } from "./peer-tls.ts";

export interface ClusterSettings {
  readonly options: ClusterOptions & { readonly strictReconfigCheck: boolean };
  /** Where other members find this one; also when there is none yet. */
  readonly peerListenURLs: readonly string[];
  readonly peerTls: ServerTls | undefined;
}

export async function readClusterFlags(flags: FlagValues, nowMs: number): Promise<ClusterSettings> {
  const name = flags["name"] ?? "default";
  const peerURLs = list(flags["initial-advertise-peer-urls"]) ?? ["http://localhost:2380"];
  const found = await findInitialCluster(flags, name, peerURLs);
  // DNS has told which of its records is this member's, by address: the URLs may be others.
  const isFound = (flags["discovery-srv"] ?? "") !== "";
  const initialCluster = readInitialCluster(found, name, isFound ? undefined : peerURLs);
  const joinExisting = flags["initial-cluster-state"] === "existing";
  const heartbeatMs = Number(flags["heartbeat-interval"] ?? 100);
  const electionMs = Number(flags["election-timeout"] ?? 1000);
  checkTimes(heartbeatMs, electionMs);
  const advance = flags["initial-election-tick-advance"];
  const peerListenURLs = list(flags["listen-peer-urls"]) ?? ["http://localhost:2380"];
  const dataDir = flags["data-dir"] || `${name}.etcd`;
  const tls = await readPeerTls(flags, { dataDir, listenURLs: peerListenURLs, nowMs });
  const isSecure = [...peerListenURLs, ...peerURLs].some((url) => url.startsWith("https:"));
  if (isSecure && tls === undefined) {
    throw new FlagError("--peer-cert-file and --peer-key-file must be set for https peer URLs");
  }
  const snapshotCount = flags["snapshot-count"];
  return {
    peerListenURLs,
    peerTls: tls?.server,
    options: {
      name,
      peerURLs,
      clientURLs: list(flags["advertise-client-urls"]) ?? ["http://localhost:2379"],
      clusterToken: flags["initial-cluster-token"],
      initialCluster,
      joinExisting,
      heartbeatMs,
      electionMs,
      electionTickAdvance: advance === undefined || isTrue(advance),
      preVote: flags["pre-vote"] === undefined || isTrue(flags["pre-vote"]),
      snapshotAfterEntries: snapshotCount === undefined ? undefined : Number(snapshotCount),
      connect: (url) => connect(url, tls?.client),
      strictReconfigCheck:
        flags["strict-reconfig-check"] === undefined || isTrue(flags["strict-reconfig-check"]),
    },
  };
}

/** Told by the flags, or by DNS. */
async function findInitialCluster(
  flags: FlagValues,
  name: string,
  peerURLs: readonly string[],
): Promise<string | undefined> {
  const domain = flags["discovery-srv"] ?? "";
  if (domain === "") return flags["initial-cluster"];
  if (flags["initial-cluster"]) throw new FlagError(severalWays);
  const { findMembers } = await import("./srv-discovery.ts");
  const { lookUp } = await import("./srv-lookup.ts");
  const service = flags["discovery-srv-name"] ?? "";
  return findMembers({ domain, service, name, peerURLs }, lookUp);
}

const severalWays =
  "multiple discovery or bootstrap flags are set. " +
  'Choose one of "initial-cluster", "discovery", "discovery-endpoints" or "discovery-srv"';

function list(text: string | undefined): string[] | undefined {
  return text === undefined || text === "" ? undefined : text.split(",");
}

function connect(url: string, tls: ClientTls | undefined): Channel {
  return dial(url, { tls: url.startsWith("https:") ? tls : undefined });
}

function checkTimes(heartbeatMs: number, electionMs: number): void {
  if (heartbeatMs <= 0) throw new FlagError("--heartbeat-interval must be >0 (set to 0ms)");
  if (electionMs <= 0) throw new FlagError("--election-timeout must be >0 (set to 0ms)");
  if (5 * heartbeatMs > electionMs) {
    const times = `--election-timeout[${electionMs}ms] should be at least as 5 times as`;
    throw new FlagError(`${times} --heartbeat-interval[${heartbeatMs}ms]`);
  }
  if (electionMs > 50_000) {
    throw new FlagError(
      `--election-timeout[${electionMs}ms] is too long, and should be set less than 50000ms`,
    );
  }
}

/** `a=http://1:2380,b=http://2:2380`; a name may come again with another URL. */
export function readInitialCluster(
  text: string | undefined,
  name: string,
  peerURLs: readonly string[] | undefined,
): InitialMember[] | undefined {
  if (text === undefined || text === "") return undefined;
  const urlsOf = new Map<string, string[]>();
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    const [member, url] = [part.slice(0, at), part.slice(at + 1)];
    if (at <= 0 || !isPeerURL(url)) {
      throw new FlagError(`error setting up initial cluster: URL address does not fit: ${part}`);
    }
    urlsOf.set(member, [...(urlsOf.get(member) ?? []), url]);
  }
  const mine = urlsOf.get(name);
  if (mine === undefined) {
    throw new FlagError(`couldn't find local name "${name}" in the initial cluster configuration`);
  }
  if (peerURLs !== undefined && [...mine].sort().join() !== [...peerURLs].sort().join()) {
    const has = mine.map((url) => `${name}=${url}`).join();
    throw new FlagError(
      `--initial-cluster has ${has} but missing from --initial-advertise-peer-urls=${peerURLs} ` +
        `(resolved urls: "${peerURLs}" != "${mine}")`,
    );
  }
  const all = [...urlsOf.values()].flat();
  if (new Set(all).size < all.length) {
    throw new FlagError(`initial cluster ${text} has duplicate url`);
  }
  return [...urlsOf].map(([member, urls]) => ({ name: member, peerURLs: urls }));
}
